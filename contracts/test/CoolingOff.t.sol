// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandPending} from "../LandPending.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {CoolingFixture} from "./CoolingFixture.sol";

contract CoolingOffTest is CoolingFixture {
    // The window

    function test_a_window_lasts_ninety_days_at_most(uint256 window) public {
        if (window > 90 days) {
            vm.expectRevert(abi.encodeWithSelector(LandTitles.InvalidCoolingOff.selector, window));
            new LandRegister(authority, window);
        } else {
            assertEq(new LandRegister(authority, window).coolingOff(), window);
        }
    }

    function test_ninety_days_are_not_too_long() public {
        assertEq(new LandRegister(authority, 90 days).coolingOff(), 90 days);
        vm.expectRevert(abi.encodeWithSelector(LandTitles.InvalidCoolingOff.selector, 90 days + 1));
        new LandRegister(authority, 90 days + 1);
    }

    // It begins

    function test_a_transfer_waits_in_an_entry_of_its_own() public {
        assertRecords(moving(), waiting());
    }

    function test_a_transfer_with_liens_waits_too() public {
        forceLiens(3);
        assertRecords(movingEncumbered(), waiting());
    }

    function test_a_transfer_waits_for_no_time_without_a_window() public {
        register = new LandRegister(authority, 0);
        authority.setPolicy(address(register), REGISTRAR, 2);
        force(recordId, current);
        LandRegister.LandEntry memory wanted = waiting();
        wanted.status = 1;
        assertRecords(moving(), wanted);
    }

    function test_a_title_that_waits_is_not_transferred() public {
        begin();
        change.recipient = vm.addr(BANK_KEY);
        refuse(movingEncumbered(), abi.encodeWithSelector(LandEntries.NotActive.selector, recordId, 4));
    }

    // It is completed

    function test_a_transfer_is_completed_if_and_only_if_its_window_is_over(uint256 wait) public {
        begin();
        vm.warp(uint256(current.time) + wait % 14 days);
        if (wait % 14 days >= 7 days) assertRecords(completing(), completed());
        else refuse(completing(), abi.encodeWithSelector(LandPending.TooEarly.selector, recordId, end()));
    }

    function test_the_window_ends_with_its_last_second() public {
        begin();
        vm.warp(end() - 1);
        refuse(completing(), abi.encodeWithSelector(LandPending.TooEarly.selector, recordId, end()));
        vm.warp(end());
        assertRecords(completing(), completed());
        assertEq(completed().holder, vm.addr(RECIPIENT_KEY));
    }

    function test_anyone_completes_a_transfer(address sender) public {
        begin();
        vm.warp(end());
        bytes memory data = completing();
        bytes32 wanted = hashOf(completed());
        vm.prank(sender);
        send(data);
        assertEq(register.headOf(recordId), wanted);
    }

    function test_a_transfer_ends_where_its_approvers_are_dismissed() public {
        begin();
        vm.warp(end());
        authority.revokeRole(REGISTRAR, vm.addr(registrars[1]));
        refuse(completing(), abi.encodeWithSelector(Authority.NotRegistrar.selector, vm.addr(registrars[1])));
        authority.grantRole(REGISTRAR, vm.addr(registrars[1]), 0);
        assertRecords(completing(), completed());
    }

    function test_the_approvers_of_the_transfer_complete_it() public {
        begin();
        vm.warp(end());
        count = 3;
        refuse(completing(), LandPending.WrongApprovers.selector, recordId);
        count = 1;
        refuse(completing(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        count = 2;
        assertRecords(completing(), completed());
    }

    function test_a_transfer_is_completed_once() public {
        begin();
        vm.warp(end());
        refuseStale(completing);
    }

    function test_an_assignment_waits_for_its_own_window() public {
        begin();
        current.action = 8;
        force(recordId, current);
        uint256 month = uint256(current.time) + 30 days;
        vm.warp(month - 1);
        refuse(completing(), abi.encodeWithSelector(LandPending.TooEarly.selector, recordId, month));
        vm.warp(month);
        refuse(completing(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 0, 2));
    }

    // The court withdraws it

    function test_a_court_withdraws_a_transfer_in_its_window_and_after(uint256 wait) public {
        begin();
        vm.warp(uint256(current.time) + wait % 14 days);
        assertRecords(withdrawing(), restored(13, judgesOf(2)));
    }

    function test_enough_of_the_court_withdraw_a_transfer() public {
        begin();
        count = 1;
        refuse(withdrawing(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }
}
