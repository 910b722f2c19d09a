// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandPending} from "../LandPending.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Wallet} from "./Fixture.sol";
import {CoolingFixture} from "./CoolingFixture.sol";

contract ObjectTest is CoolingFixture {
    function test_a_transfer_is_objected_to_if_and_only_if_its_window_is_not_over(uint256 wait) public {
        begin();
        vm.warp(uint256(current.time) + wait % 14 days);
        if (wait % 14 days < 7 days) assertRecords(objecting(), objected());
        else refuse(objecting(), abi.encodeWithSelector(LandPending.TooLate.selector, recordId, end()));
    }

    function test_the_last_second_of_the_window_is_in_time() public {
        begin();
        vm.warp(end());
        refuse(objecting(), abi.encodeWithSelector(LandPending.TooLate.selector, recordId, end()));
        vm.warp(end() - 1);
        assertRecords(objecting(), objected());
        assertEq(objected().holder, vm.addr(HOLDER_KEY));
        assertEq(objected().lienRoot, rootOf(liens));
        assertEq(objected().sequence, 3);
        assertEq(objected().action, register.OBJECT());
        assertEq(uint256(register.OBJECT()), 14);
    }

    function test_only_the_holder_before_objects() public {
        begin();
        uint256[4] memory others = [RECIPIENT_KEY, STRANGER_KEY, BANK_KEY, registrars[0]];
        for (uint256 i = 0; i < others.length; ++i) {
            holderKey = others[i];
            refuseSignature(objecting(), HOLDER_KEY);
        }
        holderKey = HOLDER_KEY;
        assertRecords(objecting(), objected());
    }

    function test_a_holder_with_code_objects() public {
        begin();
        before.holder = address(new Wallet(vm.addr(HOLDER_KEY)));
        current.previous = hashOf(before);
        force(recordId, current);
        assertRecords(objecting(), objected());
    }

    function test_only_the_entry_before_says_who_objects(uint8 word) public {
        begin();
        bytes memory data = objecting();
        uint256 place = 4 + 32 * (2 + 12 + uint256(word % 12)) + 31;
        data[place] = data[place] ^ 0x01;
        refuse(data, abi.encodeWithSelector(LandPending.WrongPrevious.selector, recordId, current.previous));
    }

    function test_a_withdrawal_is_no_objection() public {
        begin();
        bytes memory holders = signature(HOLDER_KEY, signedAs("WithdrawPending"));
        bytes memory data = abi.encodeCall(register.objectToTransfer, (recordId, deadline, current, before, holders));
        refuseSignature(data, HOLDER_KEY);
    }

    function test_nobody_objects_to_an_assignment() public {
        begin();
        current.action = 8;
        force(recordId, current);
        refuse(objecting(), abi.encodeWithSelector(LandPending.NotTransfer.selector, recordId, 8));
    }

    function test_only_a_transfer_that_waits_is_objected_to(uint8 status) public {
        vm.assume(status != 4);
        begin();
        forceStatus(status);
        refuse(objecting(), abi.encodeWithSelector(LandPending.NotPending.selector, recordId, status));
    }

    function test_an_objection_is_to_the_newest_entry_and_once() public {
        begin();
        refuseStale(objecting);
    }

    function test_an_objection_does_not_stop_the_next_transfer() public {
        begin();
        bytes memory data = objecting();
        LandRegister.LandEntry memory back = objected();
        send(data);
        current = back;
        send(movingEncumbered());
        bytes32 head = register.headOf(recordId);
        refuse(data, abi.encodeWithSelector(Register.StaleHead.selector, recordId, head));
    }

    function test_an_objection_has_a_deadline() public {
        begin();
        deadline = block.timestamp + 1 days;
        bytes memory data = objecting();
        vm.warp(deadline + 1);
        refuse(data, abi.encodeWithSelector(Register.Expired.selector, deadline));
        vm.warp(deadline);
        assertRecords(data, objected());
    }

    function test_the_deadline_of_an_objection_is_signed() public {
        begin();
        bytes memory holders = signature(HOLDER_KEY, signedAs("ObjectToTransfer"));
        bytes memory data =
            abi.encodeCall(register.objectToTransfer, (recordId, deadline + 1, current, before, holders));
        refuseSignature(data, HOLDER_KEY);
    }
}
