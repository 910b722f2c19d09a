// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandLiens} from "../LandLiens.sol";
import {LandParcels} from "../LandParcels.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {LandDesk} from "./LandDesk.sol";

/// @dev Tries every action on any title in any state, rightly signed.
contract LandOffice is LandDesk {
    uint256 private constant LONGEST_WAIT = 40 days;

    function encumberOne(uint256 index, bool friend) external {
        pick(index);
        (address creditor, bytes32 claim) = (vm.addr(friend ? FRIEND_KEY : BANK_KEY), keccak256(abi.encode(numbers++)));
        string memory types =
            "EncumberTitle(bytes32 recordId,bytes32 head,address creditor,bytes32 claim,uint256 deadline)";
        bytes32 digest =
            typedData(
                keccak256(abi.encode(keccak256(bytes(types)), recordId, hashOf(current), creditor, claim, DEADLINE))
            );
        LandRegister.Encumbrance memory change = LandLiens.Encumbrance(recordId, creditor, claim, DEADLINE);
        bytes memory holders = signature(keyOf(current.holder), digest);
        if (!sent(abi.encodeCall(register.encumber, (change, current, liens, holders, approvedBy(2, digest))))) return;
        uint16 highest = 0;
        for (uint256 i = 0; i < liens.length; ++i) {
            if (liens[i].rank > highest) highest = liens[i].rank;
        }
        owed[recordId].push(LandLiens.Lien(highest + 1, creditor, claim));
    }

    function releaseOne(uint256 index, uint256 which) external {
        pick(index);
        if (liens.length == 0) return;
        LandRegister.Lien memory ended = liens[which % liens.length];
        string memory types =
            "ReleaseLien(bytes32 recordId,bytes32 head,uint16 rank,address creditor,bytes32 claim,uint256 deadline)";
        bytes32 digest =
            typedData(keccak256(abi.encode(keccak256(bytes(types)), recordId, hashOf(current), ended, DEADLINE)));
        LandRegister.Release memory change = LandLiens.Release(recordId, ended, DEADLINE);
        bytes memory creditors = signature(keyOf(ended.creditor), digest);
        if (!sent(abi.encodeCall(register.release, (change, current, liens, creditors, approvedBy(2, digest))))) return;
        drop(owed[recordId], keccak256(abi.encode(ended)));
    }

    function moveOne(uint256 index) external {
        pick(index);
        address recipient = vm.addr(current.holder == vm.addr(HOLDER_KEY) ? RECIPIENT_KEY : HOLDER_KEY);
        LandRegister.Transfer memory change =
            LandTitles.Transfer(recordId, recipient, keccak256(abi.encode(numbers++)), DEADLINE);
        bytes32 digest = typedData(transferStruct(change, hashOf(current)));
        LandRegister.Consent memory consent =
            LandLiens.Consent(signature(keyOf(current.holder), digest), consents(liens, digest));
        bytes memory recipients = signature(keyOf(recipient), digest);
        sent(
            abi.encodeCall(
                register.transferEncumbered,
                (change, current, liens, consent, recipients, approvedBy(2, digest))
            )
        );
    }

    function freezeOne(uint256 index) external {
        pick(index);
        sent(
            abi.encodeCall(
                register.freeze,
                (recordId, DEADLINE, current, approve(judgesOf(2), shortStruct("FreezeTitle")))
            )
        );
    }

    function unfreezeOne(uint256 index) external {
        pick(index);
        sent(
            abi.encodeCall(
                register.unfreeze,
                (recordId, DEADLINE, current, approve(judgesOf(2), shortStruct("UnfreezeTitle")))
            )
        );
    }

    function retireOne(uint256 index) external {
        pick(index);
        bytes32 digest = shortStruct("RetireTitle");
        bytes memory holders = signature(keyOf(current.holder), digest);
        sent(abi.encodeCall(register.retire, (recordId, DEADLINE, current, holders, approvedBy(2, digest))));
    }

    function splitOne(uint256 index, uint64 first) external {
        pick(index);
        LandRegister.Title[] memory children = new LandRegister.Title[](2);
        children[0] = fresh(first % (current.area + 1));
        children[1] = fresh(current.area - children[0].area);
        (children[0].holder, children[1].holder) = (current.holder, current.holder);
        string memory types =
            "SplitTitle(bytes32 recordId,bytes32 head,Title[] children,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)";
        bytes32 both = keccak256(bytes.concat(titleHash(children[0]), titleHash(children[1])));
        bytes32 digest =
            typedData(keccak256(abi.encode(keccak256(bytes(types)), recordId, hashOf(current), both, DEADLINE)));
        LandRegister.Split memory change = LandParcels.Split(recordId, children, DEADLINE);
        bytes memory holders = signature(keyOf(current.holder), digest);
        if (!sent(abi.encodeCall(register.split, (change, current, holders, approvedBy(2, digest))))) return;
        inherit(children[0].recordId, recordId);
        inherit(children[1].recordId, recordId);
    }

    function mergeTwo(uint256 index, uint256 other) external {
        (bytes32 a, bytes32 b) = (ids[index % ids.length], ids[other % ids.length]);
        if (register.headOf(a) > register.headOf(b)) (a, b) = (b, a);
        LandRegister.LandEntry[] memory entries = new LandRegister.LandEntry[](2);
        (entries[0], entries[1]) = (newest(a), newest(b));
        LandRegister.Title memory child = fresh(entries[0].area + entries[1].area);
        child.holder = entries[0].holder;
        bytes32[] memory parents = new bytes32[](2);
        (parents[0], parents[1]) = (a, b);
        bytes memory data = mergeCall(parents, entries, child);
        (recordId, current) = (a, entries[0]);
        if (!sent(data)) return;
        inherit(child.recordId, a);
        inherit(child.recordId, b);
    }

    function assignOne(uint256 index) external {
        pick(index);
        address recipient = vm.addr(current.holder == vm.addr(HOLDER_KEY) ? RECIPIENT_KEY : HOLDER_KEY);
        bytes32 content = keccak256(abi.encode(numbers++));
        string memory types =
            "AssignTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)";
        bytes32 head = hashOf(current);
        bytes32 digest =
            typedData(keccak256(abi.encode(keccak256(bytes(types)), recordId, head, recipient, content, DEADLINE)));
        LandRegister.Transfer memory change = LandTitles.Transfer(recordId, recipient, content, DEADLINE);
        bytes memory recipients = signature(keyOf(recipient), digest);
        sent(abi.encodeCall(register.assign, (change, current, recipients, approve(together(2, 2), digest))));
    }

    /// @dev At any time from the entry on; time goes back then, so that signatures do not run out.
    function completeOne(uint256 index, uint256 wait) external {
        pick(index);
        uint256[] memory keys = current.action == 3 ? keysOf(2) : together(2, 2);
        address[] memory approvers = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            approvers[i] = vm.addr(keys[i]);
        }
        vm.warp(uint256(current.time) + wait % LONGEST_WAIT);
        sent(abi.encodeCall(register.complete, (recordId, current, approvers)));
        vm.warp(START + 60);
    }

    function withdrawOne(uint256 index) external {
        pick(index);
        Register.Approval[] memory given = approve(judgesOf(2), shortStruct("WithdrawPending"));
        sent(abi.encodeCall(register.withdraw, (recordId, DEADLINE, current, before(), given)));
    }

    /// @dev As `completeOne`, but for the deadline that was signed.
    function objectOne(uint256 index, uint256 wait) external {
        pick(index);
        uint256 deadline = type(uint256).max;
        bytes32 typehash = keccak256("ObjectToTransfer(bytes32 recordId,bytes32 head,uint256 deadline)");
        bytes32 digest = typedData(keccak256(abi.encode(typehash, recordId, hashOf(current), deadline)));
        bytes memory holders = signature(keyOf(before().holder), digest);
        vm.warp(uint256(current.time) + wait % LONGEST_WAIT);
        sent(abi.encodeCall(register.objectToTransfer, (recordId, deadline, current, before(), holders)));
        vm.warp(START + 60);
    }
}

/// @dev Of a register whose transfers wait for a week.
contract CoolingLandOffice is LandOffice {
    function coolingOff() internal pure override returns (uint256) {
        return 7 days;
    }
}
