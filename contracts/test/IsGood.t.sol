// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchRegister} from "../BatchRegister.sol";
import {BatchFixture, Naive} from "./BatchFixture.sol";

contract IsGoodTest is BatchFixture {
    BatchRegister.BatchEntry private nothing;
    BatchRegister.BatchEntry private batch_;
    bytes32[] private digests;

    /// @dev Three batches, of 5, 7 and 6 leaves; the middle one is asked about.
    function setUp() public override {
        super.setUp();
        digests = contents(2, 7);
        BatchRegister.BatchEntry memory first = append(batchOf(SERIES, contents(1, 5)), nothing);
        batch_ = append(batchOf(SERIES, digests), first);
        appendLeaves(SERIES, contents(3, 6), batch_);
    }

    function pathOf(uint256 index) private view returns (bytes32[] memory) {
        return Naive.path(index, Naive.leaves(digests));
    }

    function isGood(uint256 index) private view returns (bool) {
        return batches.isGood(SERIES, batch_, digests[index], uint64(index), pathOf(index));
    }

    function correct(uint256 index, bool isVoid) private {
        BatchRegister.BatchEntry memory current;
        BatchRegister.Place memory place =
            BatchRegister.Place(SERIES, batch_, digests[index], uint64(index), pathOf(index));
        bytes32 leaf = Naive.leafHash(digests[index]);
        if (isVoid) {
            bytes32 digest = toSign(voidStruct(leaf, 0, REASON, DEADLINE));
            batches.void(place, REASON, DEADLINE, current, approve(keysOf(2), digest));
        } else {
            bytes32 digest = toSign(amendStruct(leaf, 0, REPLACEMENT, REASON, DEADLINE));
            batches.amend(place, REPLACEMENT, REASON, DEADLINE, current, approve(keysOf(2), digest));
        }
    }

    // What is good

    function test_every_leaf_of_an_earlier_batch_is_good() public view {
        for (uint256 i = 0; i < 7; ++i) {
            assertTrue(isGood(i), "good");
        }
    }

    function test_any_leaf_of_any_batch_is_good(uint256 salt, uint8 size, uint8 index, bool isByLeaves) public {
        digests = contents(salt, uint256(size % 50) + 1);
        batch_ = isByLeaves
            ? appendLeaves(OTHER_SERIES, digests, nothing)
            : append(batchOf(OTHER_SERIES, digests), nothing);
        uint256 i = index % digests.length;
        assertTrue(batches.isGood(OTHER_SERIES, batch_, digests[i], uint64(i), pathOf(i)), "good");
    }

    // What is not

    function test_a_corrected_leaf_is_not_good_and_the_others_are(uint8 index, bool isVoid) public {
        correct(index % 7, isVoid);
        for (uint256 i = 0; i < 7; ++i) {
            assertTrue(isGood(i) == (i != index % 7), "only the corrected one");
        }
    }

    function test_a_corrected_content_is_not_good_in_another_batch(bool isVoid) public {
        BatchRegister.BatchEntry memory again = append(batchOf(OTHER_SERIES, digests), nothing);
        assertTrue(batches.isGood(OTHER_SERIES, again, digests[2], 2, pathOf(2)), "before");
        correct(2, isVoid);
        assertTrue(!batches.isGood(OTHER_SERIES, again, digests[2], 2, pathOf(2)), "after");
    }

    function test_a_replacement_is_no_leaf() public {
        correct(2, false);
        assertTrue(!batches.isGood(SERIES, batch_, REPLACEMENT, 2, pathOf(2)), "in no batch");
    }

    function test_a_leaf_is_not_good_in_another_batch_or_series(uint32 sequence) public {
        vm.assume(sequence != 2);
        assertTrue(!batches.isGood(OTHER_SERIES, batch_, digests[1], 1, pathOf(1)), "series");
        batch_.sequence = sequence;
        assertTrue(!isGood(1), "sequence");
    }

    function test_any_other_entry_of_the_batch_is_not_believed(uint8 word, uint8 bit) public view {
        bytes memory data = abi.encodeCall(BatchRegister.isGood, (SERIES, batch_, digests[4], 4, pathOf(4)));
        uint256 index = 4 + 32 + uint256(word % 11) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        (bool done, bytes memory answer) = address(batches).staticcall(data);
        assertTrue(done && !abi.decode(answer, (bool)), "false, and no error");
    }

    /// @dev The size is the entry's: nobody can tell another one, whatever root it would make.
    function test_another_size_is_not_believed(uint64 count) public {
        vm.assume(count != 7);
        batch_.count = count;
        for (uint256 i = 0; i < 7; ++i) {
            assertTrue(!isGood(i), "wrong size");
        }
    }

    function test_an_entry_that_nobody_recorded_is_not_believed(uint8 index) public {
        bytes32[] memory own = contents(9, 4);
        uint256 i = index % 4;
        bytes32[] memory path = Naive.path(i, Naive.leaves(own));
        BatchRegister.BatchEntry memory made = following(batch_, 1, Naive.root(Naive.leaves(own)), 4, MANIFEST);
        assertTrue(!batches.isGood(SERIES, made, own[i], uint64(i), path), "made up");
        assertTrue(!batches.isGood(SERIES, nothing, own[i], uint64(i), path), "nothing");
        assertTrue(!batches.isGood(SERIES, nothing, own[i], 0, new bytes32[](0)), "nothing, empty");
        made = append(batchOf(OTHER_SERIES, own), nothing);
        assertTrue(batches.isGood(OTHER_SERIES, made, own[i], uint64(i), path), "once it is recorded");
    }

    function test_another_digest_or_index_is_not_good(uint8 index, uint64 other, bytes32 digest) public view {
        uint256 i = index % 7;
        vm.assume(other != i && digest != digests[i]);
        assertTrue(!batches.isGood(SERIES, batch_, digests[i], other, pathOf(i)), "index");
        assertTrue(!batches.isGood(SERIES, batch_, digest, uint64(i), pathOf(i)), "digest");
    }

    /// @dev Seven leaves: the inner nodes over 0 to 1, 2 to 3, 4 to 5, 0 to 3 and 4 to 6, and the root.
    function test_no_inner_node_is_good() public view {
        bytes32[] memory leaves = Naive.leaves(digests);
        uint8[2][6] memory ranges = [[0, 2], [2, 4], [4, 6], [0, 4], [4, 7], [0, 7]];
        for (uint256 i = 0; i < 6; ++i) {
            bytes32 node = Naive.root(Naive.slice(leaves, ranges[i][0], ranges[i][1]));
            for (uint64 index = 0; index < 8; ++index) {
                bytes32[] memory path = pathOf(index % 7);
                for (uint256 start = 0; start <= path.length; ++start) {
                    bytes32[] memory upper = Naive.slice(path, start, path.length);
                    assertTrue(!batches.isGood(SERIES, batch_, node, index, upper), "as a digest");
                    assertTrue(!batches.isGood(SERIES, batch_, node, index >> start, upper), "as its own place");
                }
            }
        }
    }

    /// @dev Nor the hash of a leaf in the place of a digest, nor the two halves of a node as two digests.
    function test_a_leaf_hash_is_no_digest() public view {
        for (uint256 i = 0; i < 7; ++i) {
            bytes32 hash = Naive.leafHash(digests[i]);
            assertTrue(!batches.isGood(SERIES, batch_, hash, uint64(i), pathOf(i)), "a leaf hash");
        }
    }

    function test_the_last_leaf_is_not_there_twice() public view {
        bytes32[] memory doubled = Naive.push(Naive.leaves(digests), Naive.leafHash(digests[6]));
        assertTrue(!batches.isGood(SERIES, batch_, digests[6], 7, Naive.path(7, doubled)), "eighth of seven");
        assertTrue(!batches.isGood(SERIES, batch_, digests[6], 7, pathOf(6)), "path of the seventh");
        assertTrue(!batches.isGood(SERIES, batch_, digests[6], 6, Naive.path(6, doubled)), "as if there were eight");
    }

    function test_a_batch_in_the_place_of_its_series_is_not_another() public view {
        bytes32 place = idOf(SERIES, 2);
        for (uint32 sequence = 0; sequence < 4; ++sequence) {
            BatchRegister.BatchEntry memory entry = batch_;
            entry.sequence = sequence;
            assertTrue(!batches.isGood(place, entry, digests[0], 0, pathOf(0)), "place as series");
        }
    }

    function test_a_truncated_or_longer_path_is_no_proof(bytes32 more) public view {
        for (uint256 i = 0; i < 7; ++i) {
            bytes32[] memory path = pathOf(i);
            bytes32[] memory shorter = Naive.slice(path, 0, path.length - 1);
            assertTrue(!batches.isGood(SERIES, batch_, digests[i], uint64(i), shorter), "shorter");
            assertTrue(!batches.isGood(SERIES, batch_, digests[i], uint64(i), Naive.push(path, more)), "longer");
        }
    }
}
