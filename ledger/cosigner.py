"""A witness at its own node: signs the blocks that this node calls final, while it keeps the chain that was signed."""

from __future__ import annotations

from ledger.checkpoint import Checkpoint, note
from ledger.encoding import to_hex
from ledger.errors import ChainMismatch, NotFound, Unavailable
from ledger.ports import Chain, Clock
from ledger.trust import TrustRoot
from ledger.witness import Witness

WINDOW = 1024  # blocks


class Cosigner:
    """Several threads may share one."""

    def __init__(self, trust: TrustRoot, chain: Chain, witness: Witness, clock: Clock) -> None:
        self.trust = trust
        self.chain = chain
        self.witness = witness
        self.clock = clock

    def note(self, number: int) -> str:
        """The signed note of one of the newest final blocks, durable in the witness's log before it is returned. Raises
        SplitView, ChainMismatch, NotFound (not final here, or too old), InvalidProof (the header has another hash),
        Unavailable."""
        final = self._final()
        if number > final:
            raise NotFound(f"Block {number} is not final at this witness's node; {final} is.", "Ask again later.")
        if number <= final - WINDOW:
            # Or whoever asks for every block there ever was would fill the disk with the log.
            raise NotFound(
                f"Only the newest {WINDOW:,} final blocks are signed, up to {final}.", "Ask while it is new."
            )
        checkpoint = self._checkpoint(number)
        # After the block was read: a node that changes chain between the two is noticed.
        self._check_newest(final)
        return note(checkpoint, [self.witness.cosign(checkpoint, self.clock.now())])

    def check(self) -> None:
        """That the node still has the chain that was signed. Raises as `note` does."""
        self._check_newest(self._final())

    def _check_newest(self, final: int) -> None:
        """The newest block that was signed has all others behind it, so it stands for them: a fork that begins before
        it is noticed also at numbers that were never signed."""
        newest = self.witness.newest(self.trust.origin)
        if newest is None:
            return
        if newest > final:
            raise Unavailable(
                f"The node is behind: block {newest} was signed, and {final} is final.", "It signs later."
            )
        self.witness.cosign(self._checkpoint(newest), self.clock.now())

    def _checkpoint(self, number: int) -> Checkpoint:
        return Checkpoint(self.trust.origin, number, self.chain.block(number).hash)

    def _final(self) -> int:
        check_genesis(self.chain, self.trust)
        try:
            return self.chain.block("finalized").number
        except NotFound:
            raise Unavailable("The node calls no block final yet.", "Wait until it is in step.") from None


def check_genesis(chain: Chain, trust: TrustRoot) -> None:
    """That the node serves the chain of the trust root. Raises ChainMismatch, ChainUnreachable."""
    chain_id, genesis = chain.chain_id(), chain.genesis_hash()
    if chain_id != trust.chain_id:
        raise ChainMismatch(
            f"The node serves chain {chain_id}, the trust root is for {trust.chain_id}.", "Check the RPC URL."
        )
    if genesis != trust.genesis:
        raise ChainMismatch(
            f"The node's chain begins with block {to_hex(genesis)}, the trust root's with {to_hex(trust.genesis)}.",
            "It is another chain of the same number, or a devnet that was started anew.",
        )
