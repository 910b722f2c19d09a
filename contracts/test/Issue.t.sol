// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandEntries} from "../LandEntries.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {Fixture, Vm} from "./Fixture.sol";

contract IssueTest is Fixture {
    // What is recorded

    function test_the_head_is_the_hash_of_the_first_entry() public {
        LandRegister.Title[] memory titles = batch(3);
        issue(titles);
        for (uint256 i = 0; i < titles.length; ++i) {
            assertEq(register.headOf(titles[i].recordId), hashOf(firstEntry(titles[i])));
        }
    }

    function test_a_parcel_without_a_title_has_no_head() public {
        issue(batch(3));
        assertEq(register.headOf(title(4).recordId), 0);
    }

    function test_heads_lie_in_slot_zero() public {
        LandRegister.Title[] memory titles = batch(1);
        issue(titles);
        bytes32 slot = keccak256(abi.encode(titles[0].recordId, uint256(0)));
        assertEq(vm.load(address(register), slot), hashOf(firstEntry(titles[0])));
    }

    function test_an_entry_is_hashed_in_twelve_words() public pure {
        LandRegister.LandEntry memory entry;
        assertEq(abi.encode(entry).length, 12 * 32);
    }

    function test_any_title_is_recorded_as_given(bytes32 id, bytes32 digest, address holder, uint64 area) public {
        vm.assume(digest != 0 && holder != address(0) && area != 0);
        LandRegister.Title[] memory titles = new LandRegister.Title[](1);
        titles[0] = LandEntries.Title(id, digest, holder, area);
        issue(titles);
        assertEq(register.headOf(id), hashOf(firstEntry(titles[0])));
    }

    function test_the_approvals_are_those_who_signed() public {
        LandRegister.Title[] memory titles = batch(1);
        register.issue(titles, DEADLINE, approve(keysOf(3), typedData(issueStruct(titles, DEADLINE))));
        LandRegister.LandEntry memory entry = firstEntry(titles[0]);
        entry.approvals = packedHash(keysOf(3));
        assertEq(register.headOf(titles[0].recordId), hashOf(entry));
    }

    // What is told

    function test_the_approvers_are_told_once_before_the_titles() public {
        vm.recordLogs();
        issue(batch(3));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 4);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        address[] memory approvers = abi.decode(logs[0].data, (address[]));
        assertEq(approvers.length, 2);
        assertEq(approvers[0], vm.addr(registrars[0]));
        assertEq(approvers[1], vm.addr(registrars[1]));
    }

    function test_every_title_is_told_in_standard_abi() public {
        LandRegister.Title[] memory titles = batch(2);
        vm.recordLogs();
        issue(titles);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < titles.length; ++i) {
            Vm.Log memory log = logs[i + 1];
            assertEq(log.topics.length, 2);
            assertEq(log.topics[0], keccak256("Issued(bytes32,bytes32,address,uint64)"));
            assertEq(log.topics[1], titles[i].recordId);
            assertEq(log.data.length, 96);
            assertEq(keccak256(log.data), keccak256(abi.encode(titles[i].digest, titles[i].holder, titles[i].area)));
        }
    }

    // What is refused

    function test_an_empty_batch_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(LandTitles.EmptyBatch.selector));
        this.issueThis(new LandRegister.Title[](0));
    }

    function test_a_title_has_a_holder() public {
        LandRegister.Title[] memory titles = batch(3);
        titles[1].holder = address(0);
        refuse(titles, LandEntries.InvalidTitle.selector, titles[1].recordId);
    }

    function test_a_title_has_an_area() public {
        LandRegister.Title[] memory titles = batch(3);
        titles[2].area = 0;
        refuse(titles, LandEntries.InvalidTitle.selector, titles[2].recordId);
    }

    function test_a_title_has_a_content() public {
        LandRegister.Title[] memory titles = batch(3);
        titles[0].digest = 0;
        refuse(titles, LandEntries.InvalidTitle.selector, titles[0].recordId);
    }

    function test_a_parcel_has_one_title_for_ever() public {
        issue(batch(1));
        LandRegister.Title[] memory titles = batch(1);
        titles[0].digest = keccak256("another content");
        refuse(titles, Register.AlreadyRecorded.selector, titles[0].recordId);
    }

    function test_a_batch_names_a_parcel_once() public {
        LandRegister.Title[] memory titles = batch(3);
        titles[2].recordId = titles[0].recordId;
        refuse(titles, Register.AlreadyRecorded.selector, titles[0].recordId);
    }

    function test_one_bad_title_stops_the_whole_batch() public {
        LandRegister.Title[] memory titles = batch(3);
        titles[2].area = 0;
        refuse(titles, LandEntries.InvalidTitle.selector, titles[2].recordId);
        assertEq(register.headOf(titles[0].recordId), 0);
    }

    function test_an_issue_cannot_be_played_again() public {
        LandRegister.Title[] memory titles = batch(2);
        issue(titles);
        refuse(titles, Register.AlreadyRecorded.selector, titles[0].recordId);
    }

    // What is signed

    function test_every_member_of_every_title_is_signed(uint8 which, uint8 member) public {
        LandRegister.Title[] memory titles = batch(3);
        Register.Approval[] memory given = approve(keysOf(2), typedData(issueStruct(titles, DEADLINE)));
        LandRegister.Title memory changed = titles[which % 3];
        if (member % 4 == 0) changed.recordId = keccak256("another parcel");
        else if (member % 4 == 1) changed.digest = keccak256("another content");
        else if (member % 4 == 2) changed.holder = vm.addr(STRANGER_KEY);
        else changed.area += 1;
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
        register.issue(titles, DEADLINE, given);
    }

    function test_no_title_is_added_or_left_out(uint8 count) public {
        LandRegister.Title[] memory signed = batch(3);
        LandRegister.Title[] memory sent = batch(1 + (count % 5));
        vm.assume(sent.length != 3);
        Register.Approval[] memory given = approve(keysOf(2), typedData(issueStruct(signed, DEADLINE)));
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
        register.issue(sent, DEADLINE, given);
    }

    // Calldata that no encoder makes

    function test_words_that_do_not_fit_their_types_are_refused(uint8 bit) public {
        LandRegister.Title[] memory titles = batch(1);
        bytes memory data = issueCall(titles);
        assertFails(flipped(data, HOLDER_WORD, uint256(bit) % 96));
        assertFails(flipped(data, HOLDER_WORD + 32, uint256(bit) % 192));
        (bool done, ) = address(register).call(data);
        assertTrue(done, "the call itself is good");
    }

    function test_a_batch_longer_than_its_calldata_is_refused() public {
        bytes memory data = issueCall(batch(1));
        assembly {
            mstore(add(data, 0x84), 1000000)
        }
        assertFails(data);
    }

    /// @dev Of `data`: selector, three words of head, the count, recordId, digest.
    uint256 private constant HOLDER_WORD = 4 + 3 * 32 + 32 + 64;

    function issueCall(LandRegister.Title[] memory titles) private view returns (bytes memory) {
        Register.Approval[] memory given = approve(keysOf(2), typedData(issueStruct(titles, DEADLINE)));
        return abi.encodeCall(register.issue, (titles, DEADLINE, given));
    }

    /// @dev The data with one bit set, counted from the word's left, and signed for what that makes of the title.
    function flipped(bytes memory data, uint256 word, uint256 bit) private pure returns (bytes memory copy) {
        copy = bytes.concat(data);
        uint256 index = word + bit / 8;
        copy[index] = copy[index] | bytes1(uint8(128 >> (bit % 8)));
    }

    function assertFails(bytes memory data) private {
        (bool done, ) = address(register).call(data);
        assertTrue(!done, "refused");
        assertEq(register.headOf(title(1).recordId), 0);
    }

    function refuse(LandRegister.Title[] memory titles, bytes4 problem, bytes32 recordId) private {
        bytes memory data = issueCall(titles);
        (bool done, bytes memory answer) = address(register).call(data);
        assertTrue(!done, "refused");
        assertEq(keccak256(answer), keccak256(abi.encodeWithSelector(problem, recordId)));
    }

    function issueThis(LandRegister.Title[] memory titles) external {
        issue(titles);
    }
}
