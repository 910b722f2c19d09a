"""A land title's entry and its liens: the structs and numbers of contracts/LandEntries.sol and LandLiens.sol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError

from ledger.encoding import ZERO32, exact_object, from_hex, keccak256, parse_address, to_hex
from ledger.entries import Entry, abi
from ledger.errors import BadInput, InvalidProof
from ledger.model import Log

ISSUE, AMEND, TRANSFER, ENCUMBER, RELEASE, FREEZE, UNFREEZE = 1, 2, 3, 4, 5, 6, 7
ASSIGN, SPLIT, MERGE, RETIRE, COMPLETE, WITHDRAW, OBJECT = 8, 9, 10, 11, 12, 13, 14
ACTIVE, FROZEN, RETIRED, PENDING = 1, 2, 3, 4
ASSIGNMENT_WINDOW = 30 * 86400
MAX_COOLING_OFF = 90 * 86400

ENTRY = "(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,address,uint64,uint16,bytes32,bytes32)"
LIENS = "(uint16,address,bytes32)[]"
LIENS_RECORDED = keccak256(f"LiensRecorded(bytes32,{LIENS})".encode())


@dataclass(frozen=True)
class LandEntry(Entry):
    """`holder` is the one to come while it is PENDING. `area` in dm². `parents` commits to the heads that a parcel
    was split or merged from; zero if none."""

    holder: str = abi("address")
    area: int = abi("uint64")
    liens: int = abi("uint16")
    lienRoot: bytes = abi("bytes32")  # noqa: N815 - the name of the Solidity struct's member
    parents: bytes = abi("bytes32")

    def words(self) -> tuple[Any, ...]:
        """The members in the order of the Solidity struct."""
        return tuple(vars(self).values())


@dataclass(frozen=True)
class Lien:
    """A creditor's lien: `rank` 1 comes first, `claim` commits to what is owed (32 bytes)."""

    rank: int
    creditor: str
    claim: bytes

    def words(self) -> tuple[int, str, bytes]:
        return self.rank, self.creditor, self.claim

    def as_json(self) -> dict[str, Any]:
        return {"rank": self.rank, "creditor": self.creditor, "claim": to_hex(self.claim)}

    @classmethod
    def from_json(cls, value: object, pointer: str = "") -> Lien:
        """Raises BadInput."""
        value = exact_object(value, {"rank", "creditor", "claim"}, pointer)
        rank = value["rank"]
        if type(rank) is not int or not 0 < rank < 1 << 16:
            raise BadInput(f"{pointer}/rank: expected a whole number from 1 to 65535.", "", f"{pointer}/rank")
        creditor = parse_address(value["creditor"], f"{pointer}/creditor")
        return cls(rank, creditor, from_hex(value["claim"], 32, f"{pointer}/claim"))


def lien_root(liens: Sequence[Lien]) -> bytes:
    """What an entry's `lienRoot` is for these liens: keccak256 of their ABI encoding, zero if there are none."""
    return keccak256(abi_encode([LIENS], [[lien.words() for lien in liens]])) if liens else ZERO32


def lien_lists(logs: Iterable[Log]) -> Mapping[bytes, tuple[Lien, ...]]:
    """The liens behind each `lienRoot` that the logs of one contract tell. Raises InvalidProof."""
    lists: dict[bytes, tuple[Lien, ...]] = {}
    for log in logs:
        if not log.topics or log.topics[0] != LIENS_RECORDED:
            continue
        try:
            (rows,) = abi_decode([LIENS], log.data)
        except DecodingError:
            rows = []
        liens = tuple(Lien(rank, parse_address(creditor), claim) for rank, creditor, claim in rows)
        if not liens or log.topics[1:] != (lien_root(liens),):
            raise InvalidProof(f"log {log.log_index} of block {log.block_number} does not hold the liens it names.")
        lists[log.topics[1]] = liens
    return lists


def parents_of(heads: Iterable[bytes]) -> bytes:
    """What `parents` is for a parcel made from titles with these heads."""
    return keccak256(b"".join(sorted(heads)))
