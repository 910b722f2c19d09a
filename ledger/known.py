"""What the office knows of a register: its database beside its node (ledger.registers.forms.Known)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ledger import authority
from ledger.cid import RAW, Cid
from ledger.content import cids_of
from ledger.encoding import ZERO32, RegisterName, from_hex, to_hex
from ledger.errors import Conflict, NotFound, Refused, Unavailable
from ledger.model import Application, Block, Followed, RecordedEntry
from ledger.nodes import followed_block
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.trust import TrustedRegister


def documents_of(application: Application, register: Register, store: RecordStore) -> Iterator[str]:
    """The CIDs of what an application brings: its documents and, of a batch by root, the list of its digests."""
    if register.schema.document:
        digests = [from_hex(record["digest"], 32) for record in application.payload["records"] if "digest" in record]
        for fields in store.contents(digests).values():
            yield from cids_of(fields)
    if manifest := application.payload.get("manifest"):
        yield str(Cid(RAW, from_hex(manifest, 32)))  # so short that it is one block


class FinalState:
    """A register as far as it was followed, which is to a final block."""

    def __init__(self, trusted: TrustedRegister, store: RecordStore, chain: Chain) -> None:
        self.name = str(trusted.name)
        self.address = trusted.name.address
        self.entry = register_of_kind(trusted.kind).entry
        self.store = store
        self.chain = chain

    def followed(self) -> int:
        """The last block that was read of the register. Raises Unavailable before the first."""
        return self._followed().number

    def block(self) -> Block:
        """The same, if the chain still has it. Raises Unavailable, ChainLost, ChainForked."""
        return followed_block(self.chain, self._followed())

    def _followed(self) -> Followed:
        followed = self.store.followed(self.name)
        if followed is None:
            raise Unavailable("The chain has not been read yet.", "Try again in a few seconds.")
        return followed

    def head(self, record_id: bytes) -> bytes:
        (head,) = self.heads([record_id])
        return head

    def heads(self, record_ids: Sequence[bytes]) -> list[bytes]:
        return self.chain.calls([(self.address, authority.head_call(record_id)) for record_id in record_ids])

    def history(self, record_id: bytes) -> list[RecordedEntry]:
        return self.store.history(self.name, record_id)

    def revealed(self, commitment: bytes) -> Any:
        found = self.store.revealed(self.name, commitment)
        if found is None:
            raise NotFound(f"What {to_hex(commitment)} commits to was never read from the chain.")
        return found

    def brought(self, record_id: bytes) -> Application:
        application = self.store.first_application_of(self.name, record_id)
        if application is None:
            raise NotFound(f"This office knows no content of record {to_hex(record_id)}.", "Check its id.")
        return application

    def check_erasable(self, register: str, erased: bytes) -> None:
        name = str(RegisterName.parse(register, "/records/0/fields/register"))
        found = self.store.contents_of(name, erased)
        if not found:
            raise NotFound(f"This office holds nothing of {to_hex(erased)} in that register.", "Check its id.")
        record_ids = {erased, *(content.record_id for content in found)}
        if standing := [hold for hold in self.store.holds(name, record_ids) if hold.until is None]:
            raise Refused(
                f"A legal hold stands on record {to_hex(standing[0].record_id)}.", "It is lifted first, by a registrar."
            )
        if not any(content.fields for content in found):
            raise Conflict(f"The content of {to_hex(erased)} was erased already.", "Look at its receipt.")


class PastState(FinalState):
    """The same, as it was after a block."""

    def __init__(self, trusted: TrustedRegister, store: RecordStore, chain: Chain, block_number: int) -> None:
        super().__init__(trusted, store, chain)
        self.block_number = block_number

    def history(self, record_id: bytes) -> list[RecordedEntry]:
        return [item for item in super().history(record_id) if item.block_number <= self.block_number]


class BulkState(PastState):
    """The same, with the histories of some records read at once."""

    def __init__(
        self, trusted: TrustedRegister, store: RecordStore, chain: Chain, block_number: int, record_ids: Sequence[bytes]
    ) -> None:
        super().__init__(trusted, store, chain, block_number)
        self.histories = store.histories(self.name, record_ids)

    def history(self, record_id: bytes) -> list[RecordedEntry]:
        if record_id not in self.histories:
            return super().history(record_id)
        return [item for item in self.histories[record_id] if item.block_number <= self.block_number]


class NewestState(FinalState):
    """The same, for a change that must build on the newest entry: it is refused while a newer one is not final. Each
    head is asked for once."""

    def __init__(self, trusted: TrustedRegister, store: RecordStore, chain: Chain) -> None:
        super().__init__(trusted, store, chain)
        self.asked: dict[bytes, bytes] = {}

    def heads(self, record_ids: Sequence[bytes]) -> list[bytes]:
        new = [record_id for record_id in record_ids if record_id not in self.asked]
        self.asked |= zip(new, super().heads(new), strict=True)
        return [self.asked[record_id] for record_id in record_ids]

    def history(self, record_id: bytes) -> list[RecordedEntry]:
        history = super().history(record_id)
        followed = self.entry.from_json(history[-1].entry).head if history else ZERO32
        if self.head(record_id) != followed:
            raise Conflict("A newer change of this record is not final yet.", "Try again when it is.")
        return history
