from __future__ import annotations

import random
from itertools import pairwise

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from rlp.codec import length_prefix
from trie import HexaryTrie

from ledger.encoding import ZERO32, address_bytes, keccak256
from ledger.errors import InvalidProof, MalformedProof
from ledger.state_proof import EMPTY_TRIE, mapping_slot, parse_header, prove_account, prove_slot
from tests.builders import (
    AUTHORITY_ADDRESS,
    BLOCK_NUMBER,
    BLOCK_TIME,
    REGISTER_ADDRESS,
    REGISTER_CODE,
    World,
    address,
    header_rlp,
    proof,
    secure_trie,
    word,
)


def slot(number: int) -> bytes:
    return number.to_bytes(32, "big")


def shown(root: bytes, key: bytes, nodes: list[bytes] | tuple[bytes, ...]) -> bytes | None:
    """What a storage proof proves, None when it is refused."""
    try:
        return prove_slot(root, key, nodes)
    except InvalidProof:
        return None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 60, 200, 500])
def test_inclusion_and_exclusion_agree_with_the_trie(size: int) -> None:
    source = random.Random(size)
    values = {slot(i): source.randrange(1, 2 ** source.choice([3, 8, 64, 256])) for i in range(size)}
    trie = secure_trie({key: word(value) for key, value in values.items()})
    for number in range(size + 60):
        key = slot(number)
        expected = values.get(key, 0).to_bytes(32, "big")
        assert prove_slot(trie.root_hash, key, proof(trie, key)) == expected


@given(st.dictionaries(st.integers(0, 2**256 - 1), st.integers(1, 2**256 - 1), min_size=1, max_size=30), st.data())
def test_any_trie_proves_each_word_and_no_other(words: dict[int, int], data: st.DataObject) -> None:
    trie = secure_trie({slot(key): word(value) for key, value in words.items()})
    key = data.draw(st.sampled_from(sorted(words)) | st.integers(0, 2**256 - 1))
    assert prove_slot(trie.root_hash, slot(key), proof(trie, slot(key))) == slot(words.get(key, 0))


def test_a_branch_with_nodes_embedded_in_it_is_read() -> None:
    # Two keys that share all but the last nibble: their leaves are shorter than 32 bytes and have no hash of their own.
    trie = HexaryTrie({})
    path = keccak256(slot(1))
    sibling = path[:-1] + bytes([path[-1] ^ 1])
    trie[path], trie[sibling] = word(7), word(8)
    nodes = proof(trie, slot(1))
    assert (len(nodes), len(trie.get_proof(path))) == (1, 3)
    assert prove_slot(trie.root_hash, slot(1), nodes) == slot(7)


def test_no_changed_byte_of_any_node_proves_something_else() -> None:
    trie = secure_trie({slot(i): word(i + 1) for i in range(60)})
    for key in (slot(3), slot(1000)):
        nodes = list(proof(trie, key))
        true = prove_slot(trie.root_hash, key, nodes)
        for place, node in enumerate(nodes):
            for position in range(len(node)):
                for flip in (1, 0x80, 0xFF):
                    changed = bytearray(node)
                    changed[position] ^= flip
                    tampered = [*nodes[:place], bytes(changed), *nodes[place + 1 :]]
                    assert shown(trie.root_hash, key, tampered) in (None, true)


def test_missing_extra_and_reordered_nodes_are_refused() -> None:
    trie = secure_trie({slot(i): word(i + 1) for i in range(300)})
    for key in (slot(3), slot(1000)):
        nodes = list(proof(trie, key))
        assert len(nodes) > 1
        for i in range(len(nodes)):
            assert shown(trie.root_hash, key, nodes[:i] + nodes[i + 1 :]) is None
            assert shown(trie.root_hash, key, [*nodes[: i + 1], nodes[i], *nodes[i + 1 :]]) is None
        assert shown(trie.root_hash, key, nodes[::-1]) is None
        assert shown(trie.root_hash, key, [*nodes, b"\x80"]) is None
        assert shown(trie.root_hash, key, []) is None
        assert shown(trie.root_hash, key, [b""] * 66) is None
        assert shown(bytes(32), key, nodes) is None


