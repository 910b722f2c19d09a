from __future__ import annotations

import base64
import random
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from aleph_cid import CidHasher
from hypothesis import given
from hypothesis import strategies as st

from ledger.cid import blocks, cid_of, normalise, parse, verify
from ledger.errors import BadInput, DocumentCorrupt
from tests.kubo import ipfs_or_skip

MIB = 1 << 20
SIZES = [0, 1, MIB - 1, MIB, MIB + 1, 7 * MIB // 2]
EMPTY = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
V0 = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG"
ADD = ["add", "--quieter", "--only-hash", "--cid-version=1", "--raw-leaves", "--max-file-links=1024", "--offline"]


@pytest.fixture(scope="module")
def ipfs_repo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    ipfs = ipfs_or_skip()
    environment = {"IPFS_PATH": str(tmp_path_factory.mktemp("ipfs")), "IPFS_TELEMETRY": "off"}
    subprocess.run([ipfs, "init", "--empty-repo", "--profile=test"], env=environment, check=True, capture_output=True)
    return ipfs, environment


def data_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def aleph(data: bytes) -> str:
    hasher = CidHasher.for_ipfs_v1_raw_leaves()
    hasher.update(data)
    return hasher.finalize()


@pytest.mark.parametrize("size", SIZES)
def test_cid_is_what_kubo_computes_under_the_profile(ipfs_repo: tuple[Path, dict[str, str]], size: int) -> None:
    ipfs, environment = ipfs_repo
    data = data_of(size)
    answer = subprocess.run(
        [ipfs, *ADD, f"--chunker=size-{MIB}"], env=environment, input=data, capture_output=True, check=True
    )
    assert cid_of(data) == answer.stdout.decode().strip()


@pytest.mark.parametrize("chunks", [1024, 1025, 2049])
def test_tree_of_more_links_than_a_node_holds_is_kubos(ipfs_repo: tuple[Path, dict[str, str]], chunks: int) -> None:
    ipfs, environment = ipfs_repo
    data = data_of(chunks * 64 - 1)
    answer = subprocess.run(
        [ipfs, *ADD, "--chunker=size-64"], env=environment, input=data, capture_output=True, check=True
    )
    assert cid_of(data, chunk_size=64) == answer.stdout.decode().strip()


@pytest.mark.parametrize("size", [0, 1, MIB // 4, MIB // 4 + 1, 7 * MIB // 2, 175 * MIB // 4])
def test_cid_is_what_aleph_computes_with_its_own_chunks_and_links(size: int) -> None:
    data = data_of(size)
    assert cid_of(data, chunk_size=MIB // 4, max_links=174) == aleph(data)


def test_one_chunk_is_a_raw_block() -> None:
    data = data_of(MIB)
    binary = b"\x01\x55\x12\x20" + sha256(data).digest()
    assert cid_of(data) == "b" + base64.b32encode(binary).decode().rstrip("=").lower()
    assert cid_of(data).startswith("bafkrei") and cid_of(data + b"x").startswith("bafybei")
    assert cid_of(b"") == EMPTY


def test_blocks_hash_to_their_cids_and_leaves_are_the_content() -> None:
    data = data_of(5 * MIB + 3)
    found = list(blocks(data))
    assert all(sha256(block.data).digest() == block.cid.digest for block in found)
    assert b"".join(block.data for block in found if block.cid.codec == 0x55) == data
    assert str(found[-1].cid) == cid_of(data)


def test_verify_takes_every_spelling_and_refuses_other_bytes() -> None:
    data = data_of(2 * MIB)
    cid = cid_of(data)
    verify(cid, data)
    verify(cid.upper(), data)
    verify("f" + parse(cid).binary.hex(), data)
    for other in (data[:-1], data + b"\0", b"\1" + data[1:], b""):
        with pytest.raises(DocumentCorrupt, match="are not that document"):
            verify(cid, other)


def test_a_cid_of_version_0_is_read_as_version_1() -> None:
    digest = parse(V0).digest
    assert normalise(V0) == "bafybeie5nqv6kd3qnfjupgvz34woh3oksc3iau6abmyajn7qvtf47mvof4"
    assert parse(normalise(V0)) == parse(V0)
    assert parse("f01701220" + digest.hex()) == parse(V0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("b", "cut off"),
        ("Qm", "no known base"),
        (V0[:-1] + "0", "not base58"),
        (V0[:-1], "no known base"),
        (EMPTY[:-1], "cut off|not base32|last letter"),
        (EMPTY + "a", "cut off|not base32|last letter"),
        (EMPTY[:-1] + "v", "last letter"),
        (EMPTY[:-1] + "U", "mixes upper and lower"),
        (EMPTY + "\n", "not base32"),
        (" " + EMPTY, "no known base"),
        ("/ipfs/" + EMPTY, "no known base"),
        ("../../etc/passwd", "no known base"),
        ("b" * 200, "too long"),
        ("f01551320" + "00" * 32, "SHA-256"),
        ("f01711220" + "00" * 32, "raw and dag-pb"),
        ("f02551220" + "00" * 32, "version"),
        ("f0155001f" + "00" * 32, "SHA-256"),
        ("fzz", "base16"),
    ],
)
def test_what_is_no_usable_cid_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        parse(text)


@given(st.text(max_size=70))
def test_parse_reads_or_refuses_and_does_nothing_else(text: str) -> None:
    try:
        cid = parse(text)
    except BadInput:
        return
    assert parse(str(cid)) == cid


@given(st.binary(min_size=32, max_size=32), st.sampled_from([0x55, 0x70]))
def test_text_of_a_cid_reads_back(digest: bytes, codec: int) -> None:
    text = "b" + base64.b32encode(bytes((1, codec, 0x12, 0x20)) + digest).decode().rstrip("=").lower()
    assert str(parse(text)) == text and parse(text).digest == digest
