// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bundle} from "../Bundle.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Fixture, Vm} from "./Fixture.sol";

contract BundleTest is Fixture {
    Bundle private bundle;

    function setUp() public override {
        super.setUp();
        bundle = new Bundle();
    }

    /// @dev The call that issues one title, with the approvals of two registrars.
    function issueCall(uint256 number) private view returns (bytes memory) {
        LandRegister.Title[] memory titles = new LandRegister.Title[](1);
        titles[0] = title(number);
        bytes32 digest = typedData(issueStruct(titles, DEADLINE));
        return abi.encodeCall(register.issue, (titles, DEADLINE, approve(keysOf(2), digest)));
    }

    function calls(uint256 first, uint256 count) private view returns (bytes[] memory made) {
        made = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            made[i] = issueCall(first + i);
        }
    }

    // What is done

    function test_every_call_is_carried_out_whoever_sends_the_bundle() public {
        bytes[] memory made = calls(1, 3);
        vm.prank(address(0xBAD));
        bundle.send(address(register), made);
        for (uint256 i = 1; i <= 3; ++i) {
            assertEq(register.headOf(title(i).recordId), hashOf(firstEntry(title(i))));
        }
    }

    function test_any_number_of_calls_records_what_each_alone_would(uint8 count) public {
        bundle.send(address(register), calls(1, uint256(count % 20)));
        for (uint256 i = 1; i <= count % 20; ++i) {
            assertEq(register.headOf(title(i).recordId), hashOf(firstEntry(title(i))));
        }
        assertEq(register.headOf(title(count % 20 + 1).recordId), 0);
    }

    function test_the_calls_are_made_in_their_order() public {
        vm.recordLogs();
        bundle.send(address(register), calls(5, 3));
        bytes32[] memory ids = new bytes32[](3);
        uint256 found;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics.length == 2) ids[found++] = logs[i].topics[1];
        }
        assertEq(found, 3);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(ids[i], title(5 + i).recordId);
        }
    }

    // What is refused

    function test_the_call_that_reverts_is_named_with_its_reason_and_undoes_those_before() public {
        bundle.send(address(register), calls(2, 1));
        bytes memory reason = abi.encodeWithSelector(Register.AlreadyRecorded.selector, title(2).recordId);
        bytes[] memory made = calls(1, 3);
        vm.expectRevert(abi.encodeWithSelector(Bundle.CallFailed.selector, 1, reason));
        bundle.send(address(register), made);
        assertEq(register.headOf(title(1).recordId), 0);
        assertEq(register.headOf(title(3).recordId), 0);
    }

    function test_a_call_fails_that_one_before_it_has_made_impossible() public {
        bytes[] memory made = new bytes[](2);
        made[0] = made[1] = issueCall(1);
        bytes memory reason = abi.encodeWithSelector(Register.AlreadyRecorded.selector, title(1).recordId);
        vm.expectRevert(abi.encodeWithSelector(Bundle.CallFailed.selector, 1, reason));
        bundle.send(address(register), made);
    }

    function test_an_address_without_code_is_refused_because_its_calls_would_succeed() public {
        vm.expectRevert(abi.encodeWithSelector(Bundle.NoCode.selector, address(0xDEAD)));
        bundle.send(address(0xDEAD), calls(1, 1));
    }

    // What it is not

    function test_it_gives_its_callers_no_role() public {
        bytes[] memory made = new bytes[](1);
        made[0] = abi.encodeCall(authority.setPolicy, (address(register), REGISTRAR, 1));
        vm.expectRevert();
        bundle.send(address(authority), made);
    }

    function test_it_takes_no_money() public {
        (bool taken,) = address(bundle).call{value: 1}(abi.encodeCall(bundle.send, (address(register), calls(1, 1))));
        assertTrue(!taken, "no function of it is payable");
    }
}
