/** What a register's content may hold. Mirrors ledger/registers/schema.py; the fields come from definitions.js. */

import { BadInput } from "./errors.js";
import { length, quoted, SPACE, start } from "./text.js";

const BLANK = new RegExp(`^[${SPACE}]*$`, "u");
const DAY_SECONDS = 86400;
const WANTED_DATE = "expected a date YYYY-MM-DD";

/** Check the strings that a certificate discloses (a Map). Throws BadInput naming the field, never its value. */
export function validateDisclosed({ schema, fields }, values) {
  for (const [name, value] of values) {
    if (!Object.hasOwn(fields, name)) throw new BadInput(`${quoted(start(name, 60))} is not a field of ${schema}.`);
    if (typeof value !== "string") throw new BadInput(`The field ${name} must be a string.`);
    const problem = check(fields[name], value);
    if (problem) throw new BadInput(`The field ${name} is not right: ${problem}.`);
  }
}

/** The first second after a day (UTC), in seconds since 1970, for a date that was checked. */
export const endOfDay = (day) => Date.parse(`${day}T00:00:00Z`) / 1000 + DAY_SECONDS;

function check({ type, limit, regex, wanted }, value) {
  if (type === "text") return checkText(value, limit);
  if (type === "pattern") return new RegExp(`^(?:${regex})$`, "u").test(value) ? null : `expected ${wanted}`;
  return type === "unlimited or date" && value === "unlimited" ? null : checkDate(value);
}

function checkText(value, limit) {
  if (BLANK.test(value) || length(value) > limit) return `expected 1 to ${limit} characters`;
  if (value.normalize("NFC") === value && !/\p{C}/u.test(value)) return null;
  return "expected plain text in Unicode NFC without control characters";
}

function checkDate(value) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value) || value.startsWith("0000")) return WANTED_DATE;
  const day = new Date(`${value}T00:00:00Z`);
  // Some engines read 31 February as a day of March.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value) ? null : WANTED_DATE;
}
