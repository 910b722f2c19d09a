from __future__ import annotations

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.checkpoint import Checkpoint, cosigners, note, parse
from ledger.errors import ConfigurationError, Conflict, MalformedProof, SplitView, StoreUnavailable
from ledger.witness import Witness, create_witness_key, load_witness_key
from wallet.errors import KeystoreExists, KeystoreInvalid, KeystoreMissing

ORIGIN = "demo/eip155:31337"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
ONE = Checkpoint(ORIGIN, 7, b"\x01" * 32)
FORK = Checkpoint(ORIGIN, 7, b"\x02" * 32)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "witness.jsonl"


def events(log: Path) -> list[str]:
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


def test_a_cosignature_verifies_with_the_witnesss_verifier_key(log: Path) -> None:
    witness = Witness("court", KEY, log)
    signed = note(ONE, [witness.cosign(ONE, 100)])
    assert cosigners(signed, ORIGIN, [witness.verifier_key]) == {"court"}


def test_the_same_hash_may_be_signed_again(log: Path) -> None:
    witness = Witness("court", KEY, log)
    witness.cosign(ONE, 100)
    again = note(ONE, [witness.cosign(ONE, 200)])
    assert cosigners(again, ORIGIN, [witness.verifier_key]) == {"court"} and events(log) == ["signed"]


