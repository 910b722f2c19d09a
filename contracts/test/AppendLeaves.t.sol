// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {BatchRegister} from "../BatchRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {BatchFixture, Naive} from "./BatchFixture.sol";

contract AppendLeavesTest is BatchFixture {
    BatchRegister.BatchEntry private current;
    bytes32[] private digests;

    function setUp() public override {
        super.setUp();
        digests = contents(1, 6);
    }

    function approvals() private view returns (Register.Approval[] memory) {
        return approve(keysOf(2), toSign(leavesStruct(SERIES, batches.headOf(SERIES), digests)));
    }

    function call(Register.Approval[] memory given) private view returns (bytes memory) {
        return abi.encodeCall(BatchRegister.appendLeaves, (SERIES, digests, DEADLINE, current, given));
    }

    // What is recorded

    function test_the_root_is_that_of_the_leaves(uint256 salt, uint8 size) public {
        bytes32[] memory given = contents(salt, uint256(size) + 1);
        BatchRegister.BatchEntry memory entry = appendLeaves(SERIES, given, current);
        assertEq(batches.headOf(SERIES), hashOf(entry));
        assertEq(batches.headOf(idOf(SERIES, 1)), hashOf(entry));
        assertEq(entry.manifest, 0);
        assertEq(entry.count, given.length);
    }

    function test_both_ways_to_append_share_a_series() public {
        current = appendLeaves(SERIES, digests, current);
        current = append(batchOf(SERIES, contents(2, 4)), current);
        current = appendLeaves(SERIES, contents(3, 2), current);
        assertEq(batches.headOf(SERIES), hashOf(current));
        assertEq(current.sequence, 3);
        assertEq(current.total, 12);
        assertEq(current.manifest, 0);
    }

    function test_a_thousand_leaves_are_recorded() public {
        BatchRegister.BatchEntry memory entry = appendLeaves(SERIES, contents(4, 1000), current);
        assertEq(batches.headOf(SERIES), hashOf(entry));
    }

    function test_approvers_are_told_and_then_the_whole_entry() public {
        vm.recordLogs();
        BatchRegister.BatchEntry memory entry = appendLeaves(SERIES, digests, current);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        assertEq(logs[1].topics[0], keccak256(abi.encodePacked("Recorded(bytes32,", ENTRY_TYPE, ")")));
        assertEq(logs[1].topics[1], SERIES);
        assertEq(keccak256(logs[1].data), keccak256(abi.encode(entry)));
    }

    // What is refused

    function test_a_batch_has_leaves() public {
        Register.Approval[] memory given = approvals();
        digests = new bytes32[](0);
        refuse(call(given), SERIES, abi.encodeWithSelector(BatchRegister.InvalidBatch.selector, SERIES));
    }

    function test_any_other_current_entry_is_stale(uint8 word, uint8 bit, bool isFirst) public {
        if (!isFirst) current = appendLeaves(SERIES, digests, current);
        bytes memory data = call(approvals());
        uint256 index = 4 + 3 * 32 + uint256(word % 11) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        refuse(data, SERIES, abi.encodeWithSelector(Register.StaleHead.selector, SERIES, batches.headOf(SERIES)));
    }

    function test_leaves_cannot_be_appended_again_with_the_same_signatures() public {
        bytes memory data = call(approvals());
        (bool done, ) = address(batches).call(data);
        assertTrue(done, "first");
        refuse(data, SERIES, abi.encodeWithSelector(Register.StaleHead.selector, SERIES, batches.headOf(SERIES)));
    }

    function test_the_place_of_a_batch_is_no_series() public {
        current = appendLeaves(SERIES, digests, current);
        bytes32 place = idOf(SERIES, 1);
        Register.Approval[] memory given = approve(keysOf(2), toSign(leavesStruct(place, hashOf(current), digests)));
        bytes memory data = abi.encodeCall(BatchRegister.appendLeaves, (place, digests, DEADLINE, current, given));
        refuse(data, place, abi.encodeWithSelector(Register.StaleHead.selector, place, hashOf(current)));
    }

    function test_a_place_that_is_taken_is_not_written_over() public {
        BatchRegister.BatchEntry memory nothing;
        bytes32 place = idOf(SERIES, 1);
        append(batchOf(place, contents(2, 2)), nothing);
        refuse(call(approvals()), SERIES, abi.encodeWithSelector(Register.AlreadyRecorded.selector, place));
    }

    // Who signs

    function test_two_registrars_sign() public {
        bytes32 structHash = leavesStruct(SERIES, 0, digests);
        bytes memory data = call(approve(keysOf(1), toSign(structHash)));
        refuse(data, SERIES, abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_every_leaf_and_their_order_are_signed(uint8 index, uint8 bit) public {
        Register.Approval[] memory given = approvals();
        bytes memory problem = abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer);
        digests[index % 6] ^= bytes32(uint256(1) << bit);
        refuse(call(given), SERIES, problem);
        digests[index % 6] ^= bytes32(uint256(1) << bit);
        (digests[index % 6], digests[(index % 6 + 1) % 6]) = (digests[(index % 6 + 1) % 6], digests[index % 6]);
        refuse(call(given), SERIES, problem);
    }

    function test_leaves_are_not_added_or_left_out() public {
        Register.Approval[] memory given = approvals();
        bytes memory problem = abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer);
        digests.push(digests[5]);
        refuse(call(given), SERIES, problem);
        digests.pop();
        digests.pop();
        refuse(call(given), SERIES, problem);
    }

    function test_another_series_is_not_signed_for() public {
        Register.Approval[] memory given = approvals();
        bytes memory data =
            abi.encodeCall(BatchRegister.appendLeaves, (OTHER_SERIES, digests, DEADLINE, current, given));
        refuse(data, OTHER_SERIES, abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
    }

    /// @dev Whoever approves a batch with its leaves wants them on the chain: the root alone does not do.
    function test_signatures_for_leaves_do_not_append_their_root() public {
        Register.Approval[] memory given = approvals();
        BatchRegister.Batch memory batch_ = batchOf(SERIES, digests);
        bytes memory data = abi.encodeCall(BatchRegister.append, (batch_, current, given));
        refuse(data, SERIES, abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
        given = approvalsOf(batch_);
        refuse(call(given), SERIES, abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
    }

    // Deadline

    function test_the_last_second_is_in_time() public {
        vm.warp(DEADLINE);
        assertEq(hashOf(appendLeaves(SERIES, digests, current)), batches.headOf(SERIES));
    }

    function test_a_second_later_is_too_late() public {
        vm.warp(DEADLINE + 1);
        refuse(call(approvals()), SERIES, abi.encodeWithSelector(Register.Expired.selector, DEADLINE));
    }

    function test_another_deadline_is_not_signed() public {
        Register.Approval[] memory given = approvals();
        bytes memory data =
            abi.encodeCall(BatchRegister.appendLeaves, (SERIES, digests, DEADLINE + 1, current, given));
        refuse(data, SERIES, abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
    }
}
