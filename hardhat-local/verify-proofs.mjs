// What @ethereumjs/mpt proves: node verify-proofs.mjs < [{"root", "key", "nodes"}, …] in hex; answers with hex or null
import { readFileSync } from 'node:fs'
import { verifyMerkleProof } from '@ethereumjs/mpt'
import { bytesToHex, hexToBytes } from '@ethereumjs/util'

const answers = []
for (const { root, key, nodes } of JSON.parse(readFileSync(0, 'utf8'))) {
  const options = { root: hexToBytes(root), useKeyHashing: true }
  const value = await verifyMerkleProof(hexToBytes(key), nodes.map(hexToBytes), options)
  answers.push(value === null ? null : bytesToHex(value))
}
console.log(JSON.stringify(answers))
