/** Certificates and proofs of absence. Mirrors ledger/certificate.py. */

import { attachedCertificate, isPdf } from "./attachment.js";
import { parseDisclosure } from "./content.js";
import { equal, exactList, exactObject, fromHex, parseAddress, parseRegisterName } from "./encoding.js";
import { parseEntry } from "./entries.js";
import { BadInput } from "./errors.js";
import { parseJson } from "./json.js";
import { registerOfKind } from "./registers.js";
import { validateDisclosed } from "./schema.js";
import { MAX_NODES } from "./state_proof.js";
import { length, sorted, start } from "./text.js";
import { MAX_APPROVERS } from "./trust.js";

const CERTIFICATE = "khalayak-certificate@1";
const ABSENCE = "khalayak-absence@1";
const MAX_BYTES = 4 << 20;
const MAX_ENTRIES = 4096;
const MAX_CHECKPOINT = 16384;
const MAX_TEXT = 100;

/** The file itself, or the one that a PDF carries. Throws BadInput. */
export const fileIn = (bytes) =>
  isPdf(bytes) ? attachedCertificate(bytes, [CERTIFICATE, ABSENCE], MAX_BYTES + 1) : bytes;

/** Parse a certificate or a proof of absence, which has a `subject`, or the one that a PDF carries. Throws BadInput. */
export function parse(bytes) {
  const file = fileIn(bytes);
  const value = parseJson(file, MAX_BYTES, "The certificate");
  const format = value instanceof Map && value.get("format");
  if (format === CERTIFICATE) return parseCertificate(value);
  if (format === ABSENCE) return parseAbsence(value);
  throw new BadInput(`This is not a ${CERTIFICATE} or ${ABSENCE} file.`, "Choose the .json file of the office.");
}

function parseCertificate(value) {
  const keys = ["format", "register", "kind", "recordId", "entries", "approvers", "evidence", "content", "state"];
  exactObject(value, keys, "");
  const register = registerOfKind(parseText(value.get("kind"), "/kind"));
  const recordId = fromHex(value.get("recordId"), 32, "/recordId");
  const evidence = register.parseEvidence(value.get("evidence"), "/evidence");
  const listed = exactList(value.get("entries"), MAX_ENTRIES, "/entries");
  const approvers = exactList(value.get("approvers"), MAX_ENTRIES, "/approvers");
  if (listed.length === 0 || listed.length !== approvers.length) {
    throw new BadInput("/approvers: expected one list of approvers for each entry.");
  }
  const entries = listed.map((entry, i) => parseEntry(register.entry, entry, `/entries/${i}`));
  const name = parseRegisterName(value.get("register"), "/register");
  const approved = approvers.map((item, i) => [entries[i], parseAddresses(item, `/approvers/${i}`)]);
  const content = parseDisclosure(value.get("content"), "/content");
  const slots = Object.keys(evidence.heads(recordId, entries));
  const state = parseState(value.get("state"), slots, true);
  return { name, register, recordId, entries, approved: [...approved, ...evidence.approved], evidence, content, state };
}

/** [state, reason]: the status at a time in seconds, up to that of the block: until then the history is complete. */
export function statusAt({ register, evidence, entries, content }, time) {
  const states = evidence.states(entries);
  const then = states.filter(({ entry }) => entry.time <= time).at(-1);
  if (!then) return ["invalid", "nothing had been recorded by then"];
  const sameContent = equal(then.digest, states.at(-1).digest);
  const [state, reason] = register.status(sameContent ? content.values : new Map(), then.entry, time, register);
  if (state === "invalid" || sameContent) return [state, reason];
  return ["unknown", "the content was another then: ask for the certificate of that time"];
}

function parseAbsence(value) {
  exactObject(value, ["format", "register", "kind", "subject", "state"], "");
  const register = registerOfKind(parseText(value.get("kind"), "/kind"));
  const subject = exactObject(value.get("subject"), register.subjectFields, "/subject");
  validateDisclosed(register, subject);
  const name = parseRegisterName(value.get("register"), "/register");
  return { name, register, subject, state: parseState(value.get("state"), ["head"], false) };
}

function parseState(value, slots, withAuthority) {
  exactObject(value, ["header", "register", "checkpoint", ...(withAuthority ? ["authority"] : [])], "/state");
  const checkpoint = parseText(value.get("checkpoint"), "/state/checkpoint", MAX_CHECKPOINT);
  const register = parseContract(value.get("register"), "/state/register");
  if (register.slots.size !== slots.length || !slots.every((slot) => register.slots.has(slot))) {
    throw new BadInput(`/state/register/slots: expected ${sorted(slots).join(" and ")}.`);
  }
  const header = fromHex(value.get("header"), null, "/state/header");
  const authority = withAuthority ? parseContract(value.get("authority"), "/state/authority") : null;
  return { header, register, authority, checkpoint };
}

function parseContract(value, pointer) {
  exactObject(value, ["account", "slots"], pointer);
  const slots = value.get("slots");
  if (!(slots instanceof Map) || slots.size > MAX_ENTRIES) throw new BadInput(`${pointer}/slots: expected an object.`);
  return {
    account: parseNodes(value.get("account"), `${pointer}/account`),
    slots: new Map([...slots].map(([key, nodes]) => [key, parseNodes(nodes, `${pointer}/slots/${start(key, 42)}`)])),
  };
}

const parseNodes = (value, pointer) =>
  exactList(value, MAX_NODES, pointer).map((node, i) => fromHex(node, null, `${pointer}/${i}`));

const parseAddresses = (value, pointer) =>
  exactList(value, MAX_APPROVERS, pointer).map((address, i) => parseAddress(address, `${pointer}/${i}`));

function parseText(value, pointer, limit = MAX_TEXT) {
  if (typeof value === "string" && length(value) <= limit) return value;
  throw new BadInput(`${pointer}: expected text of at most ${limit} characters.`);
}
