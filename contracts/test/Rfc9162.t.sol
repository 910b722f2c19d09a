// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rfc9162} from "../Rfc9162.sol";
import {BatchFixture, Naive} from "./BatchFixture.sol";
import {Rfc9162Vectors} from "./vectors/Rfc9162Vectors.sol";

contract Trees {
    function root(bytes32[] calldata digests) external view returns (bytes32) {
        return Rfc9162.root(digests);
    }

    function includes(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path, bytes32 expected)
        external
        pure
        returns (bool)
    {
        return Rfc9162.includes(leaf, index, size, path, expected);
    }
}

contract Rfc9162Test is BatchFixture {
    Trees private trees;

    function setUp() public override {
        trees = new Trees();
    }

    function digestsOfVectors(uint256 size) private pure returns (bytes32[] memory digests) {
        digests = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            digests[i] = sha256(abi.encode(i));
        }
    }

    function word(bytes memory words, uint256 index) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := mload(add(add(words, 0x20), mul(index, 0x20)))
        }
    }

    // The vectors of ledger/merkle.py

    function test_roots_are_those_of_the_vectors() public view {
        for (uint256 size = 1; size <= Rfc9162Vectors.SIZES; ++size) {
            assertEq(trees.root(digestsOfVectors(size)), word(Rfc9162Vectors.ROOTS, size - 1));
        }
    }

    function test_the_naive_trees_are_those_of_the_vectors() public pure {
        for (uint256 size = 1; size <= Rfc9162Vectors.SIZES; ++size) {
            bytes32[] memory leaves = Naive.leaves(digestsOfVectors(size));
            assertEq(Naive.root(leaves), word(Rfc9162Vectors.ROOTS, size - 1));
            bytes memory paths;
            for (uint256 index = 0; index < size; ++index) {
                paths = abi.encodePacked(paths, Naive.path(index, leaves));
            }
            assertEq(keccak256(paths), word(Rfc9162Vectors.PATHS, size - 1));
        }
    }

    function test_every_path_of_the_vectors_is_a_proof() public view {
        for (uint256 size = 1; size <= Rfc9162Vectors.SIZES; ++size) {
            bytes32[] memory leaves = Naive.leaves(digestsOfVectors(size));
            bytes32 root = word(Rfc9162Vectors.ROOTS, size - 1);
            for (uint256 index = 0; index < size; ++index) {
                bytes32[] memory path = Naive.path(index, leaves);
                assertTrue(trees.includes(leaves[index], index, size, path, root), "a proof");
            }
        }
    }

    // The root, against the definition

    function test_any_root_is_that_of_the_definition(bytes32 salt, uint8 size) public view {
        bytes32[] memory digests = contents(uint256(salt), uint256(size) + 1);
        assertEq(trees.root(digests), Naive.root(Naive.leaves(digests)));
    }

    function test_a_large_root_is_that_of_the_definition() public view {
        bytes32[] memory digests = contents(1, 1001);
        assertEq(trees.root(digests), Naive.root(Naive.leaves(digests)));
    }

    function test_a_root_leaves_the_memory_of_others_alone(uint8 size) public {
        bytes32[] memory digests = contents(2, uint256(size) + 1);
        Bystander bystander = new Bystander();
        assertTrue(bystander.keeps(digests), "memory kept");
    }

    /// @dev Which a caller may add to his calldata.
    function test_what_follows_the_leaves_is_left_alone() public {
        bytes memory data = bytes.concat(abi.encodeCall(Bystander.keeps, (contents(2, 3))), bytes32(type(uint256).max));
        (bool success, bytes memory kept) = address(new Bystander()).call(data);
        assertTrue(success && abi.decode(kept, (bool)), "memory kept");
    }

    function test_no_leaves_have_no_root() public {
        vm.expectRevert(abi.encodeWithSelector(Rfc9162.HashFailed.selector));
        trees.root(new bytes32[](0));
    }

    /// @dev A hash that fails for want of gas, while the rest still runs on, must not make another root.
    function test_want_of_gas_makes_no_other_root() public view {
        bytes32[] memory digests = contents(3, 64);
        bytes32 root = Naive.root(Naive.leaves(digests));
        bool isEnough;
        for (uint256 given = 20_000; !isEnough; given += 11) {
            try trees.root{gas: given}(digests) returns (bytes32 answer) {
                assertEq(answer, root);
                isEnough = true;
            } catch {}
        }
    }

    // Inclusion, against the definition

    function test_any_leaf_is_included(uint256 salt, uint8 size, uint8 index) public view {
        (bytes32[] memory leaves, uint256 place) = tree(salt, size, index);
        bytes32[] memory path = Naive.path(place, leaves);
        assertTrue(trees.includes(leaves[place], place, leaves.length, path, Naive.root(leaves)), "included");
    }

    function test_a_leaf_is_at_no_other_index(uint256 salt, uint8 size, uint8 index, uint8 other) public view {
        (bytes32[] memory leaves, uint256 place) = tree(salt, size, index);
        vm.assume(other != place);
        bytes32[] memory path = Naive.path(place, leaves);
        assertTrue(!trees.includes(leaves[place], other, leaves.length, path, Naive.root(leaves)), "elsewhere");
    }

    /// @dev Some other sizes give a leaf the same path: RFC 9162 takes the size from the signed tree head, and we from
    /// the entry. An index beyond the size is never right, and neither is a path of another length.
    function test_an_index_beyond_the_size_is_not_included(uint256 salt, uint8 size, uint256 beyond) public view {
        (bytes32[] memory leaves, ) = tree(salt, size, 0);
        uint256 last = leaves.length - 1;
        vm.assume(beyond > last);
        bytes32[] memory path = Naive.path(last, leaves);
        assertTrue(!trees.includes(leaves[last], beyond, leaves.length, path, Naive.root(leaves)), "beyond");
    }

    function test_nothing_is_in_an_empty_tree(bytes32 leaf) public view {
        assertTrue(!trees.includes(leaf, 0, 0, new bytes32[](0), leaf), "empty");
    }

    function test_a_longer_path_is_no_proof(uint256 salt, uint8 size, uint8 index, bytes32 more) public view {
        (bytes32[] memory leaves, uint256 place) = tree(salt, size, index);
        bytes32[] memory path = Naive.push(Naive.path(place, leaves), more);
        bytes32 root = Naive.root(leaves);
        assertTrue(!trees.includes(leaves[place], place, leaves.length, path, root), "longer");
        bytes32 right = sha256(bytes.concat(hex"01", root, more));
        bytes32 left = sha256(bytes.concat(hex"01", more, root));
        assertTrue(!trees.includes(leaves[place], place, leaves.length, path, right), "a tree above, to the right");
        assertTrue(!trees.includes(leaves[place], place, leaves.length, path, left), "a tree above, to the left");
    }

    function test_a_shorter_path_is_no_proof(uint256 salt, uint8 size, uint8 index) public view {
        (bytes32[] memory leaves, uint256 place) = tree(salt, size, index);
        vm.assume(leaves.length > 1);
        bytes32[] memory path = Naive.path(place, leaves);
        bytes32[] memory shorter = Naive.slice(path, 0, path.length - 1);
        bytes32[] memory upper = Naive.slice(path, 1, path.length);
        bytes32 root = Naive.root(leaves);
        bytes32 parent =
            place & 1 == 0 && place + 1 < leaves.length
                ? sha256(bytes.concat(hex"01", leaves[place], path[0]))
                : sha256(bytes.concat(hex"01", path[0], leaves[place]));
        assertTrue(!trees.includes(leaves[place], place, leaves.length, shorter, root), "shorter");
        assertTrue(!trees.includes(parent, place, leaves.length, upper, root), "an inner node");
        assertTrue(!trees.includes(root, 0, leaves.length, new bytes32[](0), root), "the root");
    }

    function test_another_node_in_the_path_is_no_proof(uint256 salt, uint8 size, uint8 index, uint8 node, uint8 bit)
        public
        view
    {
        (bytes32[] memory leaves, uint256 place) = tree(salt, size, index);
        vm.assume(leaves.length > 1);
        bytes32[] memory path = Naive.path(place, leaves);
        path[node % path.length] ^= bytes32(uint256(1) << bit);
        assertTrue(!trees.includes(leaves[place], place, leaves.length, path, Naive.root(leaves)), "another node");
    }

    function test_another_leaf_or_root_is_no_proof(uint256 salt, uint8 size, uint8 index, uint8 bit) public view {
        (bytes32[] memory leaves, uint256 place) = tree(salt, size, index);
        bytes32[] memory path = Naive.path(place, leaves);
        (bytes32 root, bytes32 flip) = (Naive.root(leaves), bytes32(uint256(1) << bit));
        assertTrue(!trees.includes(leaves[place] ^ flip, place, leaves.length, path, root), "another leaf");
        assertTrue(!trees.includes(leaves[place], place, leaves.length, path, root ^ flip), "another root");
    }

    /// @dev Bitcoin's trees hash a lone last node with itself (CVE-2012-2459); these carry it up.
    function test_the_last_leaf_is_not_there_twice() public view {
        for (uint256 size = 1; size < 16; size += 2) {
            bytes32[] memory leaves = Naive.leaves(contents(4, size));
            bytes32[] memory doubled = Naive.push(leaves, leaves[size - 1]);
            assertTrue(Naive.root(leaves) != Naive.root(doubled), "another root");
            bytes32[] memory path = Naive.path(size, doubled);
            assertTrue(!trees.includes(leaves[size - 1], size, size, path, Naive.root(leaves)), "index");
            assertTrue(!trees.includes(leaves[size - 1], size, size + 1, path, Naive.root(leaves)), "size");
        }
    }

    function tree(uint256 salt, uint8 size, uint8 index) private pure returns (bytes32[] memory leaves, uint256 place) {
        leaves = Naive.leaves(contents(salt, uint256(size % 64) + 1));
        place = index % leaves.length;
    }
}

contract Bystander {
    function keeps(bytes32[] calldata digests) external view returns (bool) {
        bytes memory before = abi.encode("before", digests.length);
        bytes32 hash = keccak256(before);
        bytes32 root = Rfc9162.root(digests);
        bytes memory later = abi.encode("later", root);
        return keccak256(before) == hash && keccak256(later) == keccak256(abi.encode("later", root));
    }
}
