// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../Authority.sol";
import {IdentityHistory} from "../../IdentityHistory.sol";
import {IdentityRegister} from "../../IdentityRegister.sol";
import {Register} from "../../Register.sol";
import {Symbolic} from "./Symbolic.sol";

/// @dev As LandHeads, for identities. Confirmation and veto, which no registrar approves, have conditions of their own.
contract IdentityHeadsTest is Symbolic {
    IdentityRegister internal register;
    uint40 internal constant DELAY = 1 days;
    bytes32 internal recordId;
    bytes32 internal other;
    bytes32 internal head;
    bytes32 internal otherHead;
    uint256 internal deadline;
    bytes32 internal packed;

    function setUp() public {
        Authority authority = new Authority(address(this));
        register = new IdentityRegister(authority, DELAY);
        svm.enableSymbolicStorage(address(authority));
        svm.enableSymbolicStorage(address(register));
    }

    function start()
        internal
        returns (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals)
    {
        warpToAnyTime();
        (recordId, other) = (svm.createBytes32("recordId"), svm.createBytes32("other"));
        vm.assume(recordId != other);
        (head, otherHead) = (register.headOf(recordId), register.headOf(other));
        deadline = svm.createUint(256, "deadline");
        current = entry("current");
        approvals = new Register.Approval[](1);
        approvals[0] = Register.Approval(svm.createAddress("signer"), signature());
        packed = keccak256(abi.encodePacked(approvals[0].signer));
    }

    function entry(string memory name) internal pure returns (IdentityHistory.IdentityEntry memory) {
        return abi.decode(svm.createBytes(0x120, name), (IdentityHistory.IdentityEntry));
    }

    function signature() internal pure returns (bytes memory) {
        return svm.createBytes(65, "signature");
    }

    function copy(IdentityHistory.IdentityEntry memory source)
        internal
        pure
        returns (IdentityHistory.IdentityEntry memory)
    {
        return abi.decode(abi.encode(source), (IdentityHistory.IdentityEntry));
    }

    /// @dev Nothing happened, or `next`, whose own fields are set, was recorded after `current`.
    function call(
        bytes memory data,
        IdentityHistory.IdentityEntry memory current,
        IdentityHistory.IdentityEntry memory next,
        uint8 action
    ) internal returns (bool success) {
        success = callFromAnyone(address(register), data);
        assert(register.headOf(other) == otherHead);
        if (success) {
            assert(head != 0 && head == keccak256(abi.encode(current)));
            (next.previous, next.sequence, next.time) = (head, current.sequence + 1, uint40(block.timestamp));
            (next.action, next.approvals) = (action, packed);
            assert(register.headOf(recordId) == keccak256(abi.encode(next)));
        } else {
            assert(register.headOf(recordId) == head);
        }
    }

    function check_renew() public {
        (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals) = start();
        IdentityHistory.IdentityEntry memory next = copy(current);
        (next.digest, next.validUntil) = (svm.createBytes32("digest"), uint40(svm.createUint(40, "validUntil")));
        bytes memory data =
            abi.encodeCall(register.renew, (recordId, current, next.digest, next.validUntil, deadline, approvals));
        if (call(data, current, next, 2)) assert(current.status == 1);
    }

    function check_rotate() public {
        (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals) = start();
        IdentityHistory.IdentityEntry memory next = copy(current);
        next.controller = svm.createAddress("controller");
        bytes memory data = abi.encodeCall(
            register.rotate, (recordId, current, next.controller, deadline, signature(), signature(), approvals)
        );
        if (call(data, current, next, 3)) assert(current.status == 1 && block.timestamp < current.validUntil);
    }

    function check_recover() public {
        (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals) = start();
        IdentityHistory.IdentityEntry memory next = copy(current);
        (next.controller, next.status) = (svm.createAddress("controller"), 4);
        bytes memory data =
            abi.encodeCall(register.recover, (recordId, current, next.controller, deadline, approvals));
        if (call(data, current, next, 4)) assert(current.status == 1 || current.status == 2);
    }

    function check_confirm() public {
        (IdentityHistory.IdentityEntry memory current, ) = start();
        IdentityHistory.IdentityEntry memory old = entry("old");
        IdentityHistory.IdentityEntry memory next = copy(current);
        (next.status, packed) = (old.status, keccak256(""));
        if (call(abi.encodeCall(register.confirm, (recordId, current, old)), current, next, 5)) {
            assert(current.status == 4 && current.previous == keccak256(abi.encode(old)));
            assert(block.timestamp >= uint256(current.time) + DELAY);
        }
    }

    function check_veto() public {
        (IdentityHistory.IdentityEntry memory current, ) = start();
        IdentityHistory.IdentityEntry memory old = entry("old");
        IdentityHistory.IdentityEntry memory next = copy(current);
        (next.status, next.controller, packed) = (old.status, old.controller, keccak256(""));
        bytes memory data = abi.encodeCall(register.veto, (recordId, current, old, deadline, signature()));
        if (call(data, current, next, 6)) {
            assert(current.status == 4 && current.previous == keccak256(abi.encode(old)));
            assert(block.timestamp < uint256(current.time) + DELAY && block.timestamp <= deadline);
        }
    }

    function check_suspend() public {
        (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals) = start();
        IdentityHistory.IdentityEntry memory next = copy(current);
        next.status = 2;
        bytes memory data = abi.encodeCall(register.suspend, (recordId, current, deadline, approvals));
        if (call(data, current, next, 7)) assert(current.status == 1);
    }

    function check_reinstate() public {
        (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals) = start();
        IdentityHistory.IdentityEntry memory next = copy(current);
        next.status = 1;
        bytes memory data = abi.encodeCall(register.reinstate, (recordId, current, deadline, approvals));
        if (call(data, current, next, 8)) assert(current.status == 2);
    }

    function check_revoke() public {
        (IdentityHistory.IdentityEntry memory current, Register.Approval[] memory approvals) = start();
        IdentityHistory.IdentityEntry memory next = copy(current);
        next.status = 3;
        bytes memory data = abi.encodeCall(register.revoke, (recordId, current, deadline, approvals));
        if (call(data, current, next, 9)) assert(current.status != 3);
    }

    function refute_no_recovery_is_ever_confirmed() public {
        (IdentityHistory.IdentityEntry memory current, ) = start();
        IdentityHistory.IdentityEntry memory old = entry("old");
        callFromAnyone(address(register), abi.encodeCall(register.confirm, (recordId, current, old)));
        assert(register.headOf(recordId) == head);
    }
}
