"""The frauds that the demo tries: each takes an honest certificate and makes the file a cheat would show."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import rlp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from trie import HexaryTrie

from ledger.certificate import Certificate, ContractProof, StateProof
from ledger.checkpoint import Checkpoint, VerifierKey, note
from ledger.encoding import address_bytes, keccak256, to_hex
from ledger.registers.base import head_slot
from ledger.state_proof import EMPTY_TRIE, parse_header
from ledger.trust import TrustRoot


@dataclass(frozen=True)
class Fraud:
    """`check` is the number of the check that must refuse it."""

    name: str
    check: int
    certificate: dict[str, Any]
    document: bytes | None = None


def all_frauds(certificate: Certificate, document: bytes, trust: TrustRoot) -> list[Fraud]:
    """Six forgeries of a certificate whose title was transferred: most let the seller look like the holder still."""
    honest = certificate.as_json()
    seller = Certificate(
        **{**vars(certificate), "entries": certificate.entries[:1], "approvers": certificate.approvers[:1]}
    )
    return [
        Fraud("changed field", 8, _with_other_value(honest, "holder", "Raden Palsu Contoh")),
        Fraud("changed document", 11, honest, document[:-7] + b"1\n%%EOF\n"),
        Fraud("hidden mandatory field", 8, _without_field(honest, "validity")),
        Fraud("stale history", 6, seller.as_json()),
        Fraud("forged state proof", 5, _with_forged_leaf(seller)),
        Fraud("block that no witness signed", 3, _on_own_chain(certificate, trust)),
    ]


def _with_other_value(honest: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    forged = copy.deepcopy(honest)
    for field in forged["content"]["fields"]:
        if field["name"] == name:
            field["value"] = value
    return forged


def _without_field(honest: dict[str, Any], name: str) -> dict[str, Any]:
    forged = copy.deepcopy(honest)
    forged["content"]["fields"] = [field for field in forged["content"]["fields"] if field["name"] != name]
    return forged


def _with_forged_leaf(seller: Certificate) -> dict[str, Any]:
    """The last storage node rewritten to hold the head that the seller's entry has."""
    forged = seller.as_json()
    *above, leaf = seller.state.register.slots["head"]
    path, _head = rlp.decode(leaf)
    forged_leaf = rlp.encode([path, rlp.encode(seller.entries[-1].head)])
    forged["state"]["register"]["slots"]["head"] = [to_hex(node) for node in [*above, forged_leaf]]
    return forged


def _on_own_chain(certificate: Certificate, trust: TrustRoot) -> dict[str, Any]:
    """A whole chain state of the cheat's own, in which every proof holds, and a witness of the cheat's own making."""
    trusted = trust.register_of_kind(certificate.kind)
    storage = HexaryTrie({})
    slot = keccak256(head_slot(certificate.record_id))
    storage[slot] = rlp.encode(certificate.entries[-1].head)
    state = HexaryTrie({})
    register_key, authority_key = (keccak256(address_bytes(a)) for a in (trusted.name.address, trusted.authority))
    state[register_key] = rlp.encode([1, 0, storage.root_hash, trusted.code_hash])
    state[authority_key] = rlp.encode([1, 0, EMPTY_TRIE, trusted.authority_code_hash])
    fields = rlp.decode(certificate.state.header)
    fields[3] = state.root_hash
    header = rlp.encode(fields)
    registrars = {name: () for names in certificate.approvers for name in names}
    block = parse_header(header)
    forged_state = StateProof(
        header,
        ContractProof(_nodes(state, register_key), {"head": _nodes(storage, slot)}),
        ContractProof(_nodes(state, authority_key), registrars),
        _own_checkpoint(Checkpoint(trust.origin, block.number, block.hash), trust),
    )
    return Certificate(**{**vars(certificate), "state": forged_state}).as_json()


def _own_checkpoint(checkpoint: Checkpoint, trust: TrustRoot) -> str:
    names = [VerifierKey.parse(key).name for key in trust.witnesses]
    return note(checkpoint, [checkpoint.sign(name, Ed25519PrivateKey.generate(), 1) for name in names])


def _nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    return tuple(rlp.encode(node) for node in trie.get_proof(key))
