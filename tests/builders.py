"""Real certificates without a chain: true Merkle Patricia proofs, headers, witnesses. Nothing here is a mock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import rlp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from trie import HexaryTrie

from ledger.certificate import Absence, Certificate, ContractProof, StateProof
from ledger.checkpoint import Checkpoint, VerifierKey, note
from ledger.content import Content
from ledger.encoding import ZERO32, RegisterName, address_bytes, checksum_address, keccak256, to_hex
from ledger.entries import approvals_hash
from ledger.registers.base import HEAD_SLOT, SUSPECT_SINCE_SLOT
from ledger.registers.land import ACTIVE, ISSUE, REGISTER, TRANSFER, LandEntry, TitleEvidence
from ledger.state_proof import mapping_slot
from ledger.trust import TrustedRegister, TrustRoot

CHAIN_ID = 1337
BLOCK_NUMBER = 4_242
BLOCK_TIME = 1_760_000_000
ISSUED_AT, TRANSFERRED_AT = BLOCK_TIME - 2_000_000, BLOCK_TIME - 1_000_000
NIB = "10.15.22.05.00742"
UNUSED_NIB = "10.15.22.05.00743"
DOCUMENT = b"%PDF-1.7\na deed\n%%EOF\n"
HOLDER_NAME = "Siti Rahmawati binti Hasan"
FIELDS: Mapping[str, str] = {
    "nib": NIB,
    "right": "Hak Milik",
    "area": "412.50",
    "validity": "unlimited",
    "location": "Jl. Kenanga 7, Sleman",
    "holder": HOLDER_NAME,
    "holderBirth": "1979-03-14",
}


def address(name: str) -> str:
    return checksum_address(keccak256(name.encode())[12:])


REGISTER_ADDRESS, AUTHORITY_ADDRESS = address("LandRegister"), address("Authority")
REGISTER_CODE, AUTHORITY_CODE = keccak256(b"code of LandRegister"), keccak256(b"code of Authority")
REGISTRARS = tuple(sorted((address("registrar 1"), address("registrar 2")), key=str.lower))
WITNESSES = {name: Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()) for name in ("a", "b", "c")}


def secure_trie(items: Mapping[bytes, bytes]) -> HexaryTrie:
    """A Merkle Patricia trie over keccak256 of the keys, as Ethereum keeps its state and storage."""
    trie = HexaryTrie({})
    for key, value in items.items():
        trie[keccak256(key)] = value
    return trie


def proof(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """The nodes on the way to a key as EIP-1186 lists them: root first, without those embedded in their parent."""
    nodes = [rlp.encode(node) for node in trie.get_proof(keccak256(key))]
    return tuple(node for i, node in enumerate(nodes) if i == 0 or len(node) >= 32)


def word(value: bytes | int) -> bytes:
    """A storage word as it lies in the storage trie."""
    number = value if isinstance(value, int) else int.from_bytes(value, "big")
    return bytes(rlp.encode(number))


def header_rlp(state_root: bytes, number: int = BLOCK_NUMBER, time: int = BLOCK_TIME) -> bytes:
    """A header with the fields of a London block; only those that a verifier reads mean anything."""
    zero, empty = bytes(32), keccak256(rlp.encode(b""))
    fields = [zero, keccak256(rlp.encode([])), bytes(20), state_root, empty, empty, bytes(256), 0, number]
    return bytes(rlp.encode([*fields, 30_000_000, 21_000, time, b"", zero, bytes(8), 7]))


def content(**changes: str) -> Content:
    """The content of a title, with a document; a change of None leaves the field out."""
    described = {
        "sha256": to_hex(sha256(DOCUMENT).digest()),
        "size": str(len(DOCUMENT)),
        "cid": "bafk",
        "sealed": "true",
    }
    values = {
        **FIELDS,
        "schema": REGISTER.schema.id,
        "document": {**described, "mediaType": "application/pdf"},
        **changes,
    }
    return Content.salted({name: value for name, value in values.items() if value is not None})


def entries_of(record: Content, count: int = 2, area: int = 41250) -> tuple[LandEntry, ...]:
    """An issue and `count` - 1 transfers; the last one commits to `record`."""
    previous, made = ZERO32, []
    for sequence in range(1, count + 1):
        digest = record.digest if sequence == count else keccak256(b"older content")
        time = ISSUED_AT if sequence == 1 else TRANSFERRED_AT
        holder, action = address(f"holder {sequence}"), ISSUE if sequence == 1 else TRANSFER
        entry = LandEntry(
            previous,
            sequence,
            time,
            action,
            ACTIVE,
            digest,
            approvals_hash(REGISTRARS),
            holder,
            area,
            0,
            ZERO32,
            ZERO32,
        )
        previous = entry.head
        made.append(entry)
    return tuple(made)


@dataclass(frozen=True)
class World:
    """A chain at one block: a register with one record among others, an authority, three witnesses. The record is a
    title with these entries, unless `heads` (record id → head) say what the register holds."""

    record: Content = field(default_factory=content)
    entries: tuple[LandEntry, ...] = ()
    suspect_since: Mapping[str, int] = field(default_factory=dict)
    time: int = BLOCK_TIME
    record_id: bytes = REGISTER.record_id(FIELDS)
    heads: Mapping[bytes, bytes] | None = None

    @property
    def history(self) -> tuple[LandEntry, ...]:
        return self.entries or entries_of(self.record)

    @property
    def storage(self) -> HexaryTrie:
        others = {mapping_slot(keccak256(bytes([i])), HEAD_SLOT): word(keccak256(bytes([i, i]))) for i in range(40)}
        heads = {self.record_id: self.history[-1].head} if self.heads is None else self.heads
        return secure_trie({**others, **{mapping_slot(key, HEAD_SLOT): word(head) for key, head in heads.items()}})

    @property
    def authority_storage(self) -> HexaryTrie:
        slots = {_suspect_slot(registrar): word(since) for registrar, since in self.suspect_since.items()}
        return secure_trie({**slots, bytes(32): word(1)})

    @property
    def accounts(self) -> HexaryTrie:
        others = {address_bytes(address(f"other {i}")): _account(keccak256(b""), keccak256(b"")) for i in range(40)}
        register = _account(self.storage.root_hash, REGISTER_CODE)
        authority = _account(self.authority_storage.root_hash, AUTHORITY_CODE)
        ours = {address_bytes(REGISTER_ADDRESS): register, address_bytes(AUTHORITY_ADDRESS): authority}
        return secure_trie({**others, **ours})

    @property
    def header(self) -> bytes:
        return header_rlp(self.accounts.root_hash, time=self.time)

    def state(
        self, records: Mapping[str, bytes], *, with_authority: bool, witnesses: Sequence[str] = ("a", "b")
    ) -> StateProof:
        accounts = self.accounts
        register = ContractProof(
            proof(accounts, address_bytes(REGISTER_ADDRESS)),
            {name: proof(self.storage, mapping_slot(record_id, HEAD_SLOT)) for name, record_id in records.items()},
        )
        storage = self.authority_storage
        slots = {registrar: proof(storage, _suspect_slot(registrar)) for registrar in REGISTRARS}
        authority = ContractProof(proof(accounts, address_bytes(AUTHORITY_ADDRESS)), slots)
        return StateProof(
            self.header, register, authority if with_authority else None, cosigned(self.header, witnesses)
        )

    def certificate(self, disclosed: Sequence[str] | None = None, witnesses: Sequence[str] = ("a", "b")) -> Certificate:
        return Certificate(
            NAME,
            "land",
            self.record_id,
            self.history,
            tuple(REGISTRARS for _ in self.history),
            TitleEvidence(),
            self.record.disclose(disclosed),
            self.state({"head": self.record_id}, with_authority=True, witnesses=witnesses),
        )

    def absence(self, nib: str = UNUSED_NIB) -> Absence:
        state = self.state({"head": REGISTER.record_id({"nib": nib})}, with_authority=False)
        return Absence(NAME, "land", {"nib": nib}, state)


NAME = RegisterName(CHAIN_ID, REGISTER_ADDRESS)


def trust_root(**changes: Any) -> TrustRoot:
    """A trust root with the register of `World` and two of three witnesses."""
    register = TrustedRegister(NAME, "land", "Demo Land Office", REGISTER_CODE, AUTHORITY_ADDRESS, AUTHORITY_CODE, 2)
    keys = tuple(verifier_key(name) for name in WITNESSES)
    return replace(TrustRoot("demo", CHAIN_ID, keccak256(b"genesis"), (register,), keys, 2), **changes)


def verifier_key(name: str) -> str:
    return str(VerifierKey(name, WITNESSES[name].public_key().public_bytes_raw()))


def cosigned(header: bytes, witnesses: Sequence[str], origin: str = f"demo/eip155:{CHAIN_ID}") -> str:
    """The signed note of a header's block; with no witness one that nobody trusts has signed it."""
    checkpoint = Checkpoint(origin, int.from_bytes(rlp.decode(header)[8], "big"), keccak256(header))
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01")
    keys = [(name, WITNESSES[name]) for name in witnesses] or [("stranger", stranger)]
    return note(checkpoint, [checkpoint.sign(name, key, BLOCK_TIME) for name, key in keys])


def as_bytes(value: Certificate | Absence | Mapping[str, Any]) -> bytes:
    """The file of a certificate or of its JSON form."""
    return json.dumps(value if isinstance(value, Mapping) else value.as_json()).encode()


def _suspect_slot(registrar: str) -> bytes:
    return mapping_slot(bytes(12) + address_bytes(registrar), SUSPECT_SINCE_SLOT)


def _account(storage_root: bytes, code_hash: bytes) -> bytes:
    return bytes(rlp.encode([1, 0, storage_root, code_hash]))
