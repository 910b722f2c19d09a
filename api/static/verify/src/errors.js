/** What was passed in is malformed. `hint` says what to do about it. */
export class BadInput extends Error {
  constructor(message, hint = "") {
    super(message);
    this.hint = hint;
  }

  get text() {
    return `${this.message} ${this.hint}`.trim();
  }
}

/** A proof cannot be read, or does not prove what it is shown for. */
export class InvalidProof extends Error {}

/** A numbered check of the verifier (docs/protocol.md section 7) failed. */
export class VerificationFailed extends Error {
  constructor(check, message) {
    super(message);
    this.check = check;
  }
}
