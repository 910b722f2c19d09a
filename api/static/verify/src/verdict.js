/** What a verifier answers: three axes, the numbered checks behind them, and as of which block. Mirrors
    ledger/verdict.py and the axes of ledger/verifier.py. */

const CHECKS = [
  "file",
  "register is in the trust root",
  "block is believed",
  "contract account",
  "head in storage",
  "newest entry",
  "complete history",
  "disclosed fields",
  "what the entries commit to",
  "approvers",
  "document",
  "status",
];
const AXES = ["integrity", "status", "issuer"];
const AXIS_OF_CHECK = { 2: "issuer", 10: "issuer", 12: "status" };

/** A check's result: `number` as in docs/protocol.md section 7, outcome passed, failed, unknown or skipped. */
export const check = (number, outcome, detail) => ({ number, name: CHECKS[number - 1], outcome, detail });

/** The JSON form of a verdict. `header` is null when none could be read. */
export function verdict(subject, checks, header) {
  const axes = Object.fromEntries(AXES.map((name) => [name, axis(name, checks)]));
  const valid = Object.values(axes).every(({ state }) => state === "valid");
  return { subject, valid, axes, checks, asOf: { block: header?.number ?? null, time: header?.time ?? null } };
}

/** The worst of the axis' checks; unknown when a failure anywhere kept one of them from being reached. */
function axis(name, checks) {
  const own = checks.filter(({ number }) => (AXIS_OF_CHECK[number] ?? "integrity") === name);
  for (const [outcome, state] of [["failed", "invalid"], ["unknown", "unknown"]]) {
    const worst = own.find((done) => done.outcome === outcome);
    if (worst) return { state, reason: worst.detail };
  }
  const failure = checks.find(({ outcome, number }) => outcome === "failed" && number !== 12);
  if (failure || own.length === 0) {
    return { state: "unknown", reason: `not decided: check ${failure?.number ?? 0} failed` };
  }
  // Whoever makes up a block makes up the state in it, so nothing that was read from it may look good.
  const unbelieved = checks.find(({ outcome, number }) => outcome === "unknown" && number === 3);
  if (unbelieved) return { state: "unknown", reason: `not decided: ${unbelieved.detail}` };
  return { state: "valid", reason: name === "integrity" ? "every proof holds" : own.at(-1).detail };
}
