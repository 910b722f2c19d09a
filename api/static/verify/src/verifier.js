/** The verifier in the browser: the same checks in the same order, with the same words, as ledger/verifier.py. Pure: no
    network, no clock, and what is given to it stays in memory. */

import { isPdf } from "./attachment.js";
import { fileIn, parse, statusAt } from "./certificate.js";
import { cosigners, parseCheckpoint } from "./checkpoint.js";
import { verifyDisclosure } from "./content.js";
import { addressBytes, concat, equal, fromHex, sha256, toHex, toNumber, ZERO32 } from "./encoding.js";
import { approvalsHash, headOf, verifyHistory } from "./entries.js";
import { BadInput, InvalidProof, VerificationFailed } from "./errors.js";
import { validateDisclosed } from "./schema.js";
import { mappingSlot, parseHeader, proveAccount, proveSlot } from "./state_proof.js";
import { sorted, thousands } from "./text.js";
import { parseTrust } from "./trust.js";
import { check, verdict } from "./verdict.js";

export { BadInput, fileIn, parseTrust };

const HEAD_SLOT = 0;
const SUSPECT_SINCE_SLOT = 4;
const OUTCOMES = { valid: "passed", invalid: "failed", unknown: "unknown" };

/** Verify a certificate or a proof of absence; the answer has the form of `khalayak verify --json`.
 *
 * @param {Uint8Array} bytes the file
 * @param {object} given `trust`: what parseTrust made of a trust.json. `blockHashes`: block number → hash in hex that
 *   the caller believes; else a block is believed when enough witnesses signed it. `document`: the plaintext bytes of
 *   the document that the certificate is about. `asOf`: an earlier time than that of the block (seconds since
 *   1970), to ask for the status then.
 * Never throws for what is in the file: the verdict says what is wrong. */
export async function verify(bytes, { trust = null, blockHashes = {}, document = null, asOf = null } = {}) {
  const believed = new Map(Object.entries(blockHashes).map(([number, hash]) => [Number(number), fromHex(hash, 32)]));
  return new Verification(trust, believed, document, asOf).run(bytes);
}

/** One run: the checks in order, and what they have found so far. */
class Verification {
  constructor(trust, blockHashes, document, asOf) {
    this.trust = trust;
    this.blockHashes = blockHashes;
    this.document = document;
    this.asOf = asOf;
    this.checks = [];
    this.header = null;
  }

  run(bytes) {
    let subject = "record";
    try {
      const parsed = this.parse(bytes);
      if (parsed.subject) {
        subject = "absence";
        this.checkAbsence(parsed);
      } else {
        this.checkCertificate(parsed);
      }
    } catch (failure) {
      if (!(failure instanceof VerificationFailed)) throw failure;
      this.note(failure.check, "failed", failure.message);
    }
    return verdict(subject, this.checks, this.header);
  }

  checkCertificate(certificate) {
    const { state, evidence, recordId, entries } = certificate;
    const trusted = this.checkRegister(certificate);
    const header = this.checkBlock(state);
    const account = this.checkAccount(header, certificate, trusted);
    const heads = this.checkHeads(account, evidence.heads(recordId, entries), state.register);
    this.checkNewestEntry(certificate, heads.head);
    this.checkHistory(certificate);
    this.checkFields(certificate);
    this.note(9, "passed", this.prove(9, () => evidence.verify(entries, heads)));
    this.checkApprovers(certificate, header, trusted);
    this.checkDocument(certificate.content.values);
    this.checkStatus(certificate, header);
  }

  checkAbsence(absence) {
    const trusted = this.checkRegister(absence);
    const header = this.checkBlock(absence.state);
    const account = this.checkAccount(header, absence, trusted);
    const recordId = absence.register.recordId(absence.subject);
    const { head } = this.checkHeads(account, { head: recordId }, absence.state.register);
    if (!equal(head, ZERO32)) this.fail(5, "the register does hold a record about this subject");
    // What was never recorded up to the block was not recorded at any time before.
    if (!this.noteTooLate(this.asOf ?? 0, header)) this.note(12, "passed", "never issued");
  }

