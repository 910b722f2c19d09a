from __future__ import annotations

from hashlib import sha256
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from ledger import merkle
from ledger.errors import InvalidProof

# The leaves of the reference tests of RFC 6962 (certificate-transparency, merkletree/merkle_tree_test.cc).
VECTOR_LEAVES = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
VECTOR_LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(bytes([i])) for i in range(size)]


def verifies(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    try:
        merkle.verify_inclusion(leaf, index, size, path, root)
    except InvalidProof:
        return False
    return True


def test_roots_are_the_published_ones() -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in VECTOR_LEAVES]
    assert [merkle.root(hashes[: n + 1]).hex() for n in range(8)] == VECTOR_ROOTS


def test_the_empty_tree_has_the_hash_of_nothing_and_no_leaf() -> None:
    assert merkle.root([]) == sha256(b"").digest()
    with pytest.raises(IndexError):
        merkle.inclusion_path([], 0)
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(sha256(b"").digest(), 0, 0, [], merkle.root([]))


def test_roots_and_paths_agree_with_another_implementation() -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for size in range(1, 41):
        oracle.append_entry(bytes([size - 1]))
        hashes = leaves_of(size)
        root = merkle.root(hashes)
        assert root == oracle.get_root(size)
        for index in range(size):
            path = merkle.inclusion_path(hashes, index)
            theirs = oracle.prove_inclusion(index + 1, size).serialize()["path"]
            assert [hashes[index].hex(), *(node.hex() for node in path)] == theirs
            merkle.verify_inclusion(hashes[index], index, size, path, root)


def test_a_path_proves_one_position_only() -> None:
    for size in range(1, 14):
        hashes = leaves_of(size)
        root = merkle.root(hashes)
        for index, claimed in product(range(size), range(-1, size + 1)):
            path = merkle.inclusion_path(hashes, index)
            assert verifies(hashes[index], claimed, size, path, root) is (claimed == index)


def test_an_inner_node_is_no_leaf() -> None:
    hashes = leaves_of(4)
    root, inner = merkle.root(hashes), merkle.node_hash(hashes[0], hashes[1])
    uncle = merkle.node_hash(hashes[2], hashes[3])
    assert not verifies(inner, 0, 4, [uncle], root)
    # Shown as the data of a leaf in a smaller tree, its two children are hashed with the leaf prefix.
    assert not verifies(merkle.leaf_hash(hashes[0] + hashes[1]), 0, 2, [uncle], root)
    assert not verifies(hashes[0] + hashes[1], 0, 2, [b"", uncle], root)


def test_a_duplicated_last_leaf_makes_another_tree() -> None:
    for size in (3, 5, 6, 7):
        hashes = leaves_of(size)
        assert merkle.root(hashes) != merkle.root([*hashes, hashes[-1]])
        path = merkle.inclusion_path(hashes, size - 1)
        assert not verifies(hashes[-1], size, size, path, merkle.root(hashes))


def test_a_root_does_not_commit_to_the_size_so_the_size_must_come_from_elsewhere() -> None:
    # RFC 9162 signs the size beside the root. Without it the last leaf of 6 also passes for the last of 7, but the
    # leaf that is claimed to be before it then has no path.
    hashes = leaves_of(6)
    root = merkle.root(hashes)
    assert verifies(hashes[5], 6, 7, merkle.inclusion_path(hashes, 5), root)
    assert not any(verifies(hashes[4], index, 7, merkle.inclusion_path(hashes, 4), root) for index in range(7))


def test_long_short_and_changed_paths_are_refused() -> None:
    hashes = leaves_of(11)
    root = merkle.root(hashes)
    for index in range(11):
        path = merkle.inclusion_path(hashes, index)
        assert not verifies(hashes[index], index, 11, path[:-1], root)
        assert not verifies(hashes[index], index, 11, path[1:], root)
        assert not verifies(hashes[index], index, 11, [*path, path[-1]], root)
        assert not verifies(hashes[index], index, 11, path, merkle.root(hashes[:-1]))
        for place in range(len(path)):
            changed = [*path[:place], bytes(32), *path[place + 1 :]]
            assert not verifies(hashes[index], index, 11, changed, root)


def test_a_single_leaf_needs_no_path_and_takes_none() -> None:
    leaf = merkle.leaf_hash(b"only")
    assert verifies(leaf, 0, 1, [], leaf)
    assert not verifies(leaf, 0, 1, [leaf], leaf)


def test_sizes_beyond_the_limit_are_refused() -> None:
    assert not verifies(bytes(32), 0, merkle.MAX_SIZE + 1, [], bytes(32))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70), st.data())
def test_every_leaf_of_every_tree_is_proved_and_no_other(data: list[bytes], draw: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(item) for item in data]
    index = draw.draw(st.integers(0, len(data) - 1))
    path, root = merkle.inclusion_path(hashes, index), merkle.root(hashes)
    merkle.verify_inclusion(hashes[index], index, len(data), path, root)
    assert not verifies(merkle.leaf_hash(data[index] + b"x"), index, len(data), path, root)
