// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {BatchRegister} from "../BatchRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {BatchFixture, Naive} from "./BatchFixture.sol";

/// @dev Each rule that both corrections share is tested for both: `isVoid` says which is called.
contract CorrectTest is BatchFixture {
    uint256 private constant SIZE = 7;

    BatchRegister.Place private place;
    BatchRegister.BatchEntry private current;
    bytes32 private leaf;
    bytes32[] private digests;
    bytes32 private replacement = REPLACEMENT;
    bytes32 private reason = REASON;
    uint256 private deadline = DEADLINE;

    function setUp() public override {
        super.setUp();
        digests = contents(1, SIZE);
        BatchRegister.BatchEntry memory nothing;
        place.batch = append(batchOf(SERIES, digests), nothing);
        append(batchOf(SERIES, contents(2, 3)), place.batch);
        place.series = SERIES;
        pick(3);
        vm.warp(START + 60);
    }

    function pick(uint256 index) private {
        place.index = uint64(index);
        place.digest = digests[index];
        place.path = Naive.path(index, Naive.leaves(digests));
        leaf = Naive.leafHash(place.digest);
    }

    function signed(bool isVoid) private view returns (bytes32) {
        bytes32 head = batches.headOf(leaf);
        return
            toSign(
                isVoid
                    ? voidStruct(leaf, head, reason, deadline)
                    : amendStruct(leaf, head, replacement, reason, deadline)
            );
    }

    function call(bool isVoid) private view returns (bytes memory) {
        return call(isVoid, approve(keysOf(2), signed(isVoid)));
    }

    function call(bool isVoid, Register.Approval[] memory given) private view returns (bytes memory) {
        return
            isVoid
                ? abi.encodeCall(BatchRegister.void, (place, reason, deadline, current, given))
                : abi.encodeCall(BatchRegister.amend, (place, replacement, reason, deadline, current, given));
    }

    function next(bool isVoid) private view returns (BatchRegister.BatchEntry memory entry) {
        entry = following(current, isVoid ? 4 : 3, 0, 0, reason);
        entry.status = isVoid ? 3 : 2;
        entry.digest = isVoid ? bytes32(0) : replacement;
    }

    /// @dev Correct, and go on from the entry that should have been recorded.
    function correct(bool isVoid) private {
        BatchRegister.BatchEntry memory entry = next(isVoid);
        (bool done, ) = address(batches).call(call(isVoid));
        assertTrue(done, "corrected");
        current = entry;
        assertEq(batches.headOf(leaf), keccak256(abi.encode(entry)));
    }

    function refuseBoth(bytes memory problem) private {
        refuse(call(false), leaf, problem);
        refuse(call(true), leaf, problem);
    }

    function invalidSignature() private view returns (bytes memory) {
        return abi.encodeWithSelector(Register.InvalidSignature.selector, vm.addr(registrars[0]));
    }

    // What is recorded

    function test_any_leaf_can_be_corrected_in_any_way(uint8 index, bool isVoid) public {
        pick(index % SIZE);
        correct(isVoid);
        assertEq(current.sequence, 1);
        assertEq(current.previous, 0);
    }

    function test_a_leaf_can_be_amended_again_and_then_voided() public {
        correct(false);
        vm.warp(block.timestamp + 1);
        (replacement, reason) = (keccak256("a better one"), keccak256("another reason"));
        correct(false);
        correct(true);
        assertEq(current.sequence, 3);
    }

    function test_other_leaves_and_the_batches_stay_as_they_are(bool isVoid) public {
        bytes32 head = batches.headOf(SERIES);
        correct(isVoid);
        assertEq(batches.headOf(SERIES), head);
        assertEq(batches.headOf(idOf(SERIES, 1)), hashOf(place.batch));
        for (uint256 i = 0; i < SIZE; ++i) {
            if (i != 3) assertEq(batches.headOf(Naive.leafHash(digests[i])), 0);
        }
    }

    function test_leaves_that_the_chain_holds_can_be_corrected(uint8 index, bool isVoid) public {
        BatchRegister.BatchEntry memory nothing;
        digests = contents(5, SIZE);
        place.batch = appendLeaves(OTHER_SERIES, digests, nothing);
        place.series = OTHER_SERIES;
        pick(index % SIZE);
        correct(isVoid);
    }

    function test_approvers_are_told_and_then_the_whole_entry(bool isVoid) public {
        vm.recordLogs();
        correct(isVoid);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        assertEq(logs[1].topics.length, 2);
        assertEq(logs[1].topics[0], keccak256(abi.encodePacked("Recorded(bytes32,", ENTRY_TYPE, ")")));
        assertEq(logs[1].topics[1], leaf);
        assertEq(keccak256(logs[1].data), keccak256(abi.encode(current)));
    }

    // Only a leaf of a batch

    function test_what_is_at_another_index_is_not_corrected(uint64 index) public {
        vm.assume(index != place.index);
        place.index = index;
        refuseBoth(abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
    }

    function test_what_is_in_no_batch_is_not_corrected(bytes32 digest) public {
        place.digest = digest;
        leaf = Naive.leafHash(digest);
        refuseBoth(abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
    }

    function test_a_leaf_is_proved_in_its_own_series_and_batch() public {
        place.series = OTHER_SERIES;
        refuseBoth(abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
        place.series = SERIES;
        place.batch.sequence = 2;
        refuseBoth(abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
    }

    function test_an_inner_node_is_not_corrected() public {
        bytes32[] memory hashes = Naive.leaves(digests);
        place.digest = sha256(bytes.concat(hex"01", hashes[2], hashes[3]));
        place.path = Naive.slice(Naive.path(3, hashes), 1, 3);
        leaf = Naive.leafHash(place.digest);
        refuseBoth(abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
    }

    function test_any_other_entry_of_the_batch_is_no_batch(uint8 word, uint8 bit, bool isVoid) public {
        bytes memory data = call(isVoid);
        // The call's first word says where the place is; after the series comes the entry.
        uint256 start = 4 + uint256(bytes32At(data, 4)) + 32;
        uint256 index = start + uint256(word % 11) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        refuse(data, leaf, abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
    }

    function test_the_leaf_is_proved_again_for_a_second_correction(bool isVoid) public {
        correct(false);
        place.path[0] ^= bytes32(uint256(1));
        refuse(call(isVoid), leaf, abi.encodeWithSelector(BatchRegister.NotInBatch.selector, leaf));
    }

    // The current entry

    function test_any_other_current_entry_is_stale(uint8 word, uint8 bit, bool isFirst, bool isVoid) public {
        if (!isFirst) correct(false);
        bytes memory data = call(isVoid);
        uint256 index = 4 + (isVoid ? 3 : 4) * 32 + uint256(word % 11) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        refuse(data, leaf, abi.encodeWithSelector(Register.StaleHead.selector, leaf, batches.headOf(leaf)));
    }

    /// @dev Registrars who take a leaf's hash for a series block its corrections: it is not good any more, nor amended.
    function test_a_leaf_that_was_taken_for_a_series_is_not_corrected() public {
        current = append(batchOf(leaf, contents(8, 2)), current);
        refuseBoth(abi.encodeWithSelector(Register.StaleHead.selector, leaf, hashOf(current)));
    }

    function test_a_corrected_leaf_is_no_series() public {
        correct(false);
        BatchRegister.Batch memory batch_ = batchOf(leaf, contents(8, 2));
        bytes memory data = abi.encodeCall(BatchRegister.append, (batch_, current, approvalsOf(batch_)));
        refuse(data, leaf, abi.encodeWithSelector(Register.StaleHead.selector, leaf, hashOf(current)));
    }

    function test_nothing_is_stale_once_there_is_a_correction(bool isVoid) public {
        correct(false);
        delete current;
        refuse(call(isVoid), leaf, abi.encodeWithSelector(Register.StaleHead.selector, leaf, batches.headOf(leaf)));
    }

    function test_a_correction_cannot_be_played_again() public {
        bytes memory data = call(false);
        correct(false);
        refuse(data, leaf, abi.encodeWithSelector(Register.StaleHead.selector, leaf, batches.headOf(leaf)));
    }

    function test_what_was_voided_is_never_corrected_again(bool wasAmended) public {
        if (wasAmended) correct(false);
        correct(true);
        refuseBoth(abi.encodeWithSelector(BatchRegister.Voided.selector, leaf));
    }

    function test_a_correction_has_a_reason_and_an_amendment_a_content() public {
        bytes memory problem = abi.encodeWithSelector(BatchRegister.InvalidCorrection.selector, leaf);
        reason = 0;
        refuseBoth(problem);
        (reason, replacement) = (REASON, 0);
        refuse(call(false), leaf, problem);
        correct(true);
    }

    // Who signs

    function test_two_registrars_sign(bool isVoid) public {
        bytes memory data = call(isVoid, approve(keysOf(1), signed(isVoid)));
        refuse(data, leaf, abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_everything_that_is_asked_for_is_signed(uint8 member, bool isVoid) public {
        Register.Approval[] memory given = approve(keysOf(2), signed(isVoid));
        if (member % 4 == 0) reason ^= bytes32(uint256(1));
        else if (member % 4 == 1) deadline += 1;
        else if (member % 4 == 2) pick(2);
        else if (isVoid) return;
        else replacement ^= bytes32(uint256(1));
        refuse(call(isVoid, given), leaf, invalidSignature());
    }

    function test_what_follows_another_head_is_not_signed(bool isVoid) public {
        Register.Approval[] memory given = approve(keysOf(2), signed(isVoid));
        correct(false);
        refuse(call(isVoid, given), leaf, invalidSignature());
    }

    function test_signatures_for_one_correction_are_not_for_the_other(bool isVoid) public {
        refuse(call(isVoid, approve(keysOf(2), signed(!isVoid))), leaf, invalidSignature());
    }

    // Deadline

    function test_the_last_second_is_in_time(bool isVoid) public {
        vm.warp(DEADLINE);
        correct(isVoid);
    }

    function test_a_second_later_is_too_late() public {
        vm.warp(DEADLINE + 1);
        refuseBoth(abi.encodeWithSelector(Register.Expired.selector, DEADLINE));
    }

    function bytes32At(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }
}