  parse(bytes) {
    try {
      const parsed = parse(bytes);
      const pages = isPdf(bytes) ? ", a PDF: what it carries is checked, what its pages say is not" : "";
      this.note(1, "passed", `${thousands(bytes.length)} bytes${pages}`);
      return parsed;
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      this.fail(1, error.text);
    }
  }

  checkRegister({ name: { name }, register: { kind } }) {
    if (!this.trust) {
      this.note(2, "unknown", "no trust root was given, so nothing says whose register this is");
      return null;
    }
    const trusted = this.trust.registers.find((register) => register.name === name);
    if (!trusted) this.fail(2, `the trust root ${this.trust.name} does not list ${name}`);
    if (trusted.kind !== kind) this.fail(2, `the trust root lists this register as ${trusted.kind}, not ${kind}`);
    this.note(2, "passed", trusted.authorityName);
    return trusted;
  }

  checkBlock(state) {
    const header = (this.header = this.prove(3, () => parseHeader(state.header)));
    const believed = this.blockHashes.get(header.number);
    if (believed) {
      if (!equal(believed, header.hash)) {
        this.fail(3, `block ${header.number} has another hash on the chain you believe`);
      }
      this.note(3, "passed", `block ${header.number}: the hash you supplied`);
    } else if (!this.trust?.witnesses.length) {
      this.note(3, "unknown", `block ${header.number}: no hash was supplied and no witness is trusted`);
    } else {
      this.note(3, ...this.believes(header, state.checkpoint));
    }
    return header;
  }

  /** Whether enough witnesses signed the header's block, as outcome and detail. */
  believes(header, note) {
    const { origin, witnesses, threshold } = this.trust;
    const block = `block ${header.number}`;
    try {
      const checkpoint = parseCheckpoint(note);
      const names = cosigners(checkpoint, origin, witnesses);
      if (checkpoint.number !== String(header.number) || !equal(checkpoint.hash, header.hash)) {
        return ["unknown", `${block}: the checkpoint is of another block`];
      }
      const listed = names.length ? ` (${sorted(names).join(", ")})` : "";
      const detail = `${block}: ${names.length} witnesses signed it, ${threshold} must${listed}`;
      return [names.length >= threshold ? "passed" : "unknown", detail];
    } catch (error) {
      if (error instanceof InvalidProof) return ["unknown", `${block}: ${error.message}`];
      throw error;
    }
  }

  checkAccount(header, { name, state }, trusted) {
    const account = this.prove(4, () => proveAccount(header.stateRoot, name.address, state.register.account));
    if (!account) this.fail(4, "there is no contract at the register's address");
    if (trusted && !equal(account.codeHash, trusted.codeHash)) {
      this.fail(4, "the contract at the register's address has other code than the trust root says");
    }
    this.note(4, "passed", trusted ? "account and code" : "account");
    return account;
  }

  checkHeads(account, records, proof) {
    const heads = {};
    for (const [name, recordId] of Object.entries(records)) {
      const slot = mappingSlot(recordId, HEAD_SLOT);
      heads[name] = this.prove(5, () => proveSlot(account.storageRoot, slot, proof.slots.get(name)));
    }
    const { head } = heads;
    this.note(5, "passed", equal(head, ZERO32) ? "no head: nothing was ever recorded" : toHex(head));
    return heads;
  }

  checkNewestEntry({ register, entries }, head) {
    const newest = entries.at(-1);
    if (!equal(headOf(register.entry, newest), head)) {
      this.fail(6, "the newest entry shown is not the one in the register: it was changed, or a newer exists");
    }
    this.note(6, "passed", `entry ${newest.sequence} is the one that the head commits to`);
  }

  checkHistory({ register, evidence, entries }) {
    const history = evidence.history(entries);
    this.prove(7, () => verifyHistory(register.entry, history));
    this.note(7, "passed", history.length ? `${history.length} entries, none missing` : "no entries of its own");
  }

