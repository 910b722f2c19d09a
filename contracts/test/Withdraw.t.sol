// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandPending} from "../LandPending.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

contract WithdrawTest is LandFixture {
    LandRegister.LandEntry private before;
    uint256 private count = 2;

    function setUp() public override {
        super.setUp();
        wait(1);
    }

    /// @dev Put an assignment in place of a title in this state, with two liens.
    function wait(uint8 status) private {
        current = firstEntry(title(1));
        forceLiens(2);
        forceStatus(status);
        before = current;
        LandRegister.LandEntry memory entry = following(8, together(2, 2));
        (entry.status, entry.holder, entry.digest) = (4, vm.addr(RECIPIENT_KEY), keccak256("inherited"));
        current = entry;
        force(recordId, entry);
    }

    function call() private view returns (bytes memory) {
        Register.Approval[] memory given = approve(judgesOf(count), shortStruct("WithdrawPending"));
        return abi.encodeCall(register.withdraw, (recordId, DEADLINE, current, before, given));
    }

    function wanted() private view returns (LandRegister.LandEntry memory entry) {
        entry = following(13, judgesOf(2));
        (entry.status, entry.holder, entry.digest) = (before.status, before.holder, before.digest);
    }

    function test_a_title_is_as_before_its_assignment() public {
        assertRecords(call(), wanted());
        assertEq(wanted().holder, vm.addr(HOLDER_KEY));
        assertEq(wanted().sequence, 3);
        wait(2);
        assertRecords(call(), wanted());
        assertEq(wanted().status, 2);
    }

    function test_it_can_be_withdrawn_after_the_window_too() public {
        vm.warp(current.time + 40 days);
        bytes32 typehash = keccak256("WithdrawPending(bytes32 recordId,bytes32 head,uint256 deadline)");
        uint256 deadline = block.timestamp;
        bytes32 signed = typedData(keccak256(abi.encode(typehash, recordId, hashOf(current), deadline)));
        Register.Approval[] memory given = approve(judgesOf(2), signed);
        LandRegister.LandEntry memory entry = wanted();
        assertRecords(
            abi.encodeCall(register.withdraw, (recordId, deadline, current, before, given)),
            entry
        );
    }

    function test_only_an_assignment_that_waits_is_withdrawn(uint8 status) public {
        vm.assume(status != 4);
        forceStatus(status);
        refuse(call(), abi.encodeWithSelector(LandPending.NotPending.selector, recordId, status));
    }

    function test_only_the_entry_before_comes_back(uint8 word) public {
        bytes memory data = call();
        uint256 place = 4 + 32 * (2 + 12 + uint256(word % 12)) + 31;
        data[place] = data[place] ^ 0x01;
        refuse(data, abi.encodeWithSelector(LandPending.WrongPrevious.selector, recordId, current.previous));
    }

    function test_enough_of_the_court_withdraw() public {
        count = 1;
        refuse(call(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_registrars_do_not_withdraw() public {
        Register.Approval[] memory given = approvedBy(2, shortStruct("WithdrawPending"));
        bytes memory data =
            abi.encodeCall(register.withdraw, (recordId, DEADLINE, current, before, given));
        refuse(data, abi.encodeWithSelector(Authority.NotCourt.selector, vm.addr(registrars[0])));
    }

    function test_a_withdrawal_is_of_the_newest_entry_and_once() public {
        refuseStale(call);
    }

    function test_a_withdrawal_has_a_deadline() public {
        refuseLate(call);
    }
}
