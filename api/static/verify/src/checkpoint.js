/** Checkpoints: witnesses' statements that a block is the chain's. Mirrors ledger/checkpoint.py. */

import { ed25519 } from "@noble/curves/ed25519.js";
import { concat, digits, sha256, toNumber, utf8 } from "./encoding.js";
import { InvalidProof } from "./errors.js";
import { isPrintable, SPACE, thousands } from "./text.js";

const MAX_BYTES = 16 << 10;
const MAX_SIGNATURES = 64;
const MAX_TIME = 2n ** 63n - 1n;
const COSIGNATURE_V1 = 4;
const ORIGIN = /^[a-z0-9][a-z0-9.-]{0,99}\/eip155:[1-9][0-9]{0,17}$/;
const NUMBER = /^(0|[1-9][0-9]{0,17})$/;
const NAME = `([^${SPACE}+]{1,255})`;
const KEY = new RegExp(`^${NAME}\\+([0-9a-f]{8})\\+([A-Za-z0-9+/=]+)$`, "u");
const SIGNATURE = new RegExp(`^— ${NAME} ([A-Za-z0-9+/=]+)$`, "u");

/** {name, publicKey, id} of a verifier key of C2SP signed-note; `id` in hex. Throws InvalidProof. */
export function parseVerifierKey(text) {
  const match = KEY.exec(text);
  const key = match && fromBase64(match[3]);
  if (!key || key[0] !== COSIGNATURE_V1 || key.length !== 33 || !isPrintable(match[1])) {
    throw new InvalidProof("A witness's key is not an Ed25519 cosignature verifier key.");
  }
  const [, name, id] = match;
  if (digits(sha256(concat(utf8(`${name}\n`), key)).slice(0, 4)) !== id) {
    throw new InvalidProof(`The key id of the witness ${name} does not fit its key.`);
  }
  return { name, id, publicKey: key.slice(1) };
}

/** {origin, number, hash, lines}: a note's text and its signature lines, none verified. `number` stays text. Throws
    InvalidProof. */
export function parseCheckpoint(note) {
  const size = utf8(note).length;
  if (size > MAX_BYTES) {
    throw new InvalidProof(`The checkpoint is ${thousands(size)} bytes; at most ${thousands(MAX_BYTES)} are read.`);
  }
  if (/[\x00-\x09\x0b-\x1f\x7f]/.test(note)) {
    throw new InvalidProof("The checkpoint holds a control character or a carriage return.");
  }
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0 || !note.slice(blank + 2).endsWith("\n")) {
    throw new InvalidProof("The checkpoint is not text, an empty line and signature lines.");
  }
  const lines = note.slice(blank + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) {
    throw new InvalidProof(`The checkpoint has ${lines.length} signatures; at most ${MAX_SIGNATURES} are read.`);
  }
  return { lines: lines.map(parseLine), ...parseBody(note.slice(0, blank).split("\n")) };
}

/** Names of the witnesses (parsed keys) that signed a checkpoint. A key listed under two names counts once, under the
    first. A known key's signature that does not verify rejects the checkpoint. Throws InvalidProof. */
export function cosigners(checkpoint, origin, keys) {
  if (checkpoint.origin !== origin) {
    throw new InvalidProof(`The checkpoint is of ${checkpoint.origin}, not of ${origin}.`);
  }
  const byId = new Map(keys.map((key) => [`${key.name}+${key.id}`, key]));
  const signed = new Set();
  for (const { name, id, signature } of checkpoint.lines) {
    const key = byId.get(`${name}+${id}`);
    if (!key) continue;
    verifySignature(checkpoint, key, signature);
    signed.add(digits(key.publicKey));
  }
  return [...signed].map((publicKey) => keys.find((key) => digits(key.publicKey) === publicKey).name);
}

function verifySignature(checkpoint, key, signature) {
  const time = toNumber(signature.slice(0, 8));
  const message = utf8(`cosignature/v1\ntime ${time}\n${checkpoint.text}`);
  try {
    if (signature.length === 72 && time <= MAX_TIME && isSigned(signature.slice(8), message, key.publicKey)) return;
  } catch {
    // What is not a point or a scalar of the curve is no signature.
  }
  throw new InvalidProof(`The signature of the witness ${key.name} does not fit the checkpoint.`);
}

const isSigned = (signature, message, publicKey) => ed25519.verify(signature, message, publicKey, { zip215: false });

function parseBody(lines) {
  const [origin, number, encoded] = lines;
  if (lines.length !== 3 || !NUMBER.test(number)) {
    throw new InvalidProof("The checkpoint's text is not an origin, a block number and a block hash.");
  }
  const hash = fromBase64(encoded);
  if (!hash) throw new InvalidProof("The checkpoint's block hash is not base64.");
  if (!ORIGIN.test(origin)) {
    throw new InvalidProof("The checkpoint's origin is not <trust root name>/eip155:<chain id>.");
  }
  if (hash.length !== 32) {
    throw new InvalidProof("The checkpoint needs a block number and a block hash of 32 bytes.");
  }
  return { origin, number, hash, text: `${lines.join("\n")}\n` };
}

function parseLine(line) {
  const match = SIGNATURE.exec(line);
  const data = match && fromBase64(match[2]);
  if (!data || data.length < 5) throw new InvalidProof("A signature line of the checkpoint is malformed.");
  return { name: match[1], id: digits(data.slice(0, 4)), signature: data.slice(4) };
}

/** The bytes of padded base64, null where it has unused bits set or characters that do not belong. */
function fromBase64(text) {
  try {
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (c) => c.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