def test_a_second_hash_for_a_number_is_refused_and_both_are_kept(log: Path) -> None:
    witness = Witness("court", KEY, log)
    line = witness.cosign(ONE, 100)
    with pytest.raises(Conflict, match="another hash"):
        witness.cosign(FORK, 200)
    refusal = json.loads(log.read_text().splitlines()[1])
    statement = refusal.pop("statement")
    assert refusal == {
        "event": "refused",
        "origin": ORIGIN,
        "number": 7,
        "blockHash": "0x" + "02" * 32,
        "time": 200,
        "note": note(ONE, [line]),
    }
    one, two = ("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
    text = f"khalayak split view\n{ORIGIN}\n7\n{one}\n{two}\n"
    assert statement.startswith(f"{text}\n— court ")
    signature = base64.b64decode(statement.split()[-1])
    KEY.public_key().verify(signature[12:], f"cosignature/v1\ntime 200\n{text}".encode())


def test_a_split_view_statement_is_never_read_as_a_checkpoint(log: Path) -> None:
    with pytest.raises(MalformedProof):
        parse(ONE.sign_split_view(FORK.block_hash, "court", KEY, 100))


def test_the_same_refusal_is_kept_once_however_often_it_is_asked_for(log: Path) -> None:
    Witness("court", KEY, log).cosign(ONE, 100)
    for witness in (Witness("court", KEY, log), Witness("court", KEY, log)):
        for _ in range(3):
            with pytest.raises(SplitView):
                witness.cosign(FORK, 200)
    assert events(log) == ["signed", "refused"]


def test_the_newest_block_signed_is_that_of_the_chain_asked_about(log: Path) -> None:
    witness = Witness("court", KEY, log)
    assert witness.newest(ORIGIN) is None
    for number in (9, 7):
        witness.cosign(Checkpoint(ORIGIN, number, bytes(32)), 100)
    witness.cosign(Checkpoint("demo/eip155:1", 12, bytes(32)), 100)
    assert (witness.newest(ORIGIN), Witness("court", KEY, log).newest(ORIGIN)) == (9, 9)


def test_a_restarted_witness_remembers_what_it_signed(log: Path) -> None:
    Witness("court", KEY, log).cosign(ONE, 100)
    restarted = Witness("court", KEY, log)
    with pytest.raises(Conflict):
        restarted.cosign(FORK, 200)
    assert restarted.cosign(ONE, 300)


def test_a_refusal_does_not_make_the_refused_hash_signed(log: Path) -> None:
    Witness("court", KEY, log).cosign(ONE, 100)
    for _ in range(2):
        with pytest.raises(Conflict):
            Witness("court", KEY, log).cosign(FORK, 200)


def test_another_number_or_chain_is_another_place(log: Path) -> None:
    witness = Witness("court", KEY, log)
    for checkpoint in (ONE, Checkpoint(ORIGIN, 8, FORK.block_hash), Checkpoint("demo/eip155:1", 7, FORK.block_hash)):
        witness.cosign(checkpoint, 100)
    assert events(log) == ["signed"] * 3


def test_two_processes_that_share_a_log_sign_one_hash(log: Path) -> None:
    first, second = Witness("court", KEY, log), Witness("court", KEY, log)
    first.cosign(Checkpoint(ORIGIN, 1, bytes(32)), 100)
    second.cosign(ONE, 100)
    with pytest.raises(Conflict):
        first.cosign(FORK, 100)


def test_of_many_threads_asking_at_once_one_hash_is_signed(log: Path) -> None:
    signed: list[bytes] = []

    def ask(witness: Witness, value: int) -> None:
        try:
            witness.cosign(Checkpoint(ORIGIN, 7, bytes([value]) * 32), 100)
            signed.append(bytes([value]))
        except Conflict:
            pass

    shared = Witness("court", KEY, log)
    witnesses = [shared if i % 2 else Witness("court", KEY, log) for i in range(8)]
    threads = [threading.Thread(target=ask, args=(witness, i)) for i, witness in enumerate(witnesses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 1 and sorted(events(log)) == ["refused"] * 7 + ["signed"]


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_torn_last_line_is_dropped_and_the_log_goes_on(log: Path, kept: int) -> None:
    Witness("court", KEY, log).cosign(ONE, 100)
    whole = log.read_bytes()
    log.write_bytes(whole + whole.replace(b'"number": 7', b'"number": 8')[:kept])
    witness = Witness("court", KEY, log)
    witness.cosign(Checkpoint(ORIGIN, 8, FORK.block_hash), 200)
    with pytest.raises(Conflict):
        witness.cosign(FORK, 200)
    assert events(log) == ["signed", "signed", "refused"]


@pytest.mark.parametrize("line", [b"x\n", b"{}\n", b"\n", b'{"event": "signed"}\n', b"\xff\n", b"[]\n"])
def test_a_damaged_log_stops_the_witness(log: Path, line: bytes) -> None:
    log.write_bytes(line)
    with pytest.raises(ConfigurationError, match="damaged"):
        Witness("court", KEY, log).cosign(ONE, 100)
    assert log.read_bytes() == line


def test_a_log_that_became_shorter_stops_the_witness(log: Path) -> None:
    witness = Witness("court", KEY, log)
    witness.cosign(ONE, 100)
    log.write_bytes(b"")
    with pytest.raises(ConfigurationError, match="shorter"):
        witness.cosign(FORK, 100)


def test_a_log_that_cannot_be_written_gives_no_signature(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Witness("court", KEY, tmp_path / "none" / "log").cosign(ONE, 100)


def test_every_signature_that_left_a_killed_witness_is_in_its_log(log: Path) -> None:
    script = f"""
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger.checkpoint import Checkpoint
from ledger.witness import Witness
witness = Witness("court", Ed25519PrivateKey.from_private_bytes(b"\\x01" * 32), Path({str(log)!r}))
for number in range(100000):
    witness.cosign(Checkpoint({ORIGIN!r}, number, b"\\x01" * 32), 100)
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = [process.stdout.readline() for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    left += process.stdout.readlines()
    process.wait()
    witness = Witness("court", KEY, log)
    for number in (line.strip() for line in left if line.endswith("\n")):
        with pytest.raises(Conflict):
            witness.cosign(Checkpoint(ORIGIN, int(number), b"\x02" * 32), 200)


def test_a_witness_key_reads_back_from_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    key = create_witness_key(tmp_path / "w.pem")
    assert load_witness_key(tmp_path / "w.pem").private_bytes_raw() == key.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / "w.pem").stat().st_mode) == 0o600
    with pytest.raises(KeystoreExists):
        create_witness_key(tmp_path / "w.pem")


def test_what_is_no_witness_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pem"
    with pytest.raises(KeystoreMissing):
        load_witness_key(path)
    path.touch(0o600)
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data in (b"", b"-----BEGIN PRIVATE KEY-----\n", other):
        path.write_bytes(data)
        with pytest.raises(KeystoreInvalid):
            load_witness_key(path)
    create_witness_key(tmp_path / "open.pem")
    (tmp_path / "open.pem").chmod(0o644)
    with pytest.raises(KeystoreInvalid, match="chmod 600"):
        load_witness_key(tmp_path / "open.pem")


def test_the_text_of_a_witness_shows_its_public_key_only(log: Path) -> None:
    text = repr(Witness("court", KEY, log))
    assert "court+" in text and KEY.private_bytes_raw().hex() not in text
