// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IdentityHistory} from "../IdentityHistory.sol";
import {IdentityRegister} from "../IdentityRegister.sol";
import {Register} from "../Register.sol";
import {Wallet} from "./Fixture.sol";
import {IdentityFixture} from "./IdentityFixture.sol";

/// @dev Who controls an identity: rotation, recovery, confirmation and veto.
contract IdentityControlTest is IdentityFixture {
    function invalid(uint256 key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Register.InvalidSignature.selector, vm.addr(key));
    }

    // Rotation

    function test_the_old_controller_signs_a_rotation() public {
        begin();
        change.oldKey = STRANGER_KEY;
        refuse(ROTATE, invalid(OLD_KEY));
    }

    function test_the_new_controller_signs_a_rotation() public {
        begin();
        change.newKey = STRANGER_KEY;
        refuse(ROTATE, invalid(NEW_KEY));
    }

    function test_the_two_controllers_cannot_change_places() public {
        begin();
        (change.oldKey, change.newKey) = (NEW_KEY, OLD_KEY);
        refuse(ROTATE, invalid(OLD_KEY));
    }

    function test_nobody_is_no_controller() public {
        begin();
        change.controller = address(0);
        bytes memory problem = abi.encodeWithSelector(IdentityRegister.InvalidController.selector, address(0));
        refuse(ROTATE, problem);
        refuse(RECOVER, problem);
    }

    function test_the_controller_is_not_replaced_by_himself() public {
        begin();
        change.controller = vm.addr(OLD_KEY);
        change.newKey = OLD_KEY;
        bytes memory problem =
            abi.encodeWithSelector(IdentityRegister.InvalidController.selector, vm.addr(OLD_KEY));
        refuse(ROTATE, problem);
        refuse(RECOVER, problem);
    }

    function test_an_expired_identity_is_not_rotated() public {
        begin();
        vm.warp(VALID_UNTIL);
        refuse(ROTATE, abi.encodeWithSelector(IdentityRegister.PastValidity.selector, recordId, VALID_UNTIL));
        vm.warp(VALID_UNTIL - 1);
        accept(ROTATE);
    }

    function test_after_a_rotation_the_old_controller_has_no_say() public {
        begin();
        accept(ROTATE);
        change.controller = vm.addr(HOLDER_KEY);
        change.newKey = HOLDER_KEY;
        refuse(ROTATE, invalid(NEW_KEY));
        change.oldKey = NEW_KEY;
        accept(ROTATE);
    }

    function test_controllers_may_be_wallets_with_code() public {
        begin();
        change.controller = address(new Wallet(vm.addr(NEW_KEY)));
        accept(ROTATE);
        change.controller = vm.addr(HOLDER_KEY);
        (change.oldKey, change.newKey) = (NEW_KEY, HOLDER_KEY);
        accept(RECOVER);
        accept(VETO);
        accept(ROTATE);
    }

    // Recovery

    function test_a_recovery_needs_no_signature_of_a_controller() public {
        begin();
        (change.oldKey, change.newKey) = (STRANGER_KEY, STRANGER_KEY);
        accept(RECOVER);
        assertEq(current.status, RECOVERING);
        vm.warp(block.timestamp + DELAY);
        accept(CONFIRM);
        assertEq(current.controller, vm.addr(NEW_KEY));
        assertEq(current.status, ACTIVE);
    }

    function test_an_expired_identity_is_recovered() public {
        begin();
        vm.warp(VALID_UNTIL + 1);
        accept(RECOVER);
    }

    function test_a_suspended_identity_stays_suspended_when_its_recovery_ends() public {
        begin();
        accept(SUSPEND);
        accept(RECOVER);
        accept(VETO);
        assertEq(current.status, SUSPENDED);
        accept(RECOVER);
        vm.warp(block.timestamp + DELAY);
        accept(CONFIRM);
        assertEq(current.status, SUSPENDED);
        assertEq(current.controller, vm.addr(NEW_KEY));
    }

    function test_a_recovery_is_confirmed_if_and_only_if_the_delay_is_over(uint32 wait) public {
        begin();
        accept(RECOVER);
        uint256 end = uint256(current.time) + DELAY;
        vm.warp(block.timestamp + wait % (2 * DELAY));
        if (block.timestamp >= end) accept(CONFIRM);
        else refuse(CONFIRM, abi.encodeWithSelector(IdentityRegister.VetoOpen.selector, recordId, end));
    }

    function test_a_recovery_is_vetoed_if_and_only_if_the_delay_is_not_over(uint32 wait) public {
        begin();
        accept(RECOVER);
        uint256 end = uint256(current.time) + DELAY;
        vm.warp(block.timestamp + wait % (2 * DELAY));
        if (block.timestamp < end) accept(VETO);
        else refuse(VETO, abi.encodeWithSelector(IdentityRegister.VetoEnded.selector, recordId, end));
    }

    function test_the_second_in_which_the_delay_ends_is_for_confirming() public {
        begin();
        accept(RECOVER);
        uint256 end = uint256(current.time) + DELAY;
        vm.warp(end - 1);
        refuse(CONFIRM, abi.encodeWithSelector(IdentityRegister.VetoOpen.selector, recordId, end));
        vm.warp(end);
        refuse(VETO, abi.encodeWithSelector(IdentityRegister.VetoEnded.selector, recordId, end));
        accept(CONFIRM);
    }

    function test_the_longest_delay_is_counted_right() public {
        identities = new IdentityRegister(authority, type(uint40).max);
        authority.setPolicy(address(identities), REGISTRAR, 2);
        begin();
        accept(RECOVER);
        uint256 end = uint256(current.time) + type(uint40).max;
        refuse(CONFIRM, abi.encodeWithSelector(IdentityRegister.VetoOpen.selector, recordId, end));
        accept(VETO);
    }

    // Veto

    function test_a_veto_leaves_the_controller_who_gave_it() public {
        begin();
        accept(RECOVER);
        accept(VETO);
        assertEq(current.controller, vm.addr(OLD_KEY));
        assertEq(current.status, ACTIVE);
        accept(ROTATE);
    }

    function test_only_the_controller_who_would_go_vetoes() public {
        begin();
        accept(RECOVER);
        change.oldKey = NEW_KEY;
        refuse(VETO, invalid(OLD_KEY));
        change.oldKey = STRANGER_KEY;
        refuse(VETO, invalid(OLD_KEY));
        change.oldKey = registrars[0];
        refuse(VETO, invalid(OLD_KEY));
    }

    function test_a_veto_has_a_deadline() public {
        begin();
        accept(RECOVER);
        change.deadline = block.timestamp;
        bytes memory data = callOf(VETO);
        vm.warp(change.deadline + 1);
        refuseCall(data, abi.encodeWithSelector(Register.Expired.selector, change.deadline));
        vm.warp(change.deadline);
        acceptCall(VETO, data);
    }

    function test_the_deadline_of_a_veto_is_signed() public {
        begin();
        accept(RECOVER);
        Signed memory signed = sign(VETO);
        change.deadline += 1;
        refuseCall(callOf(VETO, signed), invalid(OLD_KEY));
    }

    function test_a_veto_stops_one_recovery_only() public {
        begin();
        accept(RECOVER);
        Signed memory first = sign(VETO);
        acceptCall(VETO, callOf(VETO, first));
        accept(RECOVER);
        refuseCall(callOf(VETO, first), invalid(OLD_KEY));
        accept(VETO);
    }

    // The entry before

    function test_any_other_entry_before_is_refused(uint8 which, uint8 word, uint8 bit) public {
        uint8 action = which % 2 == 0 ? CONFIRM : VETO;
        beginFor(action);
        bytes memory data = callOf(action);
        uint256 index = 4 + 10 * 32 + uint256(word % 9) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        bytes32 previous = hashOf(before);
        refuseCall(data, abi.encodeWithSelector(IdentityHistory.WrongEntryBefore.selector, recordId, previous));
        accept(action);
    }

    function test_an_older_entry_is_not_the_one_before() public {
        begin();
        IdentityHistory.IdentityEntry memory first = current;
        accept(ROTATE);
        change.controller = vm.addr(HOLDER_KEY);
        accept(RECOVER);
        bytes32 previous = hashOf(before);
        before = first;
        refuse(VETO, abi.encodeWithSelector(IdentityHistory.WrongEntryBefore.selector, recordId, previous));
    }

    // Revocation

    function test_a_revoked_identity_never_lives_again(uint8 which, uint24 wait) public {
        begin();
        if (which % 3 == 1) accept(SUSPEND);
        if (which % 3 == 2) accept(RECOVER);
        accept(REVOKE);
        vm.warp(block.timestamp + wait);
        for (uint8 action = RENEW; action <= REVOKE; ++action) {
            refuse(action, abi.encodeWithSelector(IdentityHistory.WrongStatus.selector, recordId, REVOKED));
        }
        IdentityRegister.Identity[] memory again = several(1);
        again[0].validUntil = type(uint40).max;
        refuseCall(issueCall(again), abi.encodeWithSelector(Register.AlreadyRecorded.selector, recordId));
    }
}
