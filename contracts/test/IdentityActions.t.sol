// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {IdentityHistory} from "../IdentityHistory.sol";
import {IdentityRegister} from "../IdentityRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {IdentityFixture} from "./IdentityFixture.sol";

/// @dev What holds of every change of an identity, tried on each of them: fuzzing picks `which`.
contract IdentityActionsTest is IdentityFixture {
    /// @dev Any of the actions that follow an issue.
    function anyAction(uint8 which) private pure returns (uint8) {
        return RENEW + (which % 8);
    }

    /// @dev Any that registrars approve.
    function approvedAction(uint8 which) private pure returns (uint8) {
        uint8[6] memory actions = [RENEW, ROTATE, RECOVER, SUSPEND, REINSTATE, REVOKE];
        return actions[which % 6];
    }

    // What is recorded and told

    function test_each_action_makes_the_entry_it_says() public {
        begin();
        uint8[11] memory actions =
            [RENEW, ROTATE, SUSPEND, REINSTATE, RECOVER, VETO, SUSPEND, RECOVER, CONFIRM, REINSTATE, REVOKE];
        for (uint256 i = 0; i < actions.length; ++i) {
            if (actions[i] == RENEW) change.validUntil = uint40(block.timestamp + 3000 days);
            if (actions[i] == CONFIRM) vm.warp(block.timestamp + DELAY);
            if (actions[i] == RECOVER) change.controller = vm.addr(HOLDER_KEY);
            if (actions[i] == VETO) change.oldKey = NEW_KEY;
            vm.warp(block.timestamp + 1);
            accept(actions[i]);
            assertEq(current.sequence, i + 2);
        }
        assertEq(current.controller, vm.addr(HOLDER_KEY));
        assertEq(current.status, REVOKED);
    }

    function test_approvers_are_told_and_then_the_whole_entry(uint8 which) public {
        uint8 action = anyAction(which);
        beginFor(action);
        IdentityHistory.IdentityEntry memory wanted = next(action);
        vm.recordLogs();
        accept(action);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        address[] memory approvers = abi.decode(logs[0].data, (address[]));
        assertEq(approvers.length, action == CONFIRM || action == VETO ? 0 : 2);
        assertEq(logs[1].topics.length, 2);
        bytes memory event_ =
            "Recorded(bytes32,(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,address,uint40))";
        assertEq(logs[1].topics[0], keccak256(event_));
        assertEq(logs[1].topics[1], recordId);
        assertEq(keccak256(logs[1].data), keccak256(abi.encode(wanted)));
    }

    function test_another_identity_stays_as_it_is(uint8 which) public {
        uint8 action = anyAction(which);
        IdentityRegister.Identity[] memory other = new IdentityRegister.Identity[](1);
        other[0] = identity(77);
        (bool done, ) = address(identities).call(issueCall(other));
        assertTrue(done, "issued");
        bytes32 head = identities.headOf(other[0].recordId);
        beginFor(action);
        accept(action);
        assertEq(identities.headOf(other[0].recordId), head);
    }

    // Which states allow which actions

    /// @dev Row by status, column by action from RENEW on.
    function allowed(uint8 status, uint8 action) private pure returns (bool) {
        bool[8][5] memory table;
        //                RENEW  ROTATE RECOV  CONF   VETO   SUSP   REINST REVOKE
        table[ACTIVE] = [true, true, true, false, false, true, false, true];
        table[SUSPENDED] = [false, false, true, false, false, false, true, true];
        table[RECOVERING] = [false, false, false, true, true, false, false, true];
        return table[status][action - RENEW];
    }

    function test_an_action_is_allowed_if_and_only_if_the_table_says_so(uint8 inState, uint8 which) public {
        uint8 status = ACTIVE + (inState % 4);
        uint8 action = anyAction(which);
        begin();
        if (status == SUSPENDED) accept(SUSPEND);
        if (status == REVOKED) accept(REVOKE);
        if (status == RECOVERING) accept(RECOVER);
        if (action == CONFIRM) vm.warp(block.timestamp + DELAY);
        change.controller = vm.addr(HOLDER_KEY);
        change.newKey = HOLDER_KEY;
        if (allowed(status, action)) accept(action);
        else refuse(action, abi.encodeWithSelector(IdentityHistory.WrongStatus.selector, recordId, status));
    }

    // The current entry

    function test_any_other_current_entry_is_stale(uint8 which, uint8 word, uint8 bit) public {
        uint8 action = anyAction(which);
        beginFor(action);
        bytes memory data = callOf(action);
        uint256 index = 4 + 32 + uint256(word % 9) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        refuseCall(data, abi.encodeWithSelector(Register.StaleHead.selector, recordId, hashOf(current)));
        accept(action);
    }

    function test_no_action_can_be_played_again(uint8 which) public {
        uint8 action = anyAction(which);
        beginFor(action);
        bytes memory data = callOf(action);
        acceptCall(action, data);
        refuseCall(data, abi.encodeWithSelector(Register.StaleHead.selector, recordId, hashOf(current)));
    }

    function test_what_was_never_issued_does_not_change(uint8 which) public {
        uint8 action = anyAction(which);
        beginFor(action);
        recordId = keccak256("never issued");
        refuse(action, abi.encodeWithSelector(Register.StaleHead.selector, recordId, 0));
        delete current;
        refuse(action, abi.encodeWithSelector(Register.StaleHead.selector, recordId, 0));
    }

    function test_a_history_has_an_end() public {
        begin();
        current.sequence = type(uint32).max;
        bytes32 slot = keccak256(abi.encode(recordId, uint256(0)));
        StoreVm(address(vm)).store(address(identities), slot, hashOf(current));
        bytes memory data = callOf(SUSPEND);
        refuseCall(data, abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    // Who approves

    function test_enough_registrars_approve(uint8 which, uint8 count) public {
        uint8 action = approvedAction(which);
        beginFor(action);
        change.approvers = count % 4;
        if (change.approvers >= 2) accept(action);
        else refuse(action, abi.encodeWithSelector(Authority.TooFewApprovals.selector, change.approvers, 2));
    }

    function test_a_stranger_is_no_registrar(uint8 which) public {
        uint8 action = approvedAction(which);
        beginFor(action);
        registrars.push(STRANGER_KEY);
        sortByAddress(registrars);
        change.approvers = 4;
        refuse(action, abi.encodeWithSelector(Authority.NotRegistrar.selector, vm.addr(STRANGER_KEY)));
    }

    function test_an_approval_of_one_action_is_not_one_of_another(uint8 which, uint8 other) public {
        uint8 action = approvedAction(which);
        vm.assume(approvedAction(other) != action);
        beginFor(action);
        Signed memory signed = sign(approvedAction(other));
        address signer = signed.approvals[0].signer;
        refuseCall(callOf(action, signed), abi.encodeWithSelector(Register.InvalidSignature.selector, signer));
    }

    function test_everything_that_is_asked_for_is_signed(uint8 which, uint8 member) public {
        uint8 action = approvedAction(which);
        beginFor(action);
        Signed memory signed = sign(action);
        if (action == RENEW && member % 3 == 1) change.digest = keccak256("another content");
        else if (action == RENEW && member % 3 == 2) change.validUntil += 1;
        else if ((action == ROTATE || action == RECOVER) && member % 2 == 0) change.controller = address(7);
        else change.deadline += 1;
        address signer = signed.approvals[0].signer;
        refuseCall(callOf(action, signed), abi.encodeWithSelector(Register.InvalidSignature.selector, signer));
    }

    function test_anyone_may_send_what_is_approved(uint8 which, address sender) public {
        uint8 action = anyAction(which);
        beginFor(action);
        bytes memory data = callOf(action);
        vm.prank(sender);
        acceptCall(action, data);
    }

    // Deadline

    function test_the_last_second_is_in_time_and_the_next_too_late(uint8 which) public {
        uint8 action = approvedAction(which);
        beginFor(action);
        change.deadline = block.timestamp;
        bytes memory data = callOf(action);
        vm.warp(change.deadline + 1);
        refuseCall(data, abi.encodeWithSelector(Register.Expired.selector, change.deadline));
        vm.warp(change.deadline);
        acceptCall(action, data);
    }

    // Renewal

    function test_a_renewal_ends_in_the_future(uint40 validUntil) public {
        begin();
        change.validUntil = validUntil;
        if (validUntil > block.timestamp) accept(RENEW);
        else refuse(RENEW, abi.encodeWithSelector(IdentityRegister.InvalidValidity.selector, recordId, validUntil));
    }

    function test_now_is_not_in_the_future() public {
        begin();
        change.validUntil = uint40(block.timestamp);
        bytes memory problem =
            abi.encodeWithSelector(IdentityRegister.InvalidValidity.selector, recordId, block.timestamp);
        refuse(RENEW, problem);
        change.validUntil += 1;
        accept(RENEW);
    }

    function test_a_renewal_has_a_content() public {
        begin();
        change.digest = 0;
        refuse(RENEW, abi.encodeWithSelector(IdentityRegister.InvalidDigest.selector, recordId));
    }

    function test_an_expired_identity_is_renewed() public {
        begin();
        vm.warp(VALID_UNTIL + 100 days);
        change.validUntil = uint40(block.timestamp + 1);
        accept(RENEW);
    }

    function test_words_that_do_not_fit_their_types_are_refused(uint8 bit) public {
        begin();
        assertWordRefused(RENEW, 4 + 32 + 9 * 32 + 32, uint256(bit) % 216);
        assertWordRefused(ROTATE, 4 + 32 + 9 * 32, uint256(bit) % 96);
        assertWordRefused(RECOVER, 4 + 32 + 9 * 32, uint256(bit) % 96);
    }

    function assertWordRefused(uint8 action, uint256 word, uint256 bit) private {
        bytes memory data = callOf(action);
        data[word + bit / 8] = data[word + bit / 8] | bytes1(uint8(128 >> (bit % 8)));
        refuseCall(data, "");
    }
}

interface StoreVm {
    function store(address account, bytes32 slot, bytes32 value) external;
}
