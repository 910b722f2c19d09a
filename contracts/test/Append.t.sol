// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {BatchRegister} from "../BatchRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {BatchFixture} from "./BatchFixture.sol";

contract AppendTest is BatchFixture {
    BatchRegister.BatchEntry private nothing;
    BatchRegister.BatchEntry private current;
    BatchRegister.Batch private batch_;

    function setUp() public override {
        super.setUp();
        batch_ = batchOf(SERIES, contents(1, 5));
    }

    function call() private view returns (bytes memory) {
        return abi.encodeCall(BatchRegister.append, (batch_, current, approvalsOf(batch_)));
    }

    /// @dev Put an entry in place that would take too long to reach.
    function force(BatchRegister.BatchEntry memory entry) private {
        current = entry;
        put(SERIES, hashOf(entry));
        put(idOf(SERIES, entry.sequence), hashOf(entry));
    }

    function put(bytes32 recordId, bytes32 head) private {
        StoreVm(address(vm)).store(address(batches), keccak256(abi.encode(recordId, uint256(0))), head);
    }

    // What is recorded

    function test_the_first_batch_is_the_head_of_its_series() public {
        BatchRegister.BatchEntry memory entry = append(batch_, nothing);
        assertEq(batches.headOf(SERIES), hashOf(entry));
        assertEq(entry.previous, 0);
        assertEq(entry.sequence, 1);
        assertEq(entry.total, 5);
    }

    function test_batches_follow_each_other_and_are_counted() public {
        current = append(batch_, nothing);
        for (uint256 i = 2; i < 6; ++i) {
            vm.warp(block.timestamp + i);
            BatchRegister.BatchEntry memory entry = append(batchOf(SERIES, contents(i, i)), current);
            assertEq(batches.headOf(SERIES), hashOf(entry));
            assertEq(entry.previous, hashOf(current));
            current = entry;
        }
        assertEq(current.sequence, 5);
        assertEq(current.total, 5 + 2 + 3 + 4 + 5);
    }

    function test_each_batch_stays_in_a_place_of_its_own() public {
        BatchRegister.BatchEntry memory first = append(batch_, nothing);
        BatchRegister.BatchEntry memory second = append(batchOf(SERIES, contents(2, 7)), first);
        assertEq(batches.headOf(idOf(SERIES, 1)), hashOf(first));
        assertEq(batches.headOf(idOf(SERIES, 2)), hashOf(second));
        assertEq(batches.headOf(idOf(SERIES, 3)), 0);
        assertEq(batches.batchId(SERIES, 2), idOf(SERIES, 2));
    }

    function test_heads_lie_in_slot_zero() public {
        BatchRegister.BatchEntry memory entry = append(batch_, nothing);
        assertEq(vm.load(address(batches), keccak256(abi.encode(SERIES, uint256(0)))), hashOf(entry));
        assertEq(abi.encode(entry).length, 11 * 32);
    }

    function test_another_series_stays_as_it_is() public {
        BatchRegister.BatchEntry memory other = append(batchOf(OTHER_SERIES, contents(9, 3)), nothing);
        append(batch_, nothing);
        assertEq(batches.headOf(OTHER_SERIES), hashOf(other));
        assertEq(batches.headOf(idOf(OTHER_SERIES, 1)), hashOf(other));
    }

    function test_any_batch_is_recorded_as_given(bytes32 series, bytes32 root, uint64 count, bytes32 manifest) public {
        vm.assume(root != 0 && count != 0 && manifest != 0);
        batch_ = BatchRegister.Batch(series, root, count, manifest, DEADLINE);
        assertEq(hashOf(append(batch_, nothing)), batches.headOf(series));
    }

    function test_the_approvals_are_those_who_signed() public {
        bytes32 digest = toSign(batchStruct(batch_, 0));
        batches.append(batch_, nothing, approve(keysOf(3), digest));
        BatchRegister.BatchEntry memory entry = following(nothing, 1, batch_.root, batch_.count, MANIFEST);
        entry.approvals = packedHash(keysOf(3));
        assertEq(batches.headOf(SERIES), hashOf(entry));
    }

    function test_approvers_are_told_and_then_the_whole_entry() public {
        vm.recordLogs();
        BatchRegister.BatchEntry memory entry = append(batch_, nothing);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        assertEq(abi.decode(logs[0].data, (address[])).length, 2);
        assertEq(logs[1].topics.length, 2);
        assertEq(logs[1].topics[0], keccak256(abi.encodePacked("Recorded(bytes32,", ENTRY_TYPE, ")")));
        assertEq(logs[1].topics[1], SERIES);
        assertEq(keccak256(logs[1].data), keccak256(abi.encode(entry)));
    }

    // What is refused

    function test_a_batch_has_leaves_a_root_and_a_manifest() public {
        bytes memory problem = abi.encodeWithSelector(BatchRegister.InvalidBatch.selector, SERIES);
        batch_.count = 0;
        refuse(call(), SERIES, problem);
        (batch_.count, batch_.root) = (5, 0);
        refuse(call(), SERIES, problem);
        (batch_.root, batch_.manifest) = (bytes32(uint256(1)), 0);
        refuse(call(), SERIES, problem);
        batch_.manifest = MANIFEST;
        append(batch_, nothing);
    }

    function test_a_series_cannot_count_beyond_64_bits(uint64 count) public {
        vm.assume(count != 0);
        BatchRegister.BatchEntry memory entry = append(batch_, nothing);
        entry.total = type(uint64).max - count;
        force(entry);
        (batch_.count, batch_.root) = (count, keccak256("root"));
        bytes memory most = call();
        entry.total += 1;
        force(entry);
        refuse(call(), SERIES, abi.encodeWithSignature("Panic(uint256)", 0x11));
        entry.total -= 1;
        force(entry);
        (bool done, ) = address(batches).call(most);
        assertTrue(done, "the last number");
    }

    function test_a_series_has_an_end() public {
        BatchRegister.BatchEntry memory entry = append(batch_, nothing);
        entry.sequence = type(uint32).max;
        force(entry);
        refuse(call(), SERIES, abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    // The current entry

    function test_any_other_current_entry_is_stale(uint8 word, uint8 bit, bool isFirst) public {
        if (!isFirst) current = append(batch_, nothing);
        bytes32 head = batches.headOf(SERIES);
        bytes memory data = call();
        uint256 index = 4 + 5 * 32 + uint256(word % 11) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        refuse(data, SERIES, abi.encodeWithSelector(Register.StaleHead.selector, SERIES, head));
    }

    function test_the_entry_before_is_stale() public {
        current = append(batch_, nothing);
        append(batchOf(SERIES, contents(2, 2)), current);
        refuse(call(), SERIES, abi.encodeWithSelector(Register.StaleHead.selector, SERIES, batches.headOf(SERIES)));
    }

    function test_nothing_is_stale_once_there_is_a_batch() public {
        append(batch_, nothing);
        refuse(call(), SERIES, abi.encodeWithSelector(Register.StaleHead.selector, SERIES, batches.headOf(SERIES)));
    }

    function test_an_append_cannot_be_played_again() public {
        bytes memory data = call();
        (bool done, ) = address(batches).call(data);
        assertTrue(done, "first");
        refuse(data, SERIES, abi.encodeWithSelector(Register.StaleHead.selector, SERIES, batches.headOf(SERIES)));
    }

    // The places of batches

    function test_the_place_of_a_batch_is_no_series() public {
        current = append(batch_, nothing);
        bytes32 place = idOf(SERIES, 1);
        batch_ = batchOf(place, contents(2, 2));
        refuse(call(), place, abi.encodeWithSelector(Register.StaleHead.selector, place, hashOf(current)));
    }

    function test_a_place_that_is_taken_is_not_written_over() public {
        bytes32 place = idOf(SERIES, 2);
        BatchRegister.BatchEntry memory squatter = append(batchOf(place, contents(2, 2)), nothing);
        current = append(batch_, nothing);
        batch_ = batchOf(SERIES, contents(3, 3));
        refuse(call(), SERIES, abi.encodeWithSelector(Register.AlreadyRecorded.selector, place));
        assertEq(batches.headOf(place), hashOf(squatter));
    }

    // Who signs

    function test_two_registrars_sign() public {
        bytes32 digest = toSign(batchStruct(batch_, 0));
        bytes memory data = abi.encodeCall(BatchRegister.append, (batch_, nothing, approve(keysOf(1), digest)));
        refuse(data, SERIES, abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_the_sender_does_not_matter(address sender) public {
        bytes memory data = call();
        vm.prank(sender);
        (bool done, ) = address(batches).call(data);
        assertTrue(done, "anybody");
    }

    function test_everything_that_is_asked_for_is_signed(uint8 member) public {
        Register.Approval[] memory given = approvalsOf(batch_);
        if (member % 5 == 0) batch_.series = OTHER_SERIES;
        else if (member % 5 == 1) batch_.root ^= bytes32(uint256(1));
        else if (member % 5 == 2) batch_.count += 1;
        else if (member % 5 == 3) batch_.manifest ^= bytes32(uint256(1));
        else batch_.deadline += 1;
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
        batches.append(batch_, nothing, given);
    }

    function test_what_follows_another_head_is_not_signed() public {
        Register.Approval[] memory given = approvalsOf(batch_);
        current = append(batchOf(SERIES, contents(2, 2)), nothing);
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
        batches.append(batch_, current, given);
    }

    function test_another_register_is_not_signed_for() public {
        bytes memory data = call();
        BatchRegister other = new BatchRegister(authority);
        authority.setPolicy(address(other), REGISTRAR, 2);
        (bool done, bytes memory answer) = address(other).call(data);
        assertTrue(!done, "refused");
        bytes memory problem = abi.encodeWithSelector(Register.InvalidSignature.selector, vm.addr(registrars[0]));
        assertEq(keccak256(answer), keccak256(problem));
    }

    // Deadline

    function test_the_last_second_is_in_time() public {
        vm.warp(DEADLINE);
        assertEq(hashOf(append(batch_, nothing)), batches.headOf(SERIES));
    }

    function test_a_second_later_is_too_late() public {
        vm.warp(DEADLINE + 1);
        refuse(call(), SERIES, abi.encodeWithSelector(Register.Expired.selector, DEADLINE));
    }

    function test_a_count_of_more_than_64_bits_is_refused(uint8 bit) public {
        bytes memory data = call();
        uint256 place = uint256(bit) % 192;
        data[4 + 2 * 32 + place / 8] = bytes1(uint8(128 >> (place % 8)));
        (bool done, ) = address(batches).call(data);
        assertTrue(!done, "refused");
    }
}

interface StoreVm {
    function store(address account, bytes32 slot, bytes32 value) external;
}
