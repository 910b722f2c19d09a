// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandCourt} from "../LandCourt.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

contract FreezeTest is LandFixture {
    uint256 private count = 2;

    function given(string memory name) private view returns (Register.Approval[] memory) {
        return approve(judgesOf(count), shortStruct(name));
    }

    function freezing() private view returns (bytes memory) {
        return abi.encodeCall(register.freeze, (recordId, DEADLINE, current, given("FreezeTitle")));
    }

    function thawing() private view returns (bytes memory) {
        return abi.encodeCall(register.unfreeze, (recordId, DEADLINE, current, given("UnfreezeTitle")));
    }

    // Freeze

    function test_a_frozen_title_keeps_what_it_is(uint64 area, uint16 number, bytes32 root) public {
        (current.area, current.liens, current.lienRoot) = (area, number, root);
        force(recordId, current);
        LandRegister.LandEntry memory wanted = following(6, judgesOf(2));
        wanted.status = 2;
        assertRecords(freezing(), wanted);
    }

    function test_only_an_active_title_is_frozen(uint8 status) public {
        vm.assume(status != 1);
        refuseStatus(freezing, status);
    }

    function test_enough_of_the_court_freeze() public {
        count = 1;
        refuse(freezing(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_registrars_are_no_court() public {
        bytes32 signed = shortStruct("FreezeTitle");
        bytes memory data =
            abi.encodeCall(register.freeze, (recordId, DEADLINE, current, approvedBy(2, signed)));
        refuse(data, abi.encodeWithSelector(Authority.NotCourt.selector, vm.addr(registrars[0])));
    }

    function test_a_court_is_no_registrar() public {
        LandRegister.Title[] memory titles = new LandRegister.Title[](1);
        titles[0] = title(9);
        Register.Approval[] memory judged = approve(judgesOf(2), typedData(issueStruct(titles, DEADLINE)));
        bytes memory data = abi.encodeCall(register.issue, (titles, DEADLINE, judged));
        refuse(data, abi.encodeWithSelector(Authority.NotRegistrar.selector, vm.addr(judges[0])));
    }

    function test_a_register_without_a_court_freezes_nothing() public {
        LandRegister other = new LandRegister(authority, 0);
        authority.setPolicy(address(other), REGISTRAR, 2);
        register = other;
        issue(batch(1));
        current = firstEntry(title(1));
        refuse(freezing(), abi.encodeWithSelector(Authority.NoPolicy.selector, address(other)));
    }

    function test_a_freeze_is_of_the_newest_entry_and_once() public {
        refuseStale(freezing);
    }

    function test_what_was_never_issued_is_not_frozen() public {
        refuseNever(freezing);
    }

    function test_a_freeze_has_a_deadline() public {
        refuseLate(freezing);
    }

    // Unfreeze

    function test_a_title_that_is_free_again_is_as_before() public {
        forceStatus(2);
        LandRegister.LandEntry memory wanted = following(7, judgesOf(2));
        wanted.status = 1;
        assertRecords(thawing(), wanted);
    }

    function test_only_a_frozen_title_is_set_free(uint8 status) public {
        vm.assume(status != 2);
        forceStatus(status);
        refuse(thawing(), abi.encodeWithSelector(LandCourt.NotFrozen.selector, recordId, status));
    }

    function test_enough_of_the_court_set_free() public {
        forceStatus(2);
        count = 1;
        refuse(thawing(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_an_order_to_freeze_does_not_set_free() public {
        forceStatus(2);
        bytes memory data = abi.encodeCall(register.unfreeze, (recordId, DEADLINE, current, given("FreezeTitle")));
        refuseSignature(data, judges[0]);
        current.status = 1;
        force(recordId, current);
        data = abi.encodeCall(register.freeze, (recordId, DEADLINE, current, given("UnfreezeTitle")));
        refuseSignature(data, judges[0]);
    }

    function test_setting_free_is_of_the_newest_entry_and_once() public {
        forceStatus(2);
        refuseStale(thawing);
    }

    function test_what_was_never_issued_is_not_set_free() public {
        refuseNever(thawing);
    }

    function test_setting_free_has_a_deadline() public {
        forceStatus(2);
        refuseLate(thawing);
    }
}
