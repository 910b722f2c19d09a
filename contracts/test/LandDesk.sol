// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandEntries} from "../LandEntries.sol";
import {LandLiens} from "../LandLiens.sol";
import {LandParcels} from "../LandParcels.sol";
import {LandRegister} from "../LandRegister.sol";
import {Vm} from "./Fixture.sol";
import {LandFixture} from "./LandFixture.sol";

/// @dev Keeps the histories of titles that the events tell, and of its own the liens that each title must have.
abstract contract LandDesk is LandFixture {
    bytes32[] internal ids;
    mapping(bytes32 id => LandRegister.LandEntry[]) internal histories;
    mapping(bytes32 id => LandRegister.Lien[]) internal owed;
    uint256 internal numbers = 1000;
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

    // What is issued, and picked

    function issueOne(uint8 area) public {
        LandRegister.Title[] memory titles = new LandRegister.Title[](1);
        titles[0] = fresh(uint64(area) + 2);
        issue(titles);
        ids.push(titles[0].recordId);
        histories[titles[0].recordId].push(firstEntry(titles[0]));
        issuedArea += titles[0].area;
        ++done[1];
    }

    function pick(uint256 index) internal {
        if (ids.length == 0) issueOne(100);
        recordId = ids[index % ids.length];
        current = newest(recordId);
        liens = owed[recordId];
    }

    function newest(bytes32 id) internal view returns (LandRegister.LandEntry memory) {
        return histories[id][histories[id].length - 1];
    }

    /// @dev The entry before the newest, or the newest if it is the first.
    function before() internal view returns (LandRegister.LandEntry memory) {
        LandRegister.LandEntry[] storage all = histories[recordId];
        return all[all.length < 2 ? 0 : all.length - 2];
    }

    function fresh(uint64 area) internal returns (LandRegister.Title memory made) {
        made = title(numbers++);
        made.area = area;
    }

    function keyOf(address account) internal pure returns (uint256) {
        uint256[4] memory keys = [HOLDER_KEY, RECIPIENT_KEY, BANK_KEY, FRIEND_KEY];
        for (uint256 i = 0; i < 3; ++i) {
            if (vm.addr(keys[i]) == account) return keys[i];
        }
        return keys[3];
    }

    function consents(LandRegister.Lien[] memory list, bytes32 digest) internal pure returns (bytes[] memory given) {
        given = new bytes[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            given[i] = signature(keyOf(list[i].creditor), digest);
        }
    }

    function titleHash(LandRegister.Title memory given) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"), given)
            );
    }

    function mergeCall(
        bytes32[] memory parents,
        LandRegister.LandEntry[] memory entries,
        LandRegister.Title memory child
    ) internal view returns (bytes memory) {
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
    ) internal view returns (bytes32) {
        string memory types =
            "MergeTitles(bytes32[] recordIds,bytes32[] heads,Title child,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)";
        bytes32 typehash = keccak256(bytes(types));
        bytes32 idsHash = keccak256(abi.encodePacked(parents));
        bytes32 heads = keccak256(abi.encodePacked(hashOf(entries[0]), hashOf(entries[1])));
        return typedData(keccak256(abi.encode(typehash, idsHash, heads, titleHash(child), DEADLINE)));
    }

    function drop(LandRegister.Lien[] storage list, bytes32 ended) internal {
        uint256 i = 0;
        while (keccak256(abi.encode(list[i])) != ended) ++i;
        for (; i + 1 < list.length; ++i) {
            list[i] = list[i + 1];
        }
        list.pop();
    }

    function inherit(bytes32 child, bytes32 parent) internal {
        for (uint256 i = 0; i < owed[parent].length; ++i) {
            owed[child].push(owed[parent][i]);
        }
    }

    function sent(bytes memory data) internal returns (bool good) {
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
