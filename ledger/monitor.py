"""The monitor: follows the registers at a node of its own and tells what happens to what somebody watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from ledger.certificate import parse_subject
from ledger.cosigner import check_genesis
from ledger.encoding import ZERO32, from_hex, keccak256, parse_address, to_hex
from ledger.entries import Entry
from ledger.errors import (
    BadInput,
    ChainForked,
    ConfigurationError,
    InvalidProof,
    KhalayakError,
    NotFound,
    SplitView,
    Unavailable,
)
from ledger.follower import Follower
from ledger.model import Block, RecordedEntry
from ledger.nodes import check_heads
from ledger.ports import Chain, RecordStore
from ledger.registers import REGISTERS, register_of_kind
from ledger.trust import TrustedRegister, TrustRoot
from wallet.files import write_private

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Watches:
    """What somebody wants to hear of. `records`: (kind, or "" for any; record id) → the words it was asked for with;
    `people`: (holder or approver, address) → the same. `kind`: the only registers to follow, or ""."""

    records: dict[tuple[str, bytes], str]
    people: dict[tuple[str, str], str]
    kind: str

    @classmethod
    def parse(cls, texts: Sequence[str], kind: str = "") -> Watches:
        """Each is `<what>:<value>`, what being holder, approver, record, or the one field that names the records of a
        register, as nib. Raises BadInput."""
        followed = [register_of_kind(kind)] if kind else list(REGISTERS.values())
        named = {r.subject_fields[0]: r for r in followed if len(r.subject_fields) == 1}
        records: dict[tuple[str, bytes], str] = {}
        people: dict[tuple[str, str], str] = {}
        for text in texts:
            what, _, value = text.partition(":")
            if what in ("holder", "approver"):
                people[what, parse_address(value)] = text
            elif what == "record":
                records["", from_hex(value, 32)] = text
            elif what in named:
                subject = parse_subject(named[what], {what: value})
                records[named[what].kind, named[what].record_id(subject)] = text
            else:
                known = ", ".join(["holder", "approver", "record", *named])
                raise BadInput(
                    f"{what[:40]!r} cannot be watched.", f"Write one of these, a colon and a value: {known}."
                )
        return cls(records, people, kind)

    def of(self, kind: str, item: RecordedEntry, entry: Entry, before: Entry | None) -> list[str]:
        """The words of everything watched that an entry concerns; whoever held it before it is concerned too."""
        found = [self.records.get((k, item.record_id)) for k in (kind, "")]
        found += [self.people.get(("approver", approver)) for approver in item.approvers]
        found += [self.people.get(("holder", holder)) for holder in sorted(_holders(entry) | _holders(before))]
        return [words for words in found if words]


class Monitor:
    """`block_file` remembers the newest block read. `say` gets each alert and alarm, and returns when it is out.

    An alert is said before it is remembered: none is lost, and none is said twice but for those of the step in which
    the process was killed; `head` tells those apart, as no two entries have the same.
    """

    def __init__(
        self, trust: TrustRoot, store: RecordStore, chain: Chain, watches: Watches, block_file: Path, say: Say
    ) -> None:
        """Raises BadInput when no register of the kind is trusted."""
        self.trust = trust
        self.store = store
        self.chain = chain
        self.watches = watches
        self.block_file = block_file
        self.say = say
        if watches.kind:
            trust.register_of_kind(watches.kind)
        self.registers = [r for r in trust.registers if watches.kind in ("", r.kind)]

    def run_once(self) -> None:
        """Read up to the newest final block. Raises Unavailable; and, after saying an alarm, InvalidProof (the node
        left out or made up an entry), SplitView (a block that was final is another one now), ChainMismatch."""
        try:
            check_genesis(self.chain, self.trust)
            final = self._final()
            for trusted in self.registers:
                concerned = self._watched(trusted)
                Follower(trusted, self.store, self.chain, partial(self._tell, trusted, concerned)).run_once()
                self._check_heads(trusted, sorted(concerned))
        except (ChainForked, InvalidProof, SplitView, ConfigurationError) as error:
            self.say({"alarm": error.code, "reason": error.message})
            raise
        block = {"number": final.number, "hash": to_hex(final.hash)}
        write_private(self.block_file, json.dumps(block).encode(), overwrite=True)

    def _final(self) -> Block:
        try:
            final = self.chain.block("finalized")
        except NotFound:
            raise Unavailable("The node calls no block final yet.", "Wait until it is in step.") from None
        if not self.block_file.exists():
            return final
        try:
            last = json.loads(self.block_file.read_bytes())
            number, block_hash = int(last["number"]), from_hex(last["hash"], 32)
        except (OSError, ValueError, KeyError, TypeError, KhalayakError):
            raise ConfigurationError(f"{self.block_file} cannot be read.", "Restore it, or use a new folder.") from None
        if final.number < number:
            raise Unavailable(f"The node is behind: block {number} was read, its last final one is {final.number}.")
        now = self.chain.block(number).hash
        if now != block_hash:
            raise SplitView(
                f"Split view: block {number} was final as {to_hex(block_hash)}; now it is {to_hex(now)}.",
                "The chain or the node has forked. Ask the witnesses which block they signed.",
            )
        return final

    def _watched(self, trusted: TrustedRegister) -> set[bytes]:
        return {record_id for kind, record_id in self.watches.records if kind in ("", trusted.kind)}

    def _tell(self, trusted: TrustedRegister, concerned: set[bytes], recorded: Sequence[RecordedEntry]) -> None:
        register, newest = register_of_kind(trusted.kind), dict[bytes, Entry | None]()
        for item in recorded:
            entry = register.entry.decode(item.words)
            if item.record_id not in newest:
                newest[item.record_id] = self._newest(trusted, item.record_id)
            watched = self.watches.of(trusted.kind, item, entry, newest[item.record_id])
            newest[item.record_id] = entry
            if watched:
                concerned.add(item.record_id)
                self.say(
                    {
                        "alert": "recorded",
                        "watched": watched,
                        "register": str(trusted.name),
                        "kind": trusted.kind,
                        "recordId": to_hex(item.record_id),
                        "sequence": entry.sequence,
                        "action": register.actions[entry.action],
                        "status": register.statuses[entry.status],
                        "block": item.block_number,
                        "time": entry.time,
                        "transaction": to_hex(item.transaction_hash),
                        "head": to_hex(entry.head),
                    }
                )

    def _newest(self, trusted: TrustedRegister, record_id: bytes) -> Entry | None:
        newest = self.store.newest(str(trusted.name), [record_id])
        return register_of_kind(trusted.kind).entry.decode(newest[record_id]) if newest else None

    def _check_heads(self, trusted: TrustedRegister, records: Sequence[bytes]) -> None:
        """That each record's newest entry is the one in the register's storage: the newest log of a record has no other
        after it that would miss it."""
        followed = self.store.followed(str(trusted.name))
        if followed and records:
            newest = self.store.newest(str(trusted.name), records)
            heads = {i: keccak256(newest[i]) if i in newest else ZERO32 for i in records}
            check_heads(self.chain, trusted.name.address, self.chain.block(followed.number), heads)


def _holders(entry: Entry | None) -> set[str]:
    return {getattr(entry, f.name) for f in fields(entry) if f.metadata["abi"] == "address"} if entry else set()
