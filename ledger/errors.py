"""The one error tree. Adapters and services raise only these; the API maps them to HTTP, the CLI to exit codes."""

from __future__ import annotations

from wallet.errors import KhalayakError

__all__ = [
    "AlreadyRecorded",
    "BadInput",
    "ChainForked",
    "ChainLost",
    "ChainMismatch",
    "ChainUnreachable",
    "ConfigurationError",
    "Conflict",
    "ContractReverted",
    "DocumentCorrupt",
    "DocumentMissing",
    "DocumentStoreUnavailable",
    "EntryMissing",
    "Erased",
    "IdempotencyMismatch",
    "InvalidProof",
    "KhalayakError",
    "LeaseTaken",
    "MalformedProof",
    "NeverRecorded",
    "NotCertified",
    "NotFound",
    "RangeRefused",
    "Refused",
    "SplitView",
    "StateDropped",
    "StillRunning",
    "StoreUnavailable",
    "TooLarge",
    "Unavailable",
    "VerificationFailed",
]


class BadInput(KhalayakError):
    """What was passed in is malformed. `pointer` is an RFC 6901 JSON pointer to the value that is wrong, or empty."""

    code = "bad-input"

    def __init__(self, message: str, hint: str = "", pointer: str = "") -> None:
        super().__init__(message, hint)
        self.pointer = pointer


class TooLarge(BadInput):
    code = "too-large"


class NotFound(KhalayakError):
    code = "not-found"


class NeverRecorded(NotFound):
    """As of the last block followed, the register holds nothing about this."""

    code = "never-recorded"


class Erased(NotFound):
    """What a record said was erased. `receipt` is the leaf of the erasures register that ordered it (0x-hex), `ground`
    the code in it, `time` that of its block in seconds since 1970."""

    code = "erased"

    def __init__(self, message: str, hint: str, receipt: str, ground: str, time: int) -> None:
        super().__init__(message, hint)
        self.receipt, self.ground, self.time = receipt, ground, time


class NotCertified(NotFound):
    """The record exists; the certificate of its newest entry does not, yet."""

    code = "not-certified"


class Conflict(KhalayakError):
    """The request is well formed, but the state it meets does not allow it."""

    code = "conflict"


class AlreadyRecorded(Conflict):
    """The register already holds a record with this id."""

    code = "already-recorded"


class SplitView(Conflict):
    """Two blocks were shown for one number, and one of them was signed."""

    code = "split-view"


class ChainForked(Conflict):
    """A block that was final, and was followed, is another one now."""

    code = "chain-forked"


class IdempotencyMismatch(Conflict):
    """The key of an earlier request came with another body."""

    code = "idempotency-mismatch"


class StillRunning(Conflict):
    """The same request is being worked on. Its answer is there soon."""

    code = "still-running"


class Refused(KhalayakError):
    """A rule says no: not a registrar, too few approvals, expired, stale head."""

    code = "refused"


class Unavailable(KhalayakError):
    """A part cannot be reached now. It says nothing about any record; the same call may succeed later."""

    code = "unavailable"


class LeaseTaken(Unavailable):
    """Another process has what one at a time may have. Nothing is wrong."""

    code = "lease-taken"


class StateDropped(Unavailable):
    """The node answers, and has not kept the state of that block."""

    code = "state-dropped"


class ChainUnreachable(Unavailable):
    code = "chain-unreachable"


class RangeRefused(ChainUnreachable):
    """The node answers, and not for so many blocks at once."""

    code = "range-refused"


class StoreUnavailable(Unavailable):
    """The database is locked, full or gone."""

    code = "store-unavailable"


class DocumentStoreUnavailable(Unavailable):
    code = "document-store-unavailable"


class DocumentMissing(NotFound):
    code = "document-missing"


class DocumentCorrupt(KhalayakError):
    """Bytes do not match the CID or the digest they were asked for by, or cannot be decrypted with their key."""

    code = "document-corrupt"


class ContractReverted(Refused):
    """A call would revert or has reverted. `name` is the custom error, decoded from the contract's ABI; `index` which
    call it was, of a bundle's."""

    code = "contract-reverted"

    def __init__(self, message: str, hint: str = "", name: str = "", index: int | None = None) -> None:
        super().__init__(message, hint)
        self.name = name
        self.index = index


class ConfigurationError(KhalayakError):
    """A setting is missing, contradictory or unsafe. Raised before anything is done."""

    code = "configuration"


class ChainLost(ConfigurationError):
    """The node answers and has not the block that was read last: its data is lost, or it is far behind."""

    code = "chain-lost"


class ChainMismatch(ConfigurationError):
    """The node serves another chain, or other code, than the one in the trust root."""

    code = "chain-mismatch"


class InvalidProof(KhalayakError):
    """A proof is well formed and does not prove what it is shown for."""

    code = "invalid-proof"


class EntryMissing(InvalidProof):
    """The node told of an entry and not of the one before it."""

    code = "entry-missing"


class MalformedProof(InvalidProof):
    """A proof cannot be read at all."""

    code = "malformed-proof"


class VerificationFailed(KhalayakError):
    """A numbered check of the verifier (docs/protocol.md section 7) failed. `axis` is the axis it belongs to."""

    code = "verification-failed"

    def __init__(self, check: int, axis: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.check = check
        self.axis = axis
