/** The trust root: who is believed, in one small file. Mirrors ledger/trust.py. */

import { parseVerifierKey } from "./checkpoint.js";
import { exactList, exactObject, fromHex, isWhole, parseAddress } from "./encoding.js";
import { BadInput, InvalidProof } from "./errors.js";
import { parseJson } from "./json.js";

export const MAX_APPROVERS = 32;
const FORMAT = "khalayak-trust@1";
const MAX_BYTES = 1 << 20;
const MAX_REGISTERS = 256;
const MAX_REGISTRARS = 1024;
const MAX_WITNESSES = 64;
const COPY_AGAIN = "Copy it again, whole.";

/** The trust root in the bytes of a trust.json: {name, origin, registers, witnesses, threshold}. Throws BadInput. */
export function parseTrust(bytes) {
  const value = parseJson(bytes, MAX_BYTES, "The trust root");
  exactObject(value, ["format", "name", "chainId", "genesis", "registers", "witnesses"], "");
  const [name, chainId] = [value.get("name"), value.get("chainId")];
  if (value.get("format") !== FORMAT) throw new BadInput(`/format: expected ${FORMAT}.`);
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9.-]{0,99}$/.test(name)) {
    throw new BadInput("/name: expected lower-case letters, digits, dots and hyphens.");
  }
  if (!isWhole(chainId, 1, Infinity)) throw new BadInput("/chainId: expected a positive whole number.");
  const listed = exactList(value.get("registers"), MAX_REGISTERS, "/registers");
  const registers = listed.map((register, i) => parseRegister(register, chainId, `/registers/${i}`));
  const { witnesses, threshold } = parseWitnesses(exactObject(value.get("witnesses"), ["keys", "threshold"], "/witnesses"));
  fromHex(value.get("genesis"), 32, "/genesis");
  return { name, origin: `${name}/eip155:${chainId}`, registers, witnesses, threshold };
}

function parseWitnesses(value) {
  const keys = exactList(value.get("keys"), MAX_WITNESSES, "/witnesses/keys");
  const threshold = value.get("threshold");
  const witnesses = keys.map((key, i) => parseWitness(key, `/witnesses/keys/${i}`));
  const distinct = new Set(witnesses.map((key) => key.publicKey.join()));
  if (!isWhole(threshold, 1, Math.max(1, distinct.size))) {
    throw new BadInput("/witnesses/threshold: expected 1 to the number of keys.");
  }
  return { witnesses, threshold };
}

function parseWitness(text, pointer) {
  try {
    return parseVerifierKey(typeof text === "string" ? text : "");
  } catch (error) {
    if (error instanceof InvalidProof) throw new BadInput(`${pointer}: ${error.message}`, COPY_AGAIN);
    throw error;
  }
}

function parseRegister(value, chainId, pointer) {
  exactObject(value, ["address", "kind", "authorityName", "codeHash", "threshold", "registrars", "authority"], pointer);
  const registrars = exactList(value.get("registrars"), MAX_REGISTRARS, `${pointer}/registrars`);
  const authority = exactObject(value.get("authority"), ["address", "codeHash"], `${pointer}/authority`);
  const [kind, authorityName, threshold] = ["kind", "authorityName", "threshold"].map((key) => value.get(key));
  if (typeof kind !== "string" || typeof authorityName !== "string") {
    throw new BadInput(`${pointer}: kind and authorityName must be strings.`);
  }
  if (!isWhole(threshold, 1, MAX_APPROVERS)) {
    throw new BadInput(`${pointer}/threshold: expected 1 to ${MAX_APPROVERS}.`);
  }
  return {
    name: `eip155:${chainId}:${parseAddress(value.get("address"), `${pointer}/address`)}`,
    kind,
    authorityName,
    codeHash: fromHex(value.get("codeHash"), 32, `${pointer}/codeHash`),
    authority: parseAddress(authority.get("address"), `${pointer}/authority/address`),
    authorityCodeHash: fromHex(authority.get("codeHash"), 32, `${pointer}/authority/codeHash`),
    threshold,
    registrars: registrars.map((name, i) => parseAddress(name, `${pointer}/registrars/${i}`)),
  };
}
