"""Checkpoints of blocks with the signatures of the witnesses, which an office asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from ledger.checkpoint import Checkpoint, cosigners, note
from ledger.errors import KhalayakError, SplitView, Unavailable
from ledger.model import Block
from ledger.trust import TrustRoot

# Asks one witness for its signature line under a checkpoint.
Cosign = Callable[[Checkpoint], str]

log = structlog.get_logger()


def cosigned(block: Block, trust: TrustRoot, witnesses: Sequence[Cosign]) -> str:
    """The checkpoint of a block with one good signature of each witness, all asked at once; one that is away, refuses
    or errs spoils no other's. Raises Unavailable when none has signed."""
    checkpoint, lines = Checkpoint(trust.origin, block.number, block.hash), dict[str, str]()
    with ThreadPoolExecutor(max(1, len(witnesses))) as pool:
        for signer, line in filter(None, pool.map(lambda cosign: _ask(cosign, checkpoint, trust), witnesses)):
            lines.setdefault(signer, line)
    if not lines:
        raise Unavailable(f"No witness has signed block {checkpoint.number}.", "It is asked for again.")
    return note(checkpoint, lines.values())


def _ask(cosign: Cosign, checkpoint: Checkpoint, trust: TrustRoot) -> tuple[str, str] | None:
    """A witness's name and its signature line, or None when it gave none that counts."""
    try:
        line = cosign(checkpoint)
        for signer in cosigners(note(checkpoint, [line]), trust.origin, trust.witnesses):
            return signer, line
        reason = "It signs with a key that the trust root does not list."
    except SplitView as error:
        log.error("split view", block=checkpoint.number, reason=error.message)
        return None
    except KhalayakError as error:
        reason = error.message
    log.warning("witness did not sign", block=checkpoint.number, reason=reason)
    return None
