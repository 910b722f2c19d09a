// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandEntries} from "../LandEntries.sol";
import {LandLiens} from "../LandLiens.sol";
import {LandParcels} from "../LandParcels.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Vm} from "./Fixture.sol";
import {LandFixture} from "./LandFixture.sol";

/// @dev Tries every action on any title in any state, rightly signed. It keeps the histories that the events tell, and
/// of its own the liens that each title must have.
contract LandOffice is LandFixture {
    bytes32[] private ids;
    mapping(bytes32 id => LandRegister.LandEntry[]) private histories;
    mapping(bytes32 id => LandRegister.Lien[]) private owed;
    uint256 private numbers = 1000;
    uint256 public issuedArea;
    mapping(uint8 action => uint256) public done;

    function registerAddress() external view returns (LandRegister) {
        return register;
    }

    function idsOf() external view returns (bytes32[] memory) {
        return ids;
    }

    function history(bytes32 id) external view returns (LandRegister.LandEntry[] memory) {
        return histories[id];
    }

    function owedOn(bytes32 id) external view returns (LandRegister.Lien[] memory) {
        return owed[id];
    }

    // Actions

    function issueOne(uint8 area) public {
        LandRegister.Title[] memory titles = new LandRegister.Title[](1);
        titles[0] = fresh(uint64(area) + 2);
        issue(titles);
        ids.push(titles[0].recordId);
        histories[titles[0].recordId].push(firstEntry(titles[0]));
        issuedArea += titles[0].area;
        ++done[1];
    }

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

    /// @dev Rightly after the window has passed; time goes back then, so that signatures do not run out.
    function completeOne(uint256 index, bool early) external {
        pick(index);
        uint256[] memory keys = together(2, 2);
        address[] memory approvers = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            approvers[i] = vm.addr(keys[i]);
        }
        if (!early) vm.warp(uint256(current.time) + 30 days);
        sent(abi.encodeCall(register.completeAssignment, (recordId, current, approvers)));
        vm.warp(START + 60);
    }

    function withdrawOne(uint256 index) external {
        pick(index);
        LandRegister.LandEntry[] storage all = histories[recordId];
        LandRegister.LandEntry memory before = all[all.length < 2 ? 0 : all.length - 2];
        sent(
            abi.encodeCall(
                register.withdrawAssignment,
                (recordId, DEADLINE, current, before, approve(judgesOf(2), shortStruct("WithdrawAssignment")))
            )
        );
    }

    // How

    function pick(uint256 index) private {
        if (ids.length == 0) issueOne(100);
        recordId = ids[index % ids.length];
        current = newest(recordId);
        liens = owed[recordId];
    }

    function newest(bytes32 id) private view returns (LandRegister.LandEntry memory) {
        return histories[id][histories[id].length - 1];
    }

    function fresh(uint64 area) private returns (LandRegister.Title memory made) {
        made = title(numbers++);
        made.area = area;
    }

    function keyOf(address account) private pure returns (uint256) {
        uint256[4] memory keys = [HOLDER_KEY, RECIPIENT_KEY, BANK_KEY, FRIEND_KEY];
        for (uint256 i = 0; i < 3; ++i) {
            if (vm.addr(keys[i]) == account) return keys[i];
        }
        return keys[3];
    }

    function consents(LandRegister.Lien[] memory list, bytes32 digest) private pure returns (bytes[] memory given) {
        given = new bytes[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            given[i] = signature(keyOf(list[i].creditor), digest);
        }
    }

    function titleHash(LandRegister.Title memory given) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"), given)
            );
    }

    function mergeCall(
        bytes32[] memory parents,
        LandRegister.LandEntry[] memory entries,
        LandRegister.Title memory child
    ) private view returns (bytes memory) {
        LandRegister.Lien[][] memory lists = new LandRegister.Lien[][](2);
        (lists[0], lists[1]) = (owed[parents[0]], owed[parents[1]]);
        bytes32 digest = mergeDigest(parents, entries, child);
        (bytes[] memory a, bytes[] memory b) = (consents(lists[0], digest), consents(lists[1], digest));
        bytes[] memory creditors = new bytes[](a.length + b.length);
        for (uint256 i = 0; i < creditors.length; ++i) {
            creditors[i] = i < a.length ? a[i] : b[i - a.length];
        }
        LandRegister.Merge memory change = LandParcels.Merge(parents, child, DEADLINE);
        LandRegister.Consent memory consent = LandLiens.Consent(signature(keyOf(child.holder), digest), creditors);
        return abi.encodeCall(register.merge, (change, entries, lists, consent, approvedBy(2, digest)));
    }

    function mergeDigest(
        bytes32[] memory parents,
        LandRegister.LandEntry[] memory entries,
        LandRegister.Title memory child
    ) private view returns (bytes32) {
        string memory types =
            "MergeTitles(bytes32[] recordIds,bytes32[] heads,Title child,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)";
        bytes32 typehash = keccak256(bytes(types));
        bytes32 idsHash = keccak256(abi.encodePacked(parents));
        bytes32 heads = keccak256(abi.encodePacked(hashOf(entries[0]), hashOf(entries[1])));
        return typedData(keccak256(abi.encode(typehash, idsHash, heads, titleHash(child), DEADLINE)));
    }

    function drop(LandRegister.Lien[] storage list, bytes32 ended) private {
        uint256 i = 0;
        while (keccak256(abi.encode(list[i])) != ended) ++i;
        for (; i + 1 < list.length; ++i) {
            list[i] = list[i + 1];
        }
        list.pop();
    }

    function inherit(bytes32 child, bytes32 parent) private {
        for (uint256 i = 0; i < owed[parent].length; ++i) {
            owed[child].push(owed[parent][i]);
        }
    }

    function sent(bytes memory data) private returns (bool good) {
        vm.recordLogs();
        (good, ) = address(register).call(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (!good) return false;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != LandEntries.Recorded.selector) continue;
            LandRegister.LandEntry memory entry = abi.decode(logs[i].data, (LandEntries.LandEntry));
            bytes32 id = logs[i].topics[1];
            if (histories[id].length == 0) ids.push(id);
            histories[id].push(entry);
            ++done[entry.action];
        }
    }
}
