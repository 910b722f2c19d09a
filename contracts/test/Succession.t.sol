// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Authority} from "../Authority.sol";
import {Fixture} from "./Fixture.sol";

contract SuccessionTest is Fixture {
    address private constant OLD = address(0x01D);
    address private constant NEXT = address(0x2E27);

    function assertSuccession(address successor, uint256 since) private view {
        (address given, uint40 from) = authority.successorOf(OLD);
        assertEq(given, successor);
        assertEq(from, since);
    }

    function test_a_register_has_no_successor_before_one_is_announced() public view {
        assertSuccession(address(0), 0);
    }

    function test_a_successor_takes_over_after_the_delay_and_is_told_at_once() public {
        vm.recordLogs();
        authority.announceSuccessor(OLD, NEXT);
        assertSuccession(NEXT, START + 30 days);
        assertEq(vm.getRecordedLogs()[0].topics[0], keccak256("SuccessorAnnounced(address,address,uint40)"));
    }

    function test_a_successor_can_be_withdrawn_before_it_takes_over() public {
        authority.announceSuccessor(OLD, NEXT);
        vm.warp(START + 30 days - 1);
        authority.announceSuccessor(OLD, address(0));
        assertSuccession(address(0), 0);
    }

    function test_another_successor_waits_the_whole_delay_again() public {
        authority.announceSuccessor(OLD, NEXT);
        vm.warp(START + 10 days);
        authority.announceSuccessor(OLD, address(0x3));
        assertSuccession(address(0x3), START + 40 days);
    }

    function test_a_successor_that_has_taken_over_stays(address other) public {
        authority.announceSuccessor(OLD, NEXT);
        vm.warp(START + 30 days);
        vm.expectRevert(abi.encodeWithSelector(Authority.AlreadySucceeded.selector, OLD, NEXT));
        authority.announceSuccessor(OLD, other);
        assertSuccession(NEXT, START + 30 days);
    }

    function test_registers_are_succeeded_one_by_one() public {
        authority.announceSuccessor(address(0x4), NEXT);
        assertSuccession(address(0), 0);
    }

    function test_nobody_but_the_admin_announces_a_successor(address sender) public {
        vm.assume(sender != address(this) && sender != address(authority));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, sender, uint64(0))
        );
        vm.prank(sender);
        authority.announceSuccessor(OLD, NEXT);
    }
}
