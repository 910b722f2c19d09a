/** Merkle trees as RFC 9162 section 2.1 defines them: SHA-256, leaf prefix 0x00, node prefix 0x01. */

import { concat, equal, sha256 } from "./encoding.js";
import { InvalidProof } from "./errors.js";

const MAX_SIZE = 2n ** 63n;

export const leafHash = (data) => sha256(concat(Uint8Array.of(0), data));

const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

/** Check that the leaf hash is leaf `index` of a tree of `size` leaves (both BigInt) with that root (RFC 9162 section
    2.1.3.2). Throws InvalidProof. */
export function verifyInclusion(leaf, index, size, path, root) {
  if (!(0n <= index && index < size && size <= MAX_SIZE)) {
    throw new InvalidProof(`leaf ${index} cannot be in a tree of ${size} leaves.`);
  }
  let [node, last] = [leaf, size - 1n];
  for (const sibling of path) {
    if (last === 0n) throw new InvalidProof("the path is longer than the tree is high.");
    if (index & 1n || index === last) {
      node = nodeHash(sibling, node);
      while (!(index & 1n) && index) [index, last] = [index >> 1n, last >> 1n];
    } else {
      node = nodeHash(node, sibling);
    }
    [index, last] = [index >> 1n, last >> 1n];
  }
  if (last) throw new InvalidProof("the path is shorter than the tree is high.");
  if (!equal(node, root)) throw new InvalidProof("the path does not lead to the root.");
}
