"""Forged files that checks 4 and 5 must refuse: proofs of the state that prove something else, or nothing."""

from __future__ import annotations

from typing import Any

from ledger import merkle
from ledger.encoding import address_bytes, keccak256, to_hex
from tests.builders import proof
from tests.vectors.forged_blocks import BATCH, LAND, MENDED, NOWHERE
from tests.vectors.genuine import certificate, chain, quiet_chain
from tests.vectors.tamper import SAME, Forgery, change, drop, get, last_digit, put, swap

ACCOUNT, HEAD, AUTHORITY = "/state/register/account", "/state/register/slots/head", "/state/authority"


def accounts() -> list[Forgery]:
    """For check 4."""
    sold, quiet = certificate("land-transfer"), certificate(LAND, on=quiet_chain())
    return [
        Forgery("account-of-the-authority", LAND, put(ACCOUNT, get(sold, f"{AUTHORITY}/account"))),
        Forgery("account-without-its-last-node", LAND, drop(f"{ACCOUNT}/-1")),
        Forgery("account-without-its-first-node", LAND, drop(f"{ACCOUNT}/0")),
        Forgery("account-without-nodes", LAND, put(ACCOUNT, [])),
        Forgery("account-with-a-node-too-many", LAND, change(ACCOUNT, lambda v: [*v, "0x80"])),
        Forgery("account-with-its-last-node-twice", LAND, change(ACCOUNT, lambda v: [*v, v[-1]])),
        Forgery("account-in-reverse", LAND, change(ACCOUNT, lambda v: v[::-1])),
        Forgery("account-changed", LAND, change(f"{ACCOUNT}/-1", last_digit)),
        Forgery("account-node-too-long", LAND, change(f"{ACCOUNT}/0", lambda v: v + "00" * 1024)),
        Forgery("account-of-another-block", LAND, put(ACCOUNT, get(quiet, ACCOUNT))),
        Forgery("account-does-not-exist", LAND, _nowhere, trust="trust-with-register-nowhere"),
        Forgery("code-is-another", LAND, SAME, trust="trust-with-other-code"),
        Forgery("absence-where-no-contract-is", "absence-land", _nowhere, trust="trust-with-register-nowhere"),
        Forgery("absence-without-account", "absence-land", put(ACCOUNT, [])),
    ]


def heads() -> list[Forgery]:
    """For check 5."""
    sold, identity = certificate("land-transfer"), certificate("identity-issue")
    leaves = [merkle.leaf_hash(bytes([i]) * 32) for i in range(2)]
    return [
        Forgery("head-without-its-last-node", LAND, drop(f"{HEAD}/-1")),
        Forgery("head-without-nodes", LAND, put(HEAD, [])),
        Forgery("head-of-an-empty-register", LAND, put(HEAD, ["0x80"])),
        Forgery("head-with-a-node-too-many", LAND, change(HEAD, lambda v: [*v, v[-1]])),
        Forgery("head-changed", LAND, change(f"{HEAD}/-1", last_digit)),
        Forgery("head-of-another-record", LAND, put(HEAD, get(sold, HEAD))),
        Forgery("head-in-another-register", LAND, put(HEAD, get(identity, HEAD))),
        Forgery("record-id-is-another", LAND, put("/recordId", to_hex(keccak256(b"another parcel")))),
        Forgery("series-is-another", BATCH, put("/recordId", to_hex(keccak256(b"another series")))),
        Forgery("batch-is-another", BATCH, put("/entries/0/sequence", 2)),
        Forgery("leaf-is-an-inner-node", BATCH, put("/evidence/content", to_hex(merkle.node_hash(*leaves)))),
        Forgery("leaf-proof-of-another-leaf", MENDED, swap("/state/register/slots/leaf", HEAD)),
        Forgery("absence-of-a-record", "absence-land", put("/subject/nib", "10.15.22.05.00001")),
        Forgery("absence-of-a-record-with-its-proof", "absence-land", _absence_of_a_record),
        Forgery("absence-cut-short", "absence-land", drop(f"{HEAD}/-1")),
        Forgery("absence-with-the-proof-of-another", "absence-land", put("/subject/nib", "10.15.22.05.00998")),
    ]


def _nowhere(file: Any) -> None:
    file["register"] = f"eip155:1337:{NOWHERE}"
    put(ACCOUNT, [to_hex(node) for node in proof(chain().accounts, address_bytes(NOWHERE))])(file)


def _absence_of_a_record(file: Any) -> None:
    issued = certificate(LAND)
    file["subject"]["nib"] = get(issued, "/content/fields/nib/value")
    put(HEAD, get(issued, HEAD))(file)
