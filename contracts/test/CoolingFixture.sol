// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandLiens} from "../LandLiens.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

/// @dev A register whose transfers wait for a week, and a transfer that everybody has signed.
abstract contract CoolingFixture is LandFixture {
    LandRegister.Transfer internal change;
    LandRegister.LandEntry internal before;
    uint256 internal holderKey = HOLDER_KEY;
    uint256 internal count = 2;
    uint256 internal deadline = START + 100 days;

    function coolingOff() internal pure override returns (uint256) {
        return 7 days;
    }

    function setUp() public override {
        super.setUp();
        change = LandTitles.Transfer(recordId, vm.addr(RECIPIENT_KEY), keccak256("sold"), DEADLINE);
    }

    function moving() internal view returns (bytes memory) {
        bytes32 signed = typedData(transferStruct(change, hashOf(current)));
        bytes memory holders = signature(HOLDER_KEY, signed);
        bytes memory recipients = signature(RECIPIENT_KEY, signed);
        return abi.encodeCall(register.transfer, (change, current, holders, recipients, approvedBy(2, signed)));
    }

    function movingEncumbered() internal view returns (bytes memory) {
        bytes32 signed = typedData(transferStruct(change, hashOf(current)));
        LandRegister.Consent memory consent =
            LandLiens.Consent(signature(HOLDER_KEY, signed), creditorsOf(liens.length, signed));
        bytes memory recipients = signature(RECIPIENT_KEY, signed);
        Register.Approval[] memory given = approvedBy(2, signed);
        return abi.encodeCall(register.transferEncumbered, (change, current, liens, consent, recipients, given));
    }

    function completing() internal view returns (bytes memory) {
        address[] memory approvers = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            approvers[i] = vm.addr(registrars[i]);
        }
        return abi.encodeCall(register.complete, (recordId, current, approvers));
    }

    function objecting() internal view returns (bytes memory) {
        bytes memory holders = signature(holderKey, signedAs("ObjectToTransfer"));
        return abi.encodeCall(register.objectToTransfer, (recordId, deadline, current, before, holders));
    }

    function withdrawing() internal view returns (bytes memory) {
        Register.Approval[] memory given = approve(judgesOf(count), signedAs("WithdrawPending"));
        return abi.encodeCall(register.withdraw, (recordId, deadline, current, before, given));
    }

    function signedAs(string memory name) internal view returns (bytes32) {
        bytes32 typehash = keccak256(bytes.concat(bytes(name), "(bytes32 recordId,bytes32 head,uint256 deadline)"));
        return typedData(keccak256(abi.encode(typehash, recordId, hashOf(current), deadline)));
    }

    /// @dev What the transfer records.
    function waiting() internal view returns (LandRegister.LandEntry memory wanted) {
        wanted = following(3, keysOf(2));
        (wanted.status, wanted.holder, wanted.digest) = (4, change.recipient, change.digest);
    }

    /// @dev Send the transfer, of a title with two liens, and make what it records the current entry.
    function begin() internal {
        forceLiens(2);
        before = current;
        LandRegister.LandEntry memory wanted = waiting();
        send(movingEncumbered());
        current = wanted;
    }

    function end() internal view returns (uint256) {
        return uint256(current.time) + 7 days;
    }

    function completed() internal view returns (LandRegister.LandEntry memory wanted) {
        wanted = following(12, keysOf(2));
        wanted.status = 1;
    }

    function restored(uint8 action, uint256[] memory approvers)
        internal
        view
        returns (LandRegister.LandEntry memory wanted)
    {
        wanted = following(action, approvers);
        (wanted.status, wanted.holder, wanted.digest) = (before.status, before.holder, before.digest);
    }

    function objected() internal view returns (LandRegister.LandEntry memory) {
        return restored(14, new uint256[](0));
    }
}
