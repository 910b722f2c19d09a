"""Forged files that checks 2 and 3 must refuse: a register or a block that nobody who is trusted vouches for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import rlp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checkpoint import Checkpoint, note
from ledger.encoding import keccak256, to_hex
from ledger.registers import REGISTERS
from ledger.trust import TrustRoot
from tests.builders import BLOCK_NUMBER, BLOCK_TIME, WITNESSES, address, verifier_key
from tests.vectors.chain import NAMES, trust_root
from tests.vectors.genuine import certificate, chain, quiet_chain
from tests.vectors.tamper import SAME, Forgery, Tamper, change, every, get, put

LAND, BATCH, MENDED = "land-issue", "transactions-append", "transactions-amend"
NOWHERE, HEADER, CHECKPOINT = address("no contract here"), "/state/header", "/state/checkpoint"


def roots() -> Mapping[str, TrustRoot]:
    """The trust root that all is checked against, and those that differ from it in one thing."""
    root, made = trust_root(), {}
    land = next(register for register in root.registers if register.kind == "land")
    changed: Mapping[str, Mapping[str, Any]] = {
        "of-another-kind": {"kind": "identity"},
        "with-other-code": {"code_hash": keccak256(b"other code")},
        "with-other-authority-code": {"authority_code_hash": keccak256(b"other code")},
        "with-authority-nowhere": {"authority": NOWHERE},
        "with-register-nowhere": {"name": replace(NAMES["land"], address=NOWHERE)},
        "with-three-registrars": {"threshold": 3},
    }
    for name, changes in changed.items():
        others = tuple(replace(land, **changes) if register is land else register for register in root.registers)
        made[f"trust-{name}"] = replace(root, registers=others)
    return {
        "trust": root,
        **made,
        "trust-without-the-register": replace(root, registers=root.registers[:1]),
        "trust-without-witnesses": replace(root, witnesses=(), threshold=1),
        "trust-of-other-witnesses": replace(root, witnesses=(verifier_key("a"), verifier_key("c"))),
        "trust-of-three-witnesses": replace(root, threshold=3),
        "trust-later": trust_root(tuple(REGISTERS)),
    }


def registers() -> list[Forgery]:
    """For check 2."""
    return [
        Forgery("another-address", LAND, put("/register", f"eip155:1337:{address('other')}")),
        Forgery("another-chain", LAND, change("/register", lambda v: v.replace("1337", "1"))),
        Forgery("another-kind", BATCH, put("/kind", "diplomas")),
        Forgery("register-not-trusted", LAND, SAME, trust="trust-without-the-register"),
        Forgery("register-trusted-as-another-kind", LAND, SAME, trust="trust-of-another-kind"),
        Forgery("absence-in-another-register", "absence-land", put("/register", str(NAMES["identity"]))),
    ]


def headers() -> list[Forgery]:
    """For check 3, which fails, or cannot tell where the block is one that nobody signed."""
    return [
        Forgery("header-empty", LAND, put("/state/header", "0x")),
        Forgery("header-no-rlp", LAND, put("/state/header", "0xf9ffff00")),
        Forgery("header-one-byte-more", LAND, change("/state/header", lambda v: v + "00")),
        Forgery("header-too-long", LAND, _header(12, bytes(4096))),
        Forgery("header-state-root-31-bytes", LAND, _header(3, bytes(31))),
        Forgery("header-number-beyond-2-53", LAND, _header(8, 2**53)),
        Forgery("header-time-without-a-date", LAND, _header(11, 2**63)),
        Forgery("header-of-an-account", LAND, put("/state/header", to_hex(rlp.encode([b"\x01", b"", bytes(32)])))),
        Forgery("hash-supplied-is-another", LAND, SAME, block_hashes={BLOCK_NUMBER: keccak256(b"another")}),
        Forgery("header-a-second-earlier", LAND, _header(11, BLOCK_TIME - 1), "unknown"),
        Forgery("state-of-another-block", LAND, _other_state, "unknown"),
    ]


def checkpoints() -> list[Forgery]:
    """For check 3, which cannot tell."""
    forged: Mapping[str, Tamper] = {
        "empty": put(CHECKPOINT, ""),
        "unsigned": change(CHECKPOINT, lambda v: v.split("\n\n")[0] + "\n\n"),
        "one-witness": _signed(signers="a"),
        "one-witness-twice": _signed(signers="bb"),
        "unknown-key": _signed(signers="aX"),
        "known-name-with-unknown-key": _signed(signers="aB"),
        "of-another-chain": _signed(origin="demo/eip155:1"),
        "of-another-office": _signed(origin="other/eip155:1337"),
        "of-another-number": _signed(BLOCK_NUMBER + 1),
        "of-another-hash": _signed(block=keccak256(b"another")),
        "number-changed": _text("\n4242\n", "\n4243\n"),
        "number-with-leading-zero": _text("\n4242\n", "\n04242\n"),
        "without-a-hash": change(CHECKPOINT, _without_hash),
        "hash-with-unused-bits": change(CHECKPOINT, _unused_bits),
        "with-carriage-returns": change(CHECKPOINT, lambda v: v.replace("\n", "\r\n")),
        "with-another-dash": _text("— a", "- a"),
        "signature-cut": change(CHECKPOINT, lambda v: v[:-9] + "\n"),
        "signature-of-another-time": change(CHECKPOINT, _other_time),
        "bad-signature-beside-two-good": every(_signed(signers="abc"), change(CHECKPOINT, _other_time)),
    }
    other = put(CHECKPOINT, get(certificate(LAND, on=quiet_chain()), CHECKPOINT))
    return [
        *(Forgery(f"checkpoint-{name}", LAND, tamper, "unknown") for name, tamper in forged.items()),
        Forgery("checkpoint-of-another-block", LAND, other, "unknown"),
        Forgery("witnesses-not-trusted", LAND, SAME, "unknown", trust="trust-of-other-witnesses"),
        Forgery("witnesses-too-few", LAND, SAME, "unknown", trust="trust-of-three-witnesses"),
        Forgery("no-witness-trusted", LAND, SAME, "unknown", trust="trust-without-witnesses"),
        Forgery("absence-one-witness", "absence-land", _signed(signers="c"), "unknown"),
    ]


def _header(index: int, value: Any) -> Tamper:
    """Set one field of the header."""

    def edit(text: str) -> str:
        fields = rlp.decode(bytes.fromhex(text[2:]))
        return to_hex(rlp.encode([*fields[:index], value, *fields[index + 1 :]]))

    return change(HEADER, edit)


def _other_state(file: Any) -> None:
    """A whole state of its own, with the checkpoint of this one."""
    other = certificate(LAND, on=quiet_chain())["state"]
    file["state"] = other | {"checkpoint": file["state"]["checkpoint"]}


def _signed(
    number: int = BLOCK_NUMBER, origin: str = "demo/eip155:1337", signers: str = "ab", block: bytes = b""
) -> Tamper:
    """The checkpoint of this block, signed by these witnesses; a capital letter is a stranger with the name."""
    checkpoint = Checkpoint(origin, number, block or keccak256(chain().header))
    lines = []
    for name in signers:
        stranger = Ed25519PrivateKey.from_private_bytes(keccak256(b"stranger"))
        lines.append(checkpoint.sign(name.lower(), stranger if name.isupper() else WITNESSES[name], BLOCK_TIME))
    return put(CHECKPOINT, note(checkpoint, lines))


def _text(old: str, new: str) -> Tamper:
    return change(CHECKPOINT, lambda text: text.replace(old, new, 1))


def _without_hash(text: str) -> str:
    origin, number, _, *rest = text.split("\n")
    return "\n".join([origin, number, *rest])


def _unused_bits(text: str) -> str:
    """The same hash in base64 that sets a bit which no byte is made of."""
    lines = text.split("\n")
    encoded = lines[2][:42] + chr(ord(lines[2][42]) + 1) + "="
    assert base64.b64decode(encoded) == base64.b64decode(lines[2])
    return "\n".join([*lines[:2], encoded, *lines[3:]])


def _other_time(text: str) -> str:
    """The last signature with a time a second later."""
    head, _, line = text.rstrip("\n").rpartition(" ")
    data = base64.b64decode(line)
    time = int.from_bytes(data[4:12], "big") + 1
    return f"{head} {base64.b64encode(data[:4] + time.to_bytes(8, 'big') + data[12:]).decode()}\n"
