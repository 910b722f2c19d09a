/** Text as the Python verifier counts, sorts and quotes it: by code points, so that both say the same. */

export const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

export const length = (text) => [...text].length;

export const start = (text, limit) => [...text].slice(0, limit).join("");

export const isPrintable = (text) => !UNPRINTABLE.test(text.replaceAll(" ", ""));

export const thousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/** -1, 0 or 1: the order of two strings by code points. */
export function compare(a, b) {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i].codePointAt(0) - right[i].codePointAt(0);
    if (difference) return Math.sign(difference);
  }
  return Math.sign(left.length - right.length);
}

export const sorted = (texts) => [...texts].sort(compare);

/** Whether strings are ascending and none occurs twice. */
export const isAscending = (texts) => texts.every((text, i) => i === 0 || compare(texts[i - 1], text) < 0);

/** The text in quotes, with what cannot be printed escaped. */
export function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const characters = [...text].map((c) => {
    if (c === quote) return `\\${c}`;
    if (ESCAPES[c]) return ESCAPES[c];
    return isPrintable(c) ? c : escape(c.codePointAt(0));
  });
  return quote + characters.join("") + quote;
}

function escape(code) {
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
