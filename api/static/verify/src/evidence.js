/** What a certificate holds beside its entries, because an entry only commits to it. Mirrors ledger/registers/evidence.py,
    leaf.py and the evidence of land.py; see the docstrings of Evidence there. */

import {
  addressBytes, concat, equal, exactList, exactObject, fromHex, isWhole, keccak256, parseAddress, word, ZERO32,
} from "./encoding.js";
import { headOf, parseEntry } from "./entries.js";
import { BadInput, InvalidProof } from "./errors.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { MAX_APPROVERS } from "./trust.js";

const MAX_LIENS = 100;
const MAX_PARENTS = 256;
const MAX_PATH = 64;
const MAX_CORRECTIONS = 256;
const AMENDED = 2n;

/** Of a register whose entries say all. */
export function noEvidence(value, pointer, keys = []) {
  exactObject(value, keys, pointer);
  return {
    heads: (recordId) => ({ head: recordId }),
    history: (entries) => entries,
    states: (entries) => entries.map((entry) => ({ entry, digest: entry.digest })),
    approved: [],
    verify: () => "the entries say all",
  };
}

/** Of a land title: the liens on it now, and the heads that its parcel was made from. */
export function titleEvidence(value, pointer) {
  const plain = noEvidence(value, pointer, ["liens", "parents"]);
  const rows = exactList(value.get("liens"), MAX_LIENS, `${pointer}/liens`);
  const heads = exactList(value.get("parents"), MAX_PARENTS, `${pointer}/parents`);
  const liens = rows.map((lien, i) => parseLien(lien, `${pointer}/liens/${i}`));
  const parents = heads.map((head, i) => fromHex(head, 32, `${pointer}/parents/${i}`));
  return { ...plain, verify: (entries) => verifyTitle(liens, parents, entries) };
}

function parseLien(value, pointer) {
  exactObject(value, ["rank", "creditor", "claim"], pointer);
  const rank = value.get("rank");
  if (!isWhole(rank, 1, 65535)) throw new BadInput(`${pointer}/rank: expected a whole number from 1 to 65535.`);
  const creditor = parseAddress(value.get("creditor"), `${pointer}/creditor`);
  return { rank, creditor, claim: fromHex(value.get("claim"), 32, `${pointer}/claim`) };
}

function verifyTitle(liens, parents, entries) {
  const [first, last] = [entries[0], entries.at(-1)];
  if (BigInt(liens.length) !== last.liens || !equal(lienRoot(liens), last.lienRoot)) {
    throw new InvalidProof("the liens are not those that the newest entry commits to");
  }
  const made = parents.length ? keccak256(concat(...[...parents].sort(compareBytes))) : ZERO32;
  if (!equal(made, first.parents)) {
    throw new InvalidProof("the parents are not those that the first entry commits to");
  }
  const descent = parents.length ? `made from ${parents.length} parcel(s)` : "first registered as it is";
  return `${liens.length} lien(s) listed; ${descent}`;
}

/** keccak256 of the ABI encoding of (uint16,address,bytes32)[], zero if there are none. */
function lienRoot(liens) {
  if (liens.length === 0) return ZERO32;
  const rows = liens.flatMap(({ rank, creditor, claim }) => [word(rank), new Uint8Array(12), addressBytes(creditor), claim]);
  return keccak256(concat(word(32), word(liens.length), ...rows));
}

const compareBytes = (a, b) => {
  const i = a.findIndex((byte, at) => byte !== b[at]);
  return i < 0 ? 0 : a[i] - b[i];
};

/** Of one record of a batch: its leaf, with its path to the root and all its corrections. */
export const leafEvidence = (members) => (value, pointer) => {
  exactObject(value, ["content", "index", "path", "corrections"], pointer);
  const text = value.get("index");
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,18})$/.test(text)) {
    throw new BadInput(`${pointer}/index: expected a whole number as a string.`);
  }
  const nodes = exactList(value.get("path"), MAX_PATH, `${pointer}/path`);
  const items = exactList(value.get("corrections"), MAX_CORRECTIONS, `${pointer}/corrections`);
  const content = fromHex(value.get("content"), 32, `${pointer}/content`);
  const [index, hash] = [BigInt(text), leafHash(content)];
  const path = nodes.map((node, i) => fromHex(node, 32, `${pointer}/path/${i}`));
  const approved = items.map((item, i) => parseCorrection(members, item, `${pointer}/corrections/${i}`));
  const corrections = approved.map(([entry]) => entry);
  return {
    heads: (series, entries) => ({ head: keccak256(concat(series, word(entries.at(-1).sequence))), leaf: hash }),
    history: () => corrections,
    states: (entries) => statesOf(corrections, { entry: entries.at(-1), digest: content }),
    approved,
    verify: (entries, heads) => verifyLeaf(members, { hash, index, path, corrections }, entries, heads),
  };
};

function statesOf(corrections, first) {
  const states = [first];
  for (const entry of corrections) {
    states.push({ entry, digest: entry.status === AMENDED ? entry.digest : states.at(-1).digest });
  }
  return states;
}

function parseCorrection(members, value, pointer) {
  exactObject(value, ["entry", "approvers"], pointer);
  const names = exactList(value.get("approvers"), MAX_APPROVERS, `${pointer}/approvers`);
  const approvers = names.map((name, i) => parseAddress(name, `${pointer}/approvers/${i}`));
  return [parseEntry(members, value.get("entry"), `${pointer}/entry`), approvers];
}

function verifyLeaf(members, { hash, index, path, corrections }, entries, heads) {
  const batch = entries.at(-1);
  if (entries.length !== 1 || batch.count === 0n) throw new InvalidProof("the entry is not that of one batch");
  verifyInclusion(hash, index, batch.count, path, batch.root);
  if (!equal(heads.leaf, corrections.length ? headOf(members, corrections.at(-1)) : ZERO32)) {
    throw new InvalidProof("the corrections are not all that were recorded of this leaf");
  }
  const corrected = corrections.length ? `corrected ${corrections.length} time(s)` : "never corrected";
  return `leaf ${index} of ${batch.count} in batch ${batch.sequence}, ${corrected}`;
}
