// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../Authority.sol";
import {LandEntries} from "../../LandEntries.sol";
import {LandRegister} from "../../LandRegister.sol";
import {LandTitles} from "../../LandTitles.sol";
import {Register} from "../../Register.sol";
import {Symbolic} from "./Symbolic.sol";

/// @dev A title's head becomes the hash of the entry that follows, and no other head changes. Arbitrary: the heads, the
/// entry that is shown, who is entitled, what the signatures are of, the time, the sender. One approval is given. A
/// transfer waits for a week.
contract LandHeadsTest is Symbolic {
    uint256 internal constant COOLING_OFF = 7 days;
    bytes32 internal constant NOBODY = keccak256("");

    LandRegister internal register;
    bytes32 internal recordId;
    bytes32 internal other;
    bytes32 internal head;
    bytes32 internal otherHead;
    uint256 internal deadline;

    function setUp() public {
        Authority authority = new Authority(address(this));
        register = new LandRegister(authority, COOLING_OFF);
        svm.enableSymbolicStorage(address(authority));
        svm.enableSymbolicStorage(address(register));
    }

    function start() internal returns (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) {
        warpToAnyTime();
        (recordId, other) = (svm.createBytes32("recordId"), svm.createBytes32("other"));
        vm.assume(recordId != other);
        (head, otherHead) = (register.headOf(recordId), register.headOf(other));
        deadline = svm.createUint(256, "deadline");
        current = abi.decode(svm.createBytes(0x180, "current"), (LandEntries.LandEntry));
        approvals = new Register.Approval[](1);
        approvals[0] = Register.Approval(svm.createAddress("signer"), signature());
    }

    function signature() internal pure returns (bytes memory) {
        return svm.createBytes(65, "signature");
    }

    function transferOf() internal view returns (LandTitles.Transfer memory) {
        return
            LandTitles.Transfer(recordId, svm.createAddress("recipient"), svm.createBytes32("digest"), deadline);
    }

    /// @dev Nothing happened, or `next`, whose own fields are set, was recorded after `current`.
    function call(
        bytes memory data,
        LandEntries.LandEntry memory current,
        LandEntries.LandEntry memory next,
        uint8 action,
        bytes32 approvals
    ) internal {
        bytes32 shown = keccak256(abi.encode(current));
        uint32 sequence = current.sequence;
        bool success = callFromAnyone(address(register), data);
        assert(register.headOf(other) == otherHead);
        if (!success) return assert(register.headOf(recordId) == head);
        assert(head != 0 && head == shown);
        (next.previous, next.sequence, next.time) = (head, sequence + 1, uint40(block.timestamp));
        (next.action, next.parents, next.approvals) = (action, 0, approvals);
        assert(register.headOf(recordId) == keccak256(abi.encode(next)));
    }

    function packed(Register.Approval[] memory approvals) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(approvals[0].signer));
    }

    function copy(LandEntries.LandEntry memory entry) internal pure returns (LandEntries.LandEntry memory) {
        return abi.decode(abi.encode(entry), (LandEntries.LandEntry));
    }

    function check_freeze() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandEntries.LandEntry memory next = copy(current);
        next.status = 2;
        bytes memory data = abi.encodeCall(register.freeze, (recordId, deadline, current, approvals));
        call(data, current, next, 6, packed(approvals));
    }

    function check_unfreeze() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandEntries.LandEntry memory next = copy(current);
        next.status = 1;
        bytes memory data = abi.encodeCall(register.unfreeze, (recordId, deadline, current, approvals));
        call(data, current, next, 7, packed(approvals));
    }

    function check_amend() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandEntries.LandEntry memory next = copy(current);
        next.digest = svm.createBytes32("digest");
        bytes memory data = abi.encodeCall(register.amend, (recordId, next.digest, deadline, current, approvals));
        call(data, current, next, 2, packed(approvals));
    }

    function check_transfer() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandTitles.Transfer memory change = transferOf();
        LandEntries.LandEntry memory next = copy(current);
        (next.holder, next.digest, next.status) = (change.recipient, change.digest, 4);
        bytes memory data = abi.encodeCall(register.transfer, (change, current, signature(), signature(), approvals));
        call(data, current, next, 3, packed(approvals));
    }

    function check_retire() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandEntries.LandEntry memory next = copy(current);
        next.status = 3;
        bytes memory data = abi.encodeCall(register.retire, (recordId, deadline, current, signature(), approvals));
        call(data, current, next, 11, packed(approvals));
    }

    function check_assign() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandTitles.Transfer memory change = transferOf();
        LandEntries.LandEntry memory next = copy(current);
        (next.holder, next.digest, next.status) = (change.recipient, change.digest, 4);
        bytes memory data = abi.encodeCall(register.assign, (change, current, signature(), approvals));
        call(data, current, next, 8, packed(approvals));
    }

    function check_complete() public {
        (LandEntries.LandEntry memory current, ) = start();
        LandEntries.LandEntry memory next = copy(current);
        next.status = 1;
        address[] memory approvers = new address[](1);
        approvers[0] = svm.createAddress("approver");
        bytes memory data = abi.encodeCall(register.complete, (recordId, current, approvers));
        call(data, current, next, 12, current.approvals);
        if (register.headOf(recordId) != head) {
            assert(current.status == 4);
            assert(block.timestamp >= uint256(current.time) + (current.action == 3 ? COOLING_OFF : 30 days));
        }
    }

    function check_withdraw() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        LandEntries.LandEntry memory next = abi.decode(svm.createBytes(0x180, "before"), (LandEntries.LandEntry));
        bytes memory data = abi.encodeCall(register.withdraw, (recordId, deadline, current, next, approvals));
        call(data, current, next, 13, packed(approvals));
    }

    function check_object_to_transfer() public {
        (LandEntries.LandEntry memory current, ) = start();
        LandEntries.LandEntry memory next = abi.decode(svm.createBytes(0x180, "before"), (LandEntries.LandEntry));
        bytes32 shown = keccak256(abi.encode(next));
        bytes memory data = abi.encodeCall(register.objectToTransfer, (recordId, deadline, current, next, signature()));
        call(data, current, next, 14, NOBODY);
        if (register.headOf(recordId) != head) {
            assert(current.status == 4 && current.action == 3 && current.previous == shown);
            assert(block.timestamp < uint256(current.time) + COOLING_OFF && block.timestamp <= deadline);
        }
    }

    function refute_no_title_is_ever_frozen() public {
        (LandEntries.LandEntry memory current, Register.Approval[] memory approvals) = start();
        callFromAnyone(
            address(register), abi.encodeCall(register.freeze, (recordId, deadline, current, approvals))
        );
        assert(register.headOf(recordId) == head);
    }
}