def test_a_proof_of_one_slot_proves_nothing_about_another() -> None:
    trie = secure_trie({slot(i): word(i + 1) for i in range(100)})
    for first, second in pairwise(range(90, 110)):
        nodes = proof(trie, slot(first))
        if nodes != proof(trie, slot(second)):
            assert shown(trie.root_hash, slot(second), nodes) in (
                None,
                prove_slot(trie.root_hash, slot(second), proof(trie, slot(second))),
            )


def test_an_absence_cannot_be_made_by_cutting_a_proof_of_presence() -> None:
    trie = secure_trie({slot(i): word(i + 1) for i in range(100)})
    for number in range(100):
        nodes = proof(trie, slot(number))
        for count in range(len(nodes)):
            assert shown(trie.root_hash, slot(number), nodes[:count]) is None


def test_an_empty_storage_trie_proves_zero_in_either_form() -> None:
    assert keccak256(rlp.encode(b"")) == EMPTY_TRIE
    for nodes in ([], [b"\x80"]):
        assert prove_slot(EMPTY_TRIE, slot(1), nodes) == ZERO32
    assert shown(EMPTY_TRIE, slot(1), [b"\x80", b"\x80"]) is None
    assert shown(EMPTY_TRIE, slot(1), [b""]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"\x00",
        b"\x81\x00",
        rlp.encode(b"\x00\x01"),
        rlp.encode(bytes(33)),
        rlp.encode([]),
        b"\x80",
        b"\x81\x05",
        b"\xff",
    ],
)
def test_a_storage_word_in_no_canonical_form_is_refused(value: bytes) -> None:
    trie = secure_trie({slot(1): value, slot(2): word(2)})
    with pytest.raises(MalformedProof):
        prove_slot(trie.root_hash, slot(1), proof(trie, slot(1)))


def test_an_account_is_proved_with_its_storage_root_and_code() -> None:
    world = World()
    account = prove_account(
        world.accounts.root_hash, REGISTER_ADDRESS, proof(world.accounts, address_bytes(REGISTER_ADDRESS))
    )
    assert account is not None
    assert (account.storage_root, account.code_hash) == (world.storage.root_hash, REGISTER_CODE)


def test_both_forms_of_an_absent_account_are_proved() -> None:
    # The way ends at an empty place of a branch, or at a leaf or extension of another key.
    trie = World().accounts
    ends = set()
    for i in range(200):
        name = address(f"nobody {i}")
        nodes = proof(trie, address_bytes(name))
        assert prove_account(trie.root_hash, name, nodes) is None
        ends.add(len(rlp.decode(nodes[-1])))
    assert ends == {2, 17}
    assert prove_account(EMPTY_TRIE, REGISTER_ADDRESS, []) is None


@pytest.mark.parametrize(
    "fields",
    [
        [1, 0, bytes(32)],
        [1, 0, bytes(31), bytes(32)],
        [1, 0, bytes(32), bytes(33)],
        [1, 0, [b""] * 32, bytes(32)],
        [1, 0, bytes(32), [b""] * 32],
        [1, 0, bytes(32), bytes(32), 0],
        b"x" * 40,
    ],
)
def test_a_malformed_account_is_refused(fields: object) -> None:
    key = address_bytes(AUTHORITY_ADDRESS)
    trie = secure_trie({key: rlp.encode(fields)})
    with pytest.raises(MalformedProof):
        prove_account(trie.root_hash, AUTHORITY_ADDRESS, proof(trie, key))


@pytest.mark.parametrize("depth", [200, 1_000, 4_000])
def test_deeply_nested_rlp_is_refused_and_does_not_crash(depth: int) -> None:
    bomb = b""
    while len(bomb) < depth:
        bomb = length_prefix(len(bomb), 0xC0) + bomb
    for refuse in (
        lambda: parse_header(bomb),
        lambda: prove_slot(keccak256(bomb), slot(1), [bomb]),
        lambda: prove_account(keccak256(bomb), REGISTER_ADDRESS, [bomb]),
    ):
        with pytest.raises(InvalidProof):
            refuse()


