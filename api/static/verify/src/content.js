/** The disclosed part of a record's content. Mirrors ledger/content.py. */

import { exactList, exactObject, fromHex, isWhole, utf8 } from "./encoding.js";
import { BadInput } from "./errors.js";
import { canonicalJson } from "./json.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { isAscending } from "./text.js";

const MAX_FIELDS = 256;
const MAX_PATH = 16;

/** {size, fields, values}: some fields of a content of `size` fields, each with its proof; `values` is a Map. Throws
    BadInput. */
export function parseDisclosure(value, pointer) {
  exactObject(value, ["size", "fields"], pointer);
  const size = smallNumber(value.get("size"), `${pointer}/size`);
  const items = exactList(value.get("fields"), MAX_FIELDS, `${pointer}/fields`);
  const fields = items.map((item, i) => parseField(item, `${pointer}/fields/${i}`));
  const indexes = fields.map((field) => field.index);
  if (!isAscending(fields.map((field) => field.name)) || indexes.some((index, i) => i && index <= indexes[i - 1])) {
    throw new BadInput(`${pointer}/fields: names and indexes must be unique and ascending.`);
  }
  return { size, fields, values: new Map(fields.map((field) => [field.name, field.value])) };
}

/** Check every disclosed field against the digest. Throws InvalidProof, naming no value. */
export function verifyDisclosure(content, digest) {
  for (const { salt, name, value, index, path } of content.fields) {
    const leaf = leafHash(utf8(canonicalJson([salt, name, value])));
    verifyInclusion(leaf, BigInt(index), BigInt(content.size), path, digest);
  }
}

function parseField(item, pointer) {
  exactObject(item, ["index", "salt", "name", "value", "path"], pointer);
  const nodes = exactList(item.get("path"), MAX_PATH, `${pointer}/path`);
  const index = smallNumber(item.get("index"), `${pointer}/index`);
  const [salt, name, value] = ["salt", "name", "value"].map((key) => item.get(key));
  if (typeof salt !== "string" || !/^[A-Za-z0-9_-]{22}$/.test(salt)) {
    throw new BadInput(`${pointer}/salt: expected 16 bytes in base64url.`);
  }
  if (typeof name !== "string" || !/^[a-zA-Z][a-zA-Z0-9]{0,63}$/.test(name)) {
    throw new BadInput(`${pointer}/name: expected a field name of letters and digits.`);
  }
  if (typeof value !== "string" && !(value instanceof Map)) {
    throw new BadInput(`${pointer}/value: expected a string or an object.`);
  }
  try {
    canonicalJson(value);
  } catch (error) {
    throw new BadInput(`${pointer}/value: ${error.message}`, error.hint);
  }
  return { index, salt, name, value, path: nodes.map((node, i) => fromHex(node, 32, `${pointer}/path/${i}`)) };
}

function smallNumber(value, pointer) {
  if (!isWhole(value, 0, MAX_FIELDS)) {
    throw new BadInput(`${pointer}: expected a whole number from 0 to ${MAX_FIELDS}.`);
  }
  return value;
}
