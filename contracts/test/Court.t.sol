// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Authority} from "../Authority.sol";
import {Vm} from "./Fixture.sol";
import {LandFixture} from "./LandFixture.sol";

/// @dev What the authority says about courts. The test itself stands for a register.
contract CourtTest is LandFixture {
    function setUp() public override {
        super.setUp();
        authority.setPolicy(address(this), REGISTRAR, 2);
        authority.setCourtPolicy(address(this), COURT, 2);
    }

    function addressesOf(uint256 registrars_, uint256 judges_) private view returns (address[] memory list) {
        uint256[] memory keys = together(registrars_, judges_);
        list = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            list[i] = vm.addr(keys[i]);
        }
    }

    // setCourtPolicy

    function test_an_admin_sets_the_court_of_a_register() public {
        vm.recordLogs();
        authority.setCourtPolicy(address(1), 5, 3);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        (uint64 role, uint8 threshold) = authority.courtPolicyOf(address(1));
        assertEq(role, 5);
        assertEq(threshold, 3);
        assertEq(log.topics[0], keccak256("CourtPolicySet(address,uint64,uint8)"));
        assertEq(log.topics[1], bytes32(uint256(1)));
        assertEq(keccak256(log.data), keccak256(abi.encode(5, 3)));
        (role, threshold) = authority.policyOf(address(1));
        assertEq(role, 0);
        assertEq(threshold, 0);
    }

    function test_nobody_else_sets_a_court(address sender) public {
        vm.assume(sender != address(this) && sender != address(authority));
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, sender, 0));
        vm.prank(sender);
        authority.setCourtPolicy(address(register), COURT, 1);
    }

    function test_a_court_needs_at_least_one_approval() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.InvalidPolicy.selector, COURT, 0));
        authority.setCourtPolicy(address(register), COURT, 0);
        authority.setCourtPolicy(address(register), COURT, 1);
    }

    function test_a_court_is_not_everybody() public {
        uint64 everybody = authority.PUBLIC_ROLE();
        vm.expectRevert(abi.encodeWithSelector(Authority.InvalidPolicy.selector, everybody, 2));
        authority.setCourtPolicy(address(register), everybody, 2);
        authority.setCourtPolicy(address(register), everybody - 1, 2);
    }

    // checkCourt

    function test_enough_judges_are_a_court() public {
        authority.checkCourt(addressesOf(0, 2));
        authority.checkCourt(addressesOf(0, 3));
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        authority.checkCourt(addressesOf(0, 1));
    }

    function test_nobody_else_sits_in_a_court() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.NotCourt.selector, vm.addr(registrars[0])));
        authority.checkCourt(addressesOf(1, 2));
    }

    function test_a_judge_who_was_dismissed_is_none() public {
        authority.revokeRole(COURT, vm.addr(judges[1]));
        vm.expectRevert(abi.encodeWithSelector(Authority.NotCourt.selector, vm.addr(judges[1])));
        authority.checkCourt(addressesOf(0, 2));
    }

    function test_a_register_without_a_court_has_none() public {
        vm.prank(address(1));
        vm.expectRevert(abi.encodeWithSelector(Authority.NoPolicy.selector, address(1)));
        authority.checkCourt(new address[](0));
    }

    // checkApproversAndCourt

    function test_both_are_needed() public {
        authority.checkApproversAndCourt(addressesOf(2, 2));
        authority.checkApproversAndCourt(addressesOf(3, 3));
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 0, 2));
        authority.checkApproversAndCourt(addressesOf(3, 0));
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 0, 2));
        authority.checkApproversAndCourt(addressesOf(0, 3));
    }

    function test_both_have_thresholds_of_their_own() public {
        authority.setCourtPolicy(address(this), COURT, 1);
        authority.checkApproversAndCourt(addressesOf(2, 1));
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        authority.checkApproversAndCourt(addressesOf(1, 3));
        authority.setPolicy(address(this), REGISTRAR, 1);
        authority.checkApproversAndCourt(addressesOf(1, 1));
    }
}