@pytest.mark.parametrize(
    "node",
    [
        b"",
        b"\xc0",
        rlp.encode([b""] * 16),
        rlp.encode([b""] * 18),
        rlp.encode([b"\x40", b"v"]),
        rlp.encode([b"", b"v"]),
        rlp.encode([[b"\x20"], b"v"]),
        rlp.encode([b"\x20" + keccak256(slot(1)), b""]),
        rlp.encode([b"\x20" + keccak256(slot(1)), [b"v"]]),
        rlp.encode([b"\x00", b"short"]),
        rlp.encode([b"\x00" + keccak256(slot(1)), [b""] * 17]),
        rlp.encode([b"\x20" + keccak256(slot(1)), word(1)]) + b"\x00",
        b"\xf8\x37" + rlp.encode([b"\x20" + keccak256(slot(1)), word(1)])[1:],
        rlp.encode([b"\x20" + keccak256(slot(1)), b"v" * 2000]),
    ],
)
def test_a_node_that_is_none_is_refused_even_with_the_right_hash(node: bytes) -> None:
    assert shown(keccak256(node), slot(1), [node]) is None


def test_a_node_that_embeds_itself_in_an_endless_way_ends() -> None:
    # Extensions with an empty path use up no nibble; only the nodes of the proof bound the walk.
    node: list[object] = [b"\x00", [b""] * 17]
    for _ in range(60):
        node = [b"\x00", node]
    data = rlp.encode(node)
    assert shown(keccak256(data), slot(1), [data]) in (None, ZERO32)


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=80), max_size=5), st.binary(min_size=32, max_size=32))
def test_random_nodes_prove_nothing(nodes: list[bytes], root: bytes) -> None:
    assert shown(root, slot(1), nodes) is None
    if nodes:
        shown(keccak256(nodes[0]), slot(1), nodes)


def test_a_header_is_read_and_hashed() -> None:
    data = header_rlp(b"\x11" * 32)
    header = parse_header(data)
    assert (header.hash, header.number, header.time) == (keccak256(data), BLOCK_NUMBER, BLOCK_TIME)
    assert header.state_root == b"\x11" * 32


def test_a_header_of_mainnet_hashes_to_its_published_hash() -> None:
    # Block 1 of Ethereum mainnet.
    empty_uncles = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
    fields = [
        bytes.fromhex("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"),
        empty_uncles,
        bytes.fromhex("05a56e2d52c817161883f50c441c3228cfe54d9f"),
        bytes.fromhex("d67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3"),
        EMPTY_TRIE,
        EMPTY_TRIE,
        bytes(256),
        17_171_480_576,
        1,
        5_000,
        0,
        1_438_269_988,
        bytes.fromhex("476574682f76312e302e302f6c696e75782f676f312e342e32"),
        bytes.fromhex("969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59"),
        bytes.fromhex("539bd4979fef1ec4"),
    ]
    header = parse_header(rlp.encode(fields))
    assert header.hash.hex() == "88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6"
    assert (header.number, header.time) == (1, 1_438_269_988)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\xc0",
        header_rlp(bytes(31)),
        header_rlp(bytes(32)) + b"\x00",
        header_rlp(bytes(32))[:-1],
        header_rlp(bytes(32), number=2**53),
        header_rlp(bytes(32), number=2**64),
        header_rlp(bytes(32), time=253_370_764_800),
        rlp.encode([bytes(32)] * 14),
        rlp.encode([[b""]] * 16),
        rlp.encode([bytes(300)] * 16),
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedProof):
        parse_header(data)


def test_a_mapping_slot_is_the_one_solidity_uses() -> None:
    # Solidity documentation, "Layout of State Variables in Storage": keccak256(h(k) . p).
    assert mapping_slot(slot(9), 4) == keccak256(slot(9) + slot(4))
