// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Authority} from "../Authority.sol";
import {Fixture} from "./Fixture.sol";

contract AuthorityTest is Fixture {
    address private constant LEAKED = address(0xBAD);
    address private constant GUARDIAN = address(0x6A);
    uint64 private constant GUARDIAN_ROLE = 9;

    function refuseUnauthorized(address sender, uint64 role) private {
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, sender, role));
        vm.prank(sender);
    }

    // setPolicy

    function test_an_admin_sets_the_policy_of_a_register() public {
        vm.recordLogs();
        authority.setPolicy(address(1), 5, 3);
        (uint64 role, uint8 threshold) = authority.policyOf(address(1));
        assertEq(role, 5);
        assertEq(threshold, 3);
        bytes32 topic = vm.getRecordedLogs()[0].topics[0];
        assertEq(topic, keccak256("PolicySet(address,uint64,uint8)"));
    }

    function test_a_policy_can_be_changed() public {
        authority.setPolicy(address(register), REGISTRAR, 3);
        (, uint8 threshold) = authority.policyOf(address(register));
        assertEq(threshold, 3);
    }

    function test_nobody_else_sets_a_policy(address sender) public {
        vm.assume(sender != address(this) && sender != address(authority));
        refuseUnauthorized(sender, 0);
        authority.setPolicy(address(register), REGISTRAR, 1);
    }

    function test_a_policy_needs_at_least_one_approval() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.InvalidPolicy.selector, REGISTRAR, 0));
        authority.setPolicy(address(register), REGISTRAR, 0);
        authority.setPolicy(address(register), REGISTRAR, 1);
    }

    function test_a_policy_may_not_name_the_role_that_everybody_has() public {
        uint64 everybody = authority.PUBLIC_ROLE();
        vm.expectRevert(abi.encodeWithSelector(Authority.InvalidPolicy.selector, everybody, 2));
        authority.setPolicy(address(register), everybody, 2);
        authority.setPolicy(address(register), everybody - 1, 2);
    }

    // markSuspect

    function test_a_mark_is_kept_and_told() public {
        vm.recordLogs();
        authority.markSuspect(LEAKED, uint40(START - 5));
        assertEq(authority.suspectSince(LEAKED), START - 5);
        assertEq(vm.getRecordedLogs()[0].topics[0], keccak256("Suspected(address,uint40)"));
        assertEq(authority.suspectSince(GUARDIAN), 0);
    }

    function test_a_mark_may_be_now_but_not_in_the_future() public {
        refuseMark(uint40(START + 1));
        authority.markSuspect(LEAKED, uint40(START));
        assertEq(authority.suspectSince(LEAKED), START);
    }

    function test_a_mark_has_a_time() public {
        refuseMark(0);
        authority.markSuspect(LEAKED, 1);
        assertEq(authority.suspectSince(LEAKED), 1);
    }

    function test_a_mark_moves_only_to_an_earlier_time(uint40 first, uint40 second) public {
        first = uint40(1 + (first % START));
        second = uint40(1 + (second % START));
        authority.markSuspect(LEAKED, first);
        if (second >= first) refuseMark(second);
        else authority.markSuspect(LEAKED, second);
        assertEq(authority.suspectSince(LEAKED), second < first ? second : first);
    }

    function test_the_same_mark_is_not_set_twice() public {
        authority.markSuspect(LEAKED, uint40(START - 5));
        refuseMark(uint40(START - 5));
        authority.markSuspect(LEAKED, uint40(START - 6));
    }

    function test_a_mark_is_never_taken_away() public {
        authority.markSuspect(LEAKED, uint40(START - 5));
        refuseMark(0);
        assertEq(authority.suspectSince(LEAKED), START - 5);
    }

    function test_a_stranger_marks_nobody() public {
        refuseUnauthorized(GUARDIAN, 0);
        authority.markSuspect(LEAKED, uint40(START));
    }

    function test_marking_can_be_given_to_a_guardian_who_then_can_do_no_more() public {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = Authority.markSuspect.selector;
        authority.setTargetFunctionRole(address(authority), selectors, GUARDIAN_ROLE);
        authority.grantRole(GUARDIAN_ROLE, GUARDIAN, 0);
        vm.prank(GUARDIAN);
        authority.markSuspect(LEAKED, uint40(START));
        assertEq(authority.suspectSince(LEAKED), START);
        refuseUnauthorized(GUARDIAN, 0);
        authority.setPolicy(address(register), REGISTRAR, 1);
    }

    function test_marks_lie_where_certificates_prove_them() public {
        authority.markSuspect(LEAKED, uint40(START - 5));
        bytes32 slot = keccak256(abi.encode(LEAKED, uint256(SUSPECT_SINCE_SLOT)));
        assertEq(uint256(vm.load(address(authority), slot)), START - 5);
    }

    // checkApprovers

    function test_enough_registrars_may_approve() public {
        check(addressesOf(2));
        check(addressesOf(3));
    }

    function test_too_few_may_not() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        check(addressesOf(1));
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 0, 2));
        check(addressesOf(0));
    }

    function test_a_register_without_a_policy_changes_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.NoPolicy.selector, address(this)));
        authority.checkApprovers(addressesOf(3));
    }

    function test_a_stranger_spoils_the_approval_even_beyond_the_threshold() public {
        address[] memory signers = addressesOf(3);
        signers[2] = GUARDIAN;
        vm.expectRevert(abi.encodeWithSelector(Authority.NotRegistrar.selector, GUARDIAN));
        check(signers);
    }

    function test_a_registrar_of_another_register_is_a_stranger() public {
        authority.grantRole(REGISTRAR + 1, GUARDIAN, 0);
        authority.setPolicy(address(2), REGISTRAR + 1, 1);
        address[] memory signers = addressesOf(1);
        vm.expectRevert(abi.encodeWithSelector(Authority.NotRegistrar.selector, signers[0]));
        vm.prank(address(2));
        authority.checkApprovers(signers);
        signers[0] = GUARDIAN;
        vm.prank(address(2));
        authority.checkApprovers(signers);
    }

    function test_who_was_revoked_approves_no_more() public {
        address[] memory signers = addressesOf(2);
        authority.revokeRole(REGISTRAR, signers[1]);
        vm.expectRevert(abi.encodeWithSelector(Authority.NotRegistrar.selector, signers[1]));
        check(signers);
    }

    function test_who_is_granted_with_a_delay_approves_only_after_it() public {
        authority.setGrantDelay(REGISTRAR, 1 days);
        vm.warp(START + 30 days);
        authority.grantRole(REGISTRAR, GUARDIAN, 0);
        address[] memory signers = addressesOf(2);
        signers[0] = GUARDIAN;
        vm.expectRevert(abi.encodeWithSelector(Authority.NotRegistrar.selector, GUARDIAN));
        check(signers);
        vm.warp(START + 31 days);
        check(signers);
    }

    uint8 private constant SUSPECT_SINCE_SLOT = 4;

    function check(address[] memory signers) private {
        vm.prank(address(register));
        authority.checkApprovers(signers);
    }

    function addressesOf(uint256 count) private view returns (address[] memory accounts) {
        uint256[] memory keys = keysOf(count);
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = vm.addr(keys[i]);
        }
    }

    function refuseMark(uint40 since) private {
        vm.expectRevert(abi.encodeWithSelector(Authority.InvalidSuspicion.selector, LEAKED, since));
        authority.markSuspect(LEAKED, since);
    }
}
