// What ethr-did-resolver makes of a did:ethr: node resolve-did.mjs <RPC URL> <chain id> <ERC-1056 registry> <DID>
import { Resolver } from 'did-resolver'
import { getResolver } from 'ethr-did-resolver'

const [rpcUrl, chainId, registry, did] = process.argv.slice(2)
const resolver = new Resolver(getResolver({ networks: [{ chainId: Number(chainId), rpcUrl, registry }] }))
console.log(JSON.stringify(await resolver.resolve(did)))
process.exit(0)
