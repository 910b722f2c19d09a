/** Strict and canonical JSON. Mirrors parse_json and canonical_json of ledger/encoding.py.

JSON.parse keeps the last of two equal keys and rounds long numbers, so it must not read what is hashed. Here objects
become Maps, whole numbers stay exact (BigInt beyond 2^53), and all other numbers become `Fraction`s. */

import { BadInput } from "./errors.js";
import { thousands } from "./text.js";

const MAX_DEPTH = 32;
const TOO_DEEP = `it is nested more than ${MAX_DEPTH} levels deep.`;
const MAX_NESTING = 500;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPENING, CLOSING] = ["[{", "]}"].map((brackets) => Array.from(brackets, (bracket) => bracket.charCodeAt(0)));
const MAX_DIGITS = 4300; // of a whole number: Python reads no more
const SPACES = " \t\n\r";
const ESCAPED = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const PLAIN = /[^"\\\x00-\x1f]*/y;
const IN_WORDS = "Write numbers that matter as strings.";

/** A number that was not written as a whole one. */
class Fraction {
  constructor(value) {
    this.value = value;
  }
}

/** Strict JSON: UTF-8, no duplicate keys, no NaN or Infinity, no lone surrogates, at most 32 levels deep. `what` names
    the input in the error. Throws BadInput. */
export function parseJson(bytes, sizeLimit, what) {
  if (bytes.length > sizeLimit) {
    const sizes = `${thousands(bytes.length)} bytes; at most ${thousands(sizeLimit)} are read.`;
    throw new BadInput(`${what} is ${sizes}`);
  }
  try {
    checkNesting(bytes);
    return new Parser(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)).document();
  } catch (error) {
    if (error instanceof BadInput) throw new BadInput(`${what}: ${error.message}`, error.hint);
    const position = error instanceof SyntaxError ? ` at line ${error.message}` : "";
    throw new BadInput(`${what} is not valid JSON${position}.`, "Check that the file is whole and not edited.");
  }
}

/** Refuses what could not be walked with the stack that Python has, before anything else is seen of it. */
function checkNesting(bytes) {
  let [depth, quoted] = [0, false];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) i += byte === BACKSLASH;
    else depth += OPENING.includes(byte) - CLOSING.includes(byte);
    if (depth > MAX_NESTING) throw new BadInput(TOO_DEEP);
  }
}

class Parser {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.depth = 0;
    this.deepest = 0;
    this.exact = true; // whether every string is one that JSON can carry
  }

  document() {
    this.skip();
    const value = this.value();
    this.skip();
    if (this.at < this.text.length) this.fail();
    if (this.deepest > MAX_DEPTH) throw new BadInput(TOO_DEEP);
    if (!this.exact) throw new RangeError("a lone surrogate");
    return value;
  }

  fail(at = this.at) {
    throw new SyntaxError(String(this.text.slice(0, at).split("\n").length));
  }

  skip() {
    while (this.at < this.text.length && SPACES.includes(this.text[this.at])) this.at++;
  }

  /** Steps over the text if it comes next. */
  takes(text) {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  value() {
    if (this.takes('"')) return this.string();
    if (this.takes("{")) return this.nested(() => this.object());
    if (this.takes("[")) return this.nested(() => this.array());
    for (const [text, value] of [["null", null], ["true", true], ["false", false]]) if (this.takes(text)) return value;
    for (const name of ["NaN", "Infinity", "-Infinity"]) {
      if (!this.takes(name)) continue;
      throw new BadInput(`${name} is not a JSON number.`, IN_WORDS);
    }
    return this.number();
  }

  nested(read) {
    this.deepest = Math.max(this.deepest, ++this.depth);
    const value = read();
    this.depth--;
    return value;
  }

  number() {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (!match) this.fail();
    this.at = NUMBER.lastIndex;
    const [all, whole, fraction, exponent] = match;
    if (fraction || exponent) {
      if (!Number.isFinite(Number(all))) throw new BadInput("a number is too great for JSON.", IN_WORDS);
      return new Fraction(Number(all));
    }
    if (whole.replace("-", "").length > MAX_DIGITS) throw new RangeError("too many digits");
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : BigInt(whole);
  }

  string() {
    const begin = this.at - 1;
    const parts = [];
    for (;;) {
      PLAIN.lastIndex = this.at;
      parts.push(PLAIN.exec(this.text)[0]);
      this.at = PLAIN.lastIndex;
      if (this.at >= this.text.length) this.fail(begin);
      if (this.takes('"')) break;
      if (!this.takes("\\")) this.fail();
      parts.push(this.escape(begin));
    }
    const text = parts.join("");
    this.exact &&= !/\p{Surrogate}/u.test(text);
    return text;
  }

  escape(begin) {
    if (this.at >= this.text.length) this.fail(begin);
    const code = /^u([0-9a-fA-F]{4})/.exec(this.text.slice(this.at, this.at + 5));
    const character = code ? String.fromCharCode(Number.parseInt(code[1], 16)) : ESCAPED[this.text[this.at]];
    if (character === undefined) this.fail();
    this.at += code ? 5 : 1;
    return character;
  }

  array() {
    const items = [];
    this.skip();
    if (this.takes("]")) return items;
    for (;;) {
      items.push(this.value());
      this.skip();
      if (this.takes("]")) return items;
      if (!this.takes(",")) this.fail();
      this.skip();
    }
  }

  object() {
    const pairs = [];
    this.skip();
    while (pairs.length || !this.takes("}")) {
      if (!this.takes('"')) this.fail();
      const key = this.string();
      this.skip();
      if (!this.takes(":")) this.fail();
      this.skip();
      pairs.push([key, this.value()]);
      this.skip();
      if (this.takes("}")) break;
      if (!this.takes(",")) this.fail();
      this.skip();
    }
    const object = new Map(pairs);
    if (object.size < pairs.length) throw new BadInput("an object names a key twice.", "Each key may occur once.");
    return object;
  }
}

/** The RFC 8785 text of a parsed value. Throws BadInput for what has none: integers of 2^53 and more. */
export function canonicalJson(value) {
  if (typeof value === "bigint") throw new BadInput("The value has no canonical JSON form: IntegerDomainError.");
  if (value instanceof Fraction) return JSON.stringify(value.value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const keys = [...value.keys()].sort(); // by UTF-16 code units, as the standard says
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value.get(key))}`).join(",")}}`;
}
