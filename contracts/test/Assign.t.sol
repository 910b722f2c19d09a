// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandPending} from "../LandPending.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

contract AssignTest is LandFixture {
    LandRegister.Transfer private change;
    uint256 private registrarCount = 2;
    uint256 private judgeCount = 2;
    uint256 private recipientKey = RECIPIENT_KEY;

    function setUp() public override {
        super.setUp();
        change = LandTitles.Transfer(recordId, vm.addr(RECIPIENT_KEY), keccak256("inherited"), DEADLINE);
    }

    function approvers() private view returns (uint256[] memory) {
        return together(registrarCount, judgeCount);
    }

    function signed() private view returns (bytes32) {
        string memory types =
            "AssignTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)";
        bytes32 head = hashOf(current);
        (address recipient, bytes32 digest, uint256 deadline) = (change.recipient, change.digest, change.deadline);
        return
            typedData(keccak256(abi.encode(keccak256(bytes(types)), recordId, head, recipient, digest, deadline)));
    }

    function assigning() private view returns (bytes memory) {
        LandRegister.Transfer memory asked = change;
        asked.recordId = recordId;
        bytes memory recipients = signature(recipientKey, signed());
        return abi.encodeCall(register.assign, (asked, current, recipients, approve(approvers(), signed())));
    }

    function completing() private view returns (bytes memory) {
        return abi.encodeCall(register.complete, (recordId, current, addressesOf(approvers())));
    }

    function addressesOf(uint256[] memory keys) private pure returns (address[] memory list) {
        list = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            list[i] = vm.addr(keys[i]);
        }
    }

    /// @dev What the assignment records.
    function waiting() private view returns (LandRegister.LandEntry memory wanted) {
        wanted = following(8, approvers());
        wanted.status = 4;
        wanted.holder = change.recipient;
        wanted.digest = change.digest;
    }

    /// @dev Send the assignment, and make what it records the current entry.
    function begin() private returns (LandRegister.LandEntry memory before) {
        before = current;
        LandRegister.LandEntry memory wanted = waiting();
        send(assigning());
        current = wanted;
    }

    function end() private view returns (uint256) {
        return uint256(current.time) + 30 days;
    }

    // It begins

    function test_an_assignment_waits_in_an_entry_of_its_own() public {
        assertRecords(assigning(), waiting());
    }

    function test_a_frozen_title_is_assigned_with_its_liens() public {
        forceLiens(2);
        forceStatus(2);
        assertRecords(assigning(), waiting());
    }

    function test_no_other_title_is_assigned(uint8 status) public {
        vm.assume(status != 1 && status != 2);
        refuseStatus(assigning, status);
    }

    function test_enough_registrars_and_enough_of_the_court_assign() public {
        (registrarCount, judgeCount) = (3, 1);
        refuse(assigning(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        (registrarCount, judgeCount) = (1, 3);
        refuse(assigning(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        (registrarCount, judgeCount) = (3, 3);
        assertRecords(assigning(), waiting());
    }

    function test_a_stranger_does_not_assign() public {
        registrars[0] = STRANGER_KEY;
        registrarCount = 3;
        refuse(assigning(), abi.encodeWithSelector(Authority.NotRegistrar.selector, vm.addr(STRANGER_KEY)));
    }

    function test_who_is_registrar_and_court_counts_once() public {
        authority.grantRole(COURT, vm.addr(registrars[0]), 0);
        judgeCount = 1;
        refuse(assigning(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        registrarCount = 3;
        assertRecords(assigning(), waiting());
    }

    function test_a_register_without_a_court_assigns_nothing() public {
        register = new LandRegister(authority, 0);
        force(recordId, current);
        refuse(assigning(), abi.encodeWithSelector(Authority.NoPolicy.selector, address(register)));
        authority.setCourtPolicy(address(register), COURT, 2);
        refuse(assigning(), abi.encodeWithSelector(Authority.NoPolicy.selector, address(register)));
        authority.setPolicy(address(register), REGISTRAR, 2);
        assertRecords(assigning(), waiting());
    }

    function test_the_recipient_of_an_assignment_signs() public {
        recipientKey = STRANGER_KEY;
        refuseSignature(assigning(), RECIPIENT_KEY);
    }

    function test_nobody_and_the_holder_are_no_recipients_of_an_assignment() public {
        change.recipient = address(0);
        refuse(assigning(), abi.encodeWithSelector(LandEntries.InvalidRecipient.selector, address(0)));
        change.recipient = current.holder;
        refuse(assigning(), abi.encodeWithSelector(LandEntries.InvalidRecipient.selector, current.holder));
    }

    function test_an_assignment_has_a_content() public {
        change.digest = 0;
        refuse(assigning(), LandEntries.InvalidTitle.selector, recordId);
    }

    function test_an_approved_transfer_is_no_assignment() public {
        bytes32 other = typedData(transferStruct(change, hashOf(current)));
        bytes memory recipients = signature(RECIPIENT_KEY, other);
        bytes memory data =
            abi.encodeCall(register.assign, (change, current, recipients, approve(approvers(), other)));
        refuseSignature(data, approvers()[0]);
    }

    function test_an_assignment_is_of_the_newest_entry_and_once() public {
        refuseStale(assigning);
    }

    function test_what_was_never_issued_is_not_assigned() public {
        refuseNever(assigning);
    }

    function test_an_assignment_has_a_deadline() public {
        refuseLate(assigning);
    }

    // It is completed

    function test_the_window_ends_after_thirty_days() public {
        begin();
        vm.warp(end() - 1);
        refuse(completing(), abi.encodeWithSelector(LandPending.TooEarly.selector, recordId, end()));
        vm.warp(end());
        LandRegister.LandEntry memory wanted = following(12, approvers());
        wanted.status = 1;
        assertRecords(completing(), wanted);
    }

    function test_a_title_that_was_frozen_is_active_when_it_is_assigned() public {
        forceStatus(2);
        begin();
        vm.warp(end());
        LandRegister.LandEntry memory wanted = following(12, approvers());
        wanted.status = 1;
        assertRecords(completing(), wanted);
    }

    function test_only_an_assignment_that_waits_is_completed(uint8 status) public {
        vm.assume(status != 4);
        forceStatus(status);
        vm.warp(end());
        refuse(completing(), abi.encodeWithSelector(LandPending.NotPending.selector, recordId, status));
    }

    function test_the_approvers_of_the_assignment_complete_it() public {
        begin();
        vm.warp(end());
        registrarCount = 3;
        refuse(completing(), LandPending.WrongApprovers.selector, recordId);
        registrarCount = 2;
        send(completing());
    }

    function test_an_assignment_ends_where_its_approvers_are_dismissed() public {
        begin();
        vm.warp(end());
        authority.revokeRole(REGISTRAR, vm.addr(registrars[1]));
        refuse(completing(), abi.encodeWithSelector(Authority.NotRegistrar.selector, vm.addr(registrars[1])));
        authority.grantRole(REGISTRAR, vm.addr(registrars[1]), 0);
        send(completing());
    }

    function test_a_completion_is_of_the_newest_entry_and_once() public {
        begin();
        vm.warp(end());
        refuseStale(completing);
    }
}
