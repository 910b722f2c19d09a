/** Finds the certificate that a PDF carries. Mirrors ledger/printing/attachment.py. */

import { inflate, inflateInit } from "pako/lib/zlib/inflate.js";
import ZStream from "pako/lib/zlib/zstream.js";
import { BadInput } from "./errors.js";
import { thousands } from "./text.js";

const MAX_PDF_BYTES = 25_000_000;
const MAX_ATTACHMENTS = 16;
const MAX_DICTIONARY = 4096;
const Z_SYNC_FLUSH = 2;
const DECODED = [0, 1]; // Z_OK, as for a stream that was cut off, and Z_STREAM_END

const S = "[ \\t-\\r]"; // what \s is among Python's bytes
const EMBEDDED = new RegExp(`/Type${S}{0,8}/EmbeddedFile(?![A-Za-z0-9])`, "g");
const STREAM = new RegExp(`>>${S}{0,8}stream\\r?\\n`);
const OBJECT = new RegExp(`[0-9]${S}{1,8}obj(?![A-Za-z0-9])`, "g");
const FILTER = new RegExp(`/Filter${S}{0,8}(?:/([A-Za-z0-9]+)|\\[${S}{0,8}/([A-Za-z0-9]+)${S}{0,8}\\])`);
const LENGTH = new RegExp(`/Length${S}{1,8}([0-9]{1,9})(?!${S}{1,8}[0-9]{1,9}${S}{1,8}R)(?![0-9])`);
const NOTHING = new Uint8Array();
const HINT = "Use the PDF as the office gave it, or its .json file.";

/** One character for each byte, so that positions stay; no two bytes become the same one. */
const characters = (bytes) => new TextDecoder("latin1").decode(bytes);

export const isPdf = (bytes) => characters(bytes.subarray(0, 5)) === "%PDF-";

/** The one attachment of a PDF that is of one of these formats, at most `limit` bytes of it: more is for the caller to
    refuse. Throws BadInput. */
export function attachedCertificate(bytes, formatNames, limit) {
  if (bytes.length > MAX_PDF_BYTES) {
    throw new BadInput(`The PDF has more than ${thousands(MAX_PDF_BYTES)} bytes.`, HINT);
  }
  const text = characters(bytes);
  const found = new Map();
  let number = 0;
  for (const { index } of text.matchAll(EMBEDDED)) {
    if (number++ === MAX_ATTACHMENTS) {
      throw new BadInput(`The PDF has more than ${MAX_ATTACHMENTS} attachments.`, HINT);
    }
    const content = contentAt(bytes, text, index, limit);
    const shown = characters(content);
    if (formatNames.some((name) => shown.includes(`"${name}"`))) found.set(shown, content);
  }
  if (!found.size) throw new BadInput("The PDF carries no certificate.", HINT);
  if (found.size > 1) {
    throw new BadInput("The PDF carries several certificates, and nothing says which is meant.", HINT);
  }
  return [...found.values()][0];
}

/** What the stream holds in whose dictionary `position` is; nothing if it is none, or packed in another way. */
function contentAt(bytes, text, position, limit) {
  const after = text.slice(position, position + MAX_DICTIONARY);
  const stream = STREAM.exec(after);
  if (!stream) return NOTHING;
  const before = text.slice(Math.max(0, position - MAX_DICTIONARY), position);
  const opening = [...before.matchAll(OBJECT)].at(-1);
  const dictionary = before.slice(opening ? opening.index + opening[0].length : 0) + after.slice(0, stream.index);
  const packed = FILTER.exec(dictionary);
  const body = bytes.subarray(position + stream.index + stream[0].length);
  if (!packed && !dictionary.includes("/Filter")) {
    return body.subarray(0, Math.min(Number(LENGTH.exec(dictionary)?.[1] ?? 0), limit));
  }
  if (!packed || (packed[1] || packed[2]) !== "FlateDecode" || dictionary.includes("/DecodeParms")) return NOTHING;
  return unpacked(body, limit);
}

/** What a zlib stream holds, at most `limit` bytes; nothing if it is damaged. It may be cut off, or have others behind. */
function unpacked(packed, limit) {
  const stream = new ZStream();
  inflateInit(stream);
  Object.assign(stream, { input: packed, avail_in: packed.length, output: new Uint8Array(limit), avail_out: limit });
  return DECODED.includes(inflate(stream, Z_SYNC_FLUSH)) ? stream.output.subarray(0, stream.next_out) : NOTHING;
}
