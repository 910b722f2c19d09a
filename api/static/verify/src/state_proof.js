/** Ethereum state proofs: block headers and Merkle Patricia proofs (EIP-1186). Mirrors ledger/state_proof.py. */

import { addressBytes, concat, digits, equal, keccak256, toNumber, word, ZERO32 } from "./encoding.js";
import { InvalidProof } from "./errors.js";
import { decodeRlp, isBytes } from "./rlp.js";

export const MAX_NODES = 65;
const MAX_NODE_BYTES = 1024;
const MAX_HEADER_BYTES = 4096;
const MAX_NUMBER = 2n ** 53n - 1n;
export const MAX_TIME = 253_370_764_799n; // the end of the year 9998
const EMPTY_TRIE = keccak256(Uint8Array.of(0x80));

/** {hash, number, time, stateRoot} of the header with this RLP (Yellow Paper section 4.3). Throws InvalidProof. */
export function parseHeader(data) {
  if (data.length > MAX_HEADER_BYTES) {
    throw new InvalidProof(`the block header is ${data.length} bytes; at most ${MAX_HEADER_BYTES} are read.`);
  }
  const items = decodeRlp(data, "the block header");
  if (isBytes(items) || items.length < 15 || !items.every(isBytes)) {
    throw new InvalidProof("the block header does not have the fields of one.");
  }
  const [number, time, stateRoot] = [items[8], items[11], items[3]];
  if (number.length > 8 || time.length > 8 || stateRoot.length !== 32) {
    throw new InvalidProof("the block header has fields of the wrong size.");
  }
  if (toNumber(number) > MAX_NUMBER || toNumber(time) > MAX_TIME) {
    throw new InvalidProof("the block header has a number or a time that no block can have.");
  }
  return { hash: keccak256(data), number: Number(toNumber(number)), time: Number(toNumber(time)), stateRoot };
}

/** {storageRoot, codeHash} at an address, null when the proof shows that there is no account. Throws InvalidProof. */
export function proveAccount(stateRoot, address, nodes) {
  const value = walk(stateRoot, keccak256(addressBytes(address)), nodes);
  if (value === null) return null;
  const fields = decodeRlp(value, "the account");
  if (isBytes(fields) || fields.length !== 4 || !fields.every(isBytes)) {
    throw new InvalidProof("the account does not have the fields of one.");
  }
  const [, , storageRoot, codeHash] = fields;
  if (storageRoot.length !== 32 || codeHash.length !== 32) {
    throw new InvalidProof("the account has fields of the wrong size.");
  }
  return { storageRoot, codeHash };
}

/** The 32-byte word in a storage slot; zero when the proof shows that it was never set. Throws InvalidProof. */
export function proveSlot(storageRoot, slot, nodes) {
  const value = walk(storageRoot, keccak256(slot), nodes);
  if (value === null) return ZERO32;
  const stored = decodeRlp(value, "the storage word");
  if (!isBytes(stored) || stored.length === 0 || stored.length > 32 || stored[0] === 0) {
    throw new InvalidProof("the storage word is not one.");
  }
  return concat(ZERO32.slice(stored.length), stored);
}

/** The slot of `key` (32 bytes) in a Solidity mapping at a storage position. */
export const mappingSlot = (key, position) => keccak256(concat(key, word(position)));

/** The value at a hashed key, null when the nodes prove that the trie has none. Uses every node or refuses. */
function walk(root, key, nodes) {
  if (equal(root, EMPTY_TRIE) && (nodes.length === 0 || (nodes.length === 1 && equal(nodes[0], Uint8Array.of(0x80))))) {
    return null;
  }
  if (nodes.length === 0 || nodes.length > MAX_NODES) {
    throw new InvalidProof(`a proof of ${nodes.length} nodes proves nothing.`);
  }
  let [path, reference] = [digits(key), root];
  const unused = [...nodes].reverse();
  for (;;) {
    const node = resolve(reference, unused);
    if (node.length === 17) {
      if (!path) throw new InvalidProof("a proof node lies deeper than its key is long.");
      [reference, path] = [node[Number.parseInt(path[0], 16)], path.slice(1)];
    } else {
      const { prefix, isLeaf } = compact(node[0]);
      if (!path.startsWith(prefix) || (isLeaf && path !== prefix)) return finish(null, unused);
      if (isLeaf) return finish(leafValue(node[1]), unused);
      [reference, path] = [node[1], path.slice(prefix.length)];
    }
    if (isBytes(reference) && reference.length === 0) return finish(null, unused);
  }
}

/** The node behind a reference: an embedded node (shorter than 32 bytes) or the next of the proof, by its hash. */
function resolve(reference, unused) {
  let node = reference;
  if (isBytes(reference)) {
    if (unused.length === 0) throw new InvalidProof("the proof ends before it proves anything.");
    const data = unused.pop();
    if (data.length > MAX_NODE_BYTES || !equal(keccak256(data), reference)) {
      throw new InvalidProof("a proof node does not have the hash its parent names.");
    }
    node = decodeRlp(data, "a proof node");
  }
  if (isBytes(node) || ![2, 17].includes(node.length) || (node.length === 2 && !isBytes(node[0]))) {
    throw new InvalidProof("a proof node is neither a branch nor an extension nor a leaf.");
  }
  return node;
}

function leafValue(value) {
  if (!isBytes(value) || value.length === 0) throw new InvalidProof("a proof leaf holds no value.");
  return value;
}

function finish(value, unused) {
  if (unused.length) throw new InvalidProof(`the proof has ${unused.length} nodes too many.`);
  return value;
}

/** Hex-prefix encoding (Yellow Paper appendix C): the nibbles and whether the node is a leaf. */
function compact(encoded) {
  const nibbles = digits(encoded);
  if (!/^[0-3]/.test(nibbles)) throw new InvalidProof("a proof node has a path of no known form.");
  const flag = Number(nibbles[0]);
  return { prefix: nibbles.slice(flag & 1 ? 1 : 2), isLeaf: flag >= 2 };
}
