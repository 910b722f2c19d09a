"""Checkpoints. The vector was made with the Go reference (transparency-dev/formats v0.1.1, sumdb/note)."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint import MAX_BYTES, Checkpoint, VerifierKey, cosigners, note, parse
from ledger.errors import InvalidProof, MalformedProof

ORIGIN = "demo/eip155:31337"
# RFC 8032 section 7.1, test 1.
KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
VKEY = "witness.example/one+56dd39ef+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
TIME = 0x6B056CFB
LINE = (
    "— witness.example/one "
    "Vt057wAAAABrBWz7LuoHedLrBAK8deBiDbtOtsoOEtDKXMPHjx34E/8WxLImH8jZARIDOXzrl6Vwt0ThArlc5m677BopFtScfO++AA=="
)
NOTE = f"demo/eip155:31337\n12345\nSWrKgOTY8p+46M2BbDr7SNPxA5cLOi7hYAwIymcybe4=\n\n{LINE}\n"
CHECKPOINT = Checkpoint(ORIGIN, 12345, hashlib.sha256(b"block").digest())
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)


def vkey(name: str, key: Ed25519PrivateKey) -> str:
    return str(VerifierKey(name, key.public_key().public_bytes_raw()))


def test_signing_gives_the_line_of_the_reference_implementation() -> None:
    assert CHECKPOINT.sign("witness.example/one", KEY, TIME) == LINE
    assert note(CHECKPOINT, [LINE]) == NOTE


def test_a_note_of_the_reference_implementation_verifies() -> None:
    assert parse(NOTE) == (CHECKPOINT, (LINE,))
    assert cosigners(NOTE, ORIGIN, [VKEY]) == {"witness.example/one"}


@pytest.mark.parametrize("text", [VKEY, "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"])
def test_a_published_verifier_key_reads_and_writes_back(text: str) -> None:
    assert str(VerifierKey.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "witness+12344556",
        VKEY.replace("56dd39ef", "56dd39ee"),
        VKEY.replace("56dd39ef", "56DD39EF"),
        VKEY.replace("one", "two"),
        VKEY[:-1],
        VKEY + "\n",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "rekor.sigstore.dev+12345678+AwEB",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",  # type 1, a log's key
        "a b+12345678+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
    ],
)
def test_what_is_no_cosignature_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedProof):
        VerifierKey.parse(text)


def test_one_signer_twice_counts_once() -> None:
    twice = note(CHECKPOINT, [LINE, CHECKPOINT.sign("witness.example/one", KEY, TIME + 1), LINE])
    assert cosigners(twice, ORIGIN, [VKEY]) == {"witness.example/one"}


def test_one_key_under_two_names_counts_once() -> None:
    lines = [CHECKPOINT.sign(name, KEY, TIME) for name in ("b", "a")]
    assert cosigners(note(CHECKPOINT, lines), ORIGIN, [vkey("a", KEY), vkey("b", KEY)]) == {"a"}


def test_two_witnesses_count_as_two() -> None:
    both = note(CHECKPOINT, [LINE, CHECKPOINT.sign("two", OTHER, TIME)])
    assert cosigners(both, ORIGIN, [VKEY, vkey("two", OTHER)]) == {"witness.example/one", "two"}


def test_unknown_keys_are_ignored() -> None:
    lines = [CHECKPOINT.sign("witness.example/one", OTHER, TIME), "— someone AAAAAAA=", LINE]
    assert cosigners(note(CHECKPOINT, lines), ORIGIN, [VKEY]) == {"witness.example/one"}
    assert cosigners(note(CHECKPOINT, lines[:2]), ORIGIN, [VKEY]) == set()
    assert cosigners(NOTE, ORIGIN, []) == set()


@pytest.mark.parametrize("origin", ["demo/eip155:1", "other/eip155:31337", "demo/eip155:313370", ""])
def test_another_chains_origin_is_refused(origin: str) -> None:
    with pytest.raises(InvalidProof, match="not of"):
        cosigners(NOTE, origin, [VKEY])


@pytest.mark.parametrize(
    "changed",
    [
        NOTE.replace("12345\n", "12346\n"),
        NOTE.replace("SWrK", "TWrK"),
        NOTE.replace("AAAABrBWz7", "AAAABrBWz8"),  # the time
        NOTE.replace("FtScfO++AA==", "FtScfO++AQ=="),
        NOTE.replace("++AA==", "++"),  # 75 bytes instead of 76
    ],
)
def test_a_known_witness_whose_signature_does_not_fit_rejects_the_note(changed: str) -> None:
    with pytest.raises(InvalidProof, match=r"witness\.example/one") as caught:
        cosigners(changed, ORIGIN, [VKEY])
    assert not isinstance(caught.value, MalformedProof)


def test_a_signature_is_over_the_origin() -> None:
    moved = NOTE.replace(ORIGIN, "demo/eip155:1")
    with pytest.raises(InvalidProof, match="does not fit"):
        cosigners(moved, "demo/eip155:1", [VKEY])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "nobbled",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.partition("\n\n")[0] + "\n",
        NOTE.partition("\n\n")[0] + "\n\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("12345\n", "12345\r\n"),
        NOTE.replace("12345", "012345"),
        NOTE.replace("12345", "+12345"),
        NOTE.replace("12345", "-1"),
        NOTE.replace("12345", "1_2"),
        NOTE.replace("12345", "٣"),
        NOTE.replace("12345", "9" * 19),
        NOTE.replace("12345", ""),
        NOTE.replace("SWrKgOTY8p+46M2BbDr7SNPxA5cLOi7hYAwIymcybe4=\n", ""),  # a number without a hash
        NOTE.replace("SWrKgOTY8p+46M2BbDr7SNPxA5cLOi7hYAwIymcybe4=", ""),
        NOTE.replace("SWrKgOTY8p+46M2BbDr7SNPxA5cLOi7hYAwIymcybe4=", base64.b64encode(bytes(31)).decode()),
        NOTE.replace("ymcybe4=", "ymcybe5="),  # unused bits set: a second form of the same hash
        NOTE.replace("\n\n", "\nan extension line\n\n"),
        NOTE.replace("demo/", "Demo/"),
        NOTE.replace("eip155:31337", "eip155:031337"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE.replace("witness.example/one", "a+b"),
        NOTE.replace("witness.example/one", ""),
        NOTE.replace("witness.example/one", "a\u2003b"),
        NOTE.replace(LINE, "— someone AAAAAA=="),
        NOTE.replace("one Vt057w", "one Vt05\t7w"),
        NOTE + "\x00",
        NOTE + "\ud800",
        NOTE + f"{LINE}\n" * 64,
        NOTE + f"— a {'A' * MAX_BYTES}\n",
    ],
)
def test_a_note_of_another_form_is_malformed(text: str) -> None:
    with pytest.raises(MalformedProof):
        parse(text)


def test_sixty_four_signatures_are_read() -> None:
    assert len(parse(NOTE + f"{LINE}\n" * 63)[1]) == 64


@pytest.mark.parametrize("lines", [[], ["x"], [LINE + "\n"], [LINE, ""]])
def test_a_note_is_not_made_of_what_would_not_parse(lines: list[str]) -> None:
    with pytest.raises(MalformedProof):
        note(CHECKPOINT, lines)


@pytest.mark.parametrize(
    ("origin", "number", "block_hash"),
    [("demo", 1, bytes(32)), (ORIGIN, -1, bytes(32)), (ORIGIN, 10**18, bytes(32)), (ORIGIN, 1, bytes(31))],
)
def test_a_checkpoint_that_has_no_text_is_refused(origin: str, number: int, block_hash: bytes) -> None:
    with pytest.raises(MalformedProof):
        Checkpoint(origin, number, block_hash)


@pytest.mark.parametrize(("name", "time"), [("", 1), ("a b", 1), ("a+b", 1), ("a\x00", 1), ("a", -1), ("a", 1 << 63)])
def test_a_name_or_time_that_has_no_line_is_refused(name: str, time: int) -> None:
    with pytest.raises(MalformedProof):
        CHECKPOINT.sign(name, KEY, time)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(0, len(NOTE)), st.integers(0, 40))
def test_a_damaged_note_never_names_a_signer_of_another_checkpoint(insert: str, at: int, drop: int) -> None:
    damaged = NOTE[:at] + insert + NOTE[at + drop :]
    with suppress(InvalidProof):
        if cosigners(damaged, ORIGIN, [VKEY]):
            assert parse(damaged)[0] == CHECKPOINT


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(["\n", "— ", "a ", "AAAAAAA=", "0", ORIGIN])).map("".join)))
def test_any_text_parses_or_is_malformed(text: str) -> None:
    with suppress(MalformedProof):
        assert note(*parse(text)) == text
