"""The chain of the golden vectors: four registers and their authority at two blocks. Everything in it is fixed."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import rlp
from trie import HexaryTrie

from ledger.certificate import Absence, Certificate, ContractProof, StateProof
from ledger.content import Content, SaltedField
from ledger.encoding import RegisterName, address_bytes, keccak256
from ledger.land_entry import ASSIGNMENT_WINDOW
from ledger.registers import REGISTERS
from ledger.registers.base import Claim, head_slot, suspect_since_slot
from ledger.trust import TrustedRegister, TrustRoot
from tests.builders import (
    AUTHORITY_ADDRESS,
    AUTHORITY_CODE,
    BLOCK_NUMBER,
    BLOCK_TIME,
    CHAIN_ID,
    WITNESSES,
    address,
    cosigned,
    header_rlp,
    proof,
    secure_trie,
    verifier_key,
    word,
)

REGISTRARS, COURT = (
    tuple(sorted((address(f"{office} 1"), address(f"{office} 2")), key=str.lower)) for office in ("registrar", "court")
)
SUSPECT = address("suspect registrar")
START = BLOCK_TIME - 20_000_000
STEP = ASSIGNMENT_WINDOW // 2 + 1  # from one entry of a record to the next
SUSPECT_SINCE = START + 3 * STEP  # the very second of the third entries
# Registers that came later stand at a later block, so that every file from before keeps its bytes.
KINDS = ("diplomas", "identity", "land", "transactions")
NAMES = {kind: RegisterName(CHAIN_ID, address(f"{kind} register")) for kind in REGISTERS}
CODES = {kind: keccak256(f"code of {REGISTERS[kind].contract}".encode()) for kind in REGISTERS}


def fixed_content(label: str, values: Mapping[str, Any]) -> Content:
    """Content whose salts are made from the label and the field's name, so that they are the same every time."""
    salts = {name: sha256(f"{label}/{name}".encode()).digest()[:16] for name in values}
    encoded = {name: urlsafe_b64encode(salt).rstrip(b"=").decode() for name, salt in salts.items()}
    return Content(tuple(SaltedField(encoded[name], name, values[name]) for name in sorted(values)))


def trust_root(kinds: Sequence[str] = KINDS, **changes: Any) -> TrustRoot:
    registers = tuple(
        TrustedRegister(NAMES[kind], kind, f"Demo {kind} office", CODES[kind], AUTHORITY_ADDRESS, AUTHORITY_CODE, 2)
        for kind in sorted(kinds)
    )
    keys = tuple(verifier_key(name) for name in sorted(WITNESSES))
    return replace(TrustRoot("demo", CHAIN_ID, keccak256(b"genesis"), registers, keys, 2), **changes)


@dataclass(frozen=True)
class Chain:
    """One block. `heads`: kind of register → record id → head; `suspects`: registrar → seconds since 1970."""

    heads: Mapping[str, Mapping[bytes, bytes]]
    suspects: Mapping[str, int] = field(default_factory=dict)
    number: int = BLOCK_NUMBER
    time: int = BLOCK_TIME
    more_header: tuple[Any, ...] = ()  # the fields that forks after London appended
    kinds: Sequence[str] = KINDS

    @cached_property
    def registers(self) -> Mapping[str, HexaryTrie]:
        slots = {
            kind: {head_slot(key): word(head) for key, head in heads.items()} for kind, heads in self.heads.items()
        }
        return {kind: secure_trie(slots.get(kind, {})) for kind in self.kinds}

    @cached_property
    def authority(self) -> HexaryTrie:
        return secure_trie({suspect_since_slot(registrar): word(since) for registrar, since in self.suspects.items()})

    @cached_property
    def accounts(self) -> HexaryTrie:
        tries = {NAMES[kind].address: (trie, CODES[kind]) for kind, trie in self.registers.items()}
        tries[AUTHORITY_ADDRESS] = (self.authority, AUTHORITY_CODE)
        ours = {key: rlp.encode([1, 0, trie.root_hash, code]) for key, (trie, code) in tries.items()}
        empty = rlp.encode([1, 10**18, keccak256(b"\x80"), keccak256(b"")])
        others = {address(f"other {i}"): empty for i in range(2)}
        return secure_trie({address_bytes(key): bytes(account) for key, account in (others | ours).items()})

    @cached_property
    def header(self) -> bytes:
        fields = rlp.decode(header_rlp(self.accounts.root_hash, self.number, self.time))
        return bytes(rlp.encode([*fields, *self.more_header]))

    def checkpoint(self, witnesses: Sequence[str] = ("a", "b"), **changes: Any) -> str:
        return cosigned(self.header, witnesses, **changes)

    def _state(self, kind: str, records: Mapping[str, bytes], authority: ContractProof | None) -> StateProof:
        slots = {name: proof(self.registers[kind], head_slot(record_id)) for name, record_id in records.items()}
        account = proof(self.accounts, address_bytes(NAMES[kind].address))
        return StateProof(self.header, ContractProof(account, slots), authority, self.checkpoint())

    def certificate(self, kind: str, claim: Claim, content: Content, shown: Sequence[str] | None = None) -> Certificate:
        """The certificate of a claim that discloses the fields `shown`, or all."""
        made = (NAMES[kind], kind, claim.record_id, claim.entries, claim.approvers, claim.evidence)
        evidence = claim.evidence
        named = {a for approvers in (*claim.approvers, *(n for _, n in evidence.approved())) for a in approvers}
        slots = {registrar: proof(self.authority, suspect_since_slot(registrar)) for registrar in sorted(named)}
        authority = ContractProof(proof(self.accounts, address_bytes(AUTHORITY_ADDRESS)), slots)
        state = self._state(kind, evidence.heads(claim.record_id, claim.entries), authority)
        return Certificate(*made, content.disclose(shown), state)

    def absence(self, kind: str, subject: Mapping[str, str]) -> Absence:
        state = self._state(kind, {"head": REGISTERS[kind].record_id(subject)}, None)
        return Absence(NAMES[kind], kind, subject, state)
