/** Entries and heads: the codec that every register shares. Mirrors ledger/entries.py. An entry is an object with the
    members of its Solidity struct: Uint8Array for bytes32, ERC-55 text for address, BigInt for uintN. */

import { addressBytes, concat, equal, exactObject, fromHex, keccak256, parseAddress, word, ZERO32 } from "./encoding.js";
import { BadInput, InvalidProof } from "./errors.js";
import { MAX_TIME } from "./state_proof.js";

const JSON_NUMBER_BITS = 48; // wider integers are written as decimal strings

/** `members` is a list of [name, ABI type], in the order of the struct. Throws BadInput. */
export function parseEntry(members, value, pointer) {
  exactObject(value, members.map(([name]) => name), pointer);
  const entry = {};
  for (const [name, type] of members) entry[name] = fromJson(type, value.get(name), `${pointer}/${name}`);
  return entry;
}

/** keccak256 of the ABI encoding: one 32-byte word a member. */
export const headOf = (members, entry) => keccak256(concat(...members.map(([name, type]) => encode(type, entry[name]))));

/** keccak256 of the packed approver addresses. */
export const approvalsHash = (approvers) => keccak256(concat(...approvers.map(addressBytes)));

/** Check that the entries, oldest first, are one complete chain from the first to the last. Throws InvalidProof. */
export function verifyHistory(members, entries) {
  let [previous, time] = [ZERO32, 0n];
  entries.forEach((entry, i) => {
    const number = i + 1;
    if (entry.sequence !== BigInt(number)) {
      throw new InvalidProof(`entry ${number} of the history has sequence ${entry.sequence}.`);
    }
    if (!equal(entry.previous, previous)) {
      throw new InvalidProof(`entry ${number} does not follow the entry before it.`);
    }
    if (entry.time < time) throw new InvalidProof(`entry ${number} is older than the entry before it.`);
    if (entry.time > MAX_TIME) throw new InvalidProof(`entry ${number} has a time that no block can have.`);
    [previous, time] = [headOf(members, entry), entry.time];
  });
}

const bits = (type) => Number(type.slice("uint".length));

function encode(type, value) {
  if (type === "bytes32") return value;
  return type === "address" ? concat(new Uint8Array(12), addressBytes(value)) : word(value);
}

function fromJson(type, value, pointer) {
  if (type === "bytes32") return fromHex(value, 32, pointer);
  if (type === "address") return parseAddress(value, pointer);
  const number = bits(type) > JSON_NUMBER_BITS ? fromText(value) : fromNumber(value);
  if (number === null || number < 0n || number >= 1n << BigInt(bits(type))) {
    throw new BadInput(`${pointer}: expected a whole number of ${bits(type)} bits.`);
  }
  return number;
}

const fromText = (value) =>
  typeof value === "string" && /^(0|[1-9][0-9]{0,19})$/.test(value) ? BigInt(value) : null;

const fromNumber = (value) => (["number", "bigint"].includes(typeof value) ? BigInt(value) : null);
