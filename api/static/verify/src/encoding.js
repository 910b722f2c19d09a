/** Byte forms that every part shares: hex, addresses, CAIP-10 names, hashes. Mirrors ledger/encoding.py. */

import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 as keccak256 } from "@noble/hashes/sha3.js";
import { BadInput } from "./errors.js";
import { quoted, sorted, start } from "./text.js";

export { keccak256, sha256 };

export const ZERO32 = new Uint8Array(32);

export const utf8 = (text) => new TextEncoder().encode(text);

export const digits = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const toHex = (bytes) => `0x${digits(bytes)}`;

export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

export const toNumber = (bytes) => BigInt(`0x0${digits(bytes)}`);

/** A whole number as 32 bytes, big-endian. */
export const word = (number) => bytesOf(BigInt(number).toString(16).padStart(64, "0"));

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function bytesOf(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const isHex = (text) => /^0[xX]/.test(text) && text.length % 2 === 0 && !/[^0-9a-fA-F]/.test(text.slice(2));

/** Bytes of `0x`-prefixed hex in any case. `size` in bytes, null for any. Throws BadInput. */
export function fromHex(text, size, pointer = "") {
  const hex = typeof text === "string" && isHex(text);
  if (hex && (size === null || size === text.length / 2 - 1)) return bytesOf(text.slice(2));
  const wanted = size === null ? "bytes in hex" : `${size} bytes in hex (${2 * size} digits)`;
  const got = hex ? `, got ${text.length - 2} digits` : "";
  throw new BadInput(`${pointer || "value"}: expected 0x and ${wanted}${got}.`, "Check that it was copied whole.");
}

/** An address in ERC-55 form. All-lower and all-upper case are taken; a mixed case must have the right checksum. */
export function parseAddress(text, pointer = "") {
  const lower = digits(fromHex(text, 20, pointer));
  const digest = digits(keccak256(utf8(lower)));
  const address = Array.from(lower, (c, i) => (digest[i] >= "8" ? c.toUpperCase() : c)).join("");
  const given = text.slice(2);
  if (![lower, lower.toUpperCase(), address].includes(given)) {
    throw new BadInput(`${pointer || "address"}: the checksum of the address is wrong.`, "Copy it again.");
  }
  return `0x${address}`;
}

export const addressBytes = (address) => bytesOf(address.slice(2));

/** A CAIP-10 name `eip155:<chain id>:<address>`, with the address in ERC-55 form. Throws BadInput. */
export function parseRegisterName(text, pointer = "") {
  const match = typeof text === "string" && /^eip155:([1-9][0-9]{0,17}):(0x[0-9a-fA-F]{40})$/.exec(text);
  if (!match) throw new BadInput(`${pointer || "register"}: expected eip155:<chain id>:<address> (CAIP-10).`);
  const address = parseAddress(match[2], pointer);
  return { address, name: `eip155:${match[1]}:${address}` };
}

/** `value` as a Map that has exactly `keys`. Throws BadInput. */
export function exactObject(value, keys, pointer) {
  const at = pointer || "/";
  if (!(value instanceof Map)) throw new BadInput(`${at}: expected an object.`);
  const missing = sorted(keys.filter((key) => !value.has(key)));
  if (missing.length) throw new BadInput(`${at}: ${missing[0]} is missing.`);
  const unknown = sorted([...value.keys()].filter((key) => !keys.includes(key)));
  if (unknown.length) throw new BadInput(`${at}: ${quoted(start(unknown[0], 60))} is not a known key.`);
  return value;
}

/** `value` as an array of at most `limit` items. Throws BadInput. */
export function exactList(value, limit, pointer) {
  if (Array.isArray(value) && value.length <= limit) return value;
  throw new BadInput(`${pointer || "/"}: expected a list of at most ${limit} items.`);
}

/** Whether a parsed JSON value is a whole number (1.0 is none) from `least` to `most`. */
export const isWhole = (value, least, most) =>
  (typeof value === "number" || typeof value === "bigint") && value >= least && value <= most;