  checkFields({ register, evidence, entries, content, recordId }) {
    const { values } = content;
    const newest = evidence.states(entries).at(-1);
    this.prove(8, () => verifyDisclosure(content, newest.digest));
    const hidden = register.mandatory.filter((name) => !values.has(name));
    if (hidden.length) this.fail(8, `the mandatory field ${hidden[0]} is withheld`);
    if (values.get("schema") !== register.schema) {
      this.fail(8, `the content is not of the schema ${register.schema}`);
    }
    const strings = new Map([...values].filter(([name]) => name !== "schema" && name !== "document"));
    try {
      validateDisclosed(register, strings);
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      this.fail(8, error.message);
    }
    const problem = register.disagreement(values, recordId, newest.entry);
    if (problem) this.fail(8, problem);
    // The paths do not bind the number of leaves, so how many others there are is not said.
    const others = content.size > values.size ? "others withheld" : "none withheld";
    this.note(8, "passed", `${values.size} fields shown, ${others}`);
  }

  checkApprovers({ register, entries, approved, state }, header, trusted) {
    approved.forEach(([entry, approvers], i) => {
      if (equal(approvalsHash(approvers), entry.approvals)) return;
      this.fail(10, `the approvers of entry ${i + 1} are not the ones it commits to`);
    });
    if (!trusted) {
      this.note(10, "unknown", "no trust root was given, so the authority is not known");
      return;
    }
    approved.forEach(([entry, approvers], i) => {
      // The contract has its own rule, which its authority can change; the trust root has the reader's.
      if (register.withoutRegistrars.includes(Number(entry.action)) || new Set(approvers).size >= trusted.threshold) return;
      this.fail(10, `entry ${i + 1} has ${approvers.length} approvers, ${trusted.threshold} must approve`);
    });
    const suspectSince = this.suspectSince(approved, state.authority, header, trusted);
    for (const [i, [entry, approvers]] of approved.entries()) {
      for (const approver of approvers) {
        const since = suspectSince.get(approver);
        if (!since || entry.time < since) continue;
        this.note(10, "unknown", `approver ${approver} of entry ${i + 1} is suspect since time ${since}`);
        return;
      }
    }
    this.note(10, "passed", `${approved[entries.length - 1][1].length} registrars approved, none suspect`);
  }

  /** Since when each approver is suspect (address → BigInt seconds, 0 for never). */
  suspectSince(approved, proof, header, trusted) {
    const account = this.prove(10, () => proveAccount(header.stateRoot, trusted.authority, proof.account));
    if (!account || !equal(account.codeHash, trusted.authorityCodeHash)) {
      this.fail(10, "the authority has other code than the trust root says");
    }
    const registrars = sorted(new Set(approved.flatMap(([, approvers]) => approvers)));
    const missing = registrars.find((registrar) => !proof.slots.has(registrar));
    if (missing) this.fail(10, `nothing shows whether approver ${missing} is suspect`);
    return new Map(registrars.map((registrar) => {
      const slot = mappingSlot(concat(new Uint8Array(12), addressBytes(registrar)), SUSPECT_SINCE_SLOT);
      const word = this.prove(10, () => proveSlot(account.storageRoot, slot, proof.slots.get(registrar)));
      return [registrar, toNumber(word)];
    }));
  }

  checkDocument(values) {
    const described = values.get("document");
    if (!this.document) {
      this.note(11, "skipped", "no document was given to compare");
    } else if (!(described instanceof Map)) {
      this.note(11, "unknown", "the certificate withholds which document it is about");
    } else if (described.get("sha256") !== toHex(sha256(this.document))) {
      this.fail(11, "the document is not the one that was recorded");
    } else {
      this.note(11, "passed", "the document is the one that was recorded");
    }
  }

  checkStatus(certificate, header) {
    const time = this.asOf ?? header.time;
    if (this.noteTooLate(time, header)) return;
    const [state, reason] = statusAt(certificate, time);
    this.note(12, OUTCOMES[state], reason);
  }

  noteTooLate(time, header) {
    if (time <= header.time) return false;
    this.note(12, "unknown", `the file tells nothing after block ${header.number}: ask for a newer one`);
    return true;
  }

  prove(number, proof) {
    try {
      return proof();
    } catch (error) {
      if (error instanceof InvalidProof) this.fail(number, error.message);
      throw error;
    }
  }

  fail(number, message) {
    throw new VerificationFailed(number, message);
  }

  note(number, outcome, detail) {
    this.checks.push(check(number, outcome, detail));
  }
}
