// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandEntries} from "../LandEntries.sol";
import {LandLiens} from "../LandLiens.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Fixture, Vm} from "./Fixture.sol";

/// @dev A court of three of whom two must sign, two creditors, four titles, and what changes of the first.
abstract contract LandFixture is Fixture {
    uint64 internal constant COURT = 8;
    uint256 internal constant BANK_KEY = uint256(keccak256("bank"));
    uint256 internal constant FRIEND_KEY = uint256(keccak256("friend"));

    uint256[] internal judges;
    bytes32 internal recordId;
    LandRegister.LandEntry internal current;
    LandRegister.Lien[] internal liens;

    function setUp() public virtual override {
        super.setUp();
        authority.setCourtPolicy(address(register), COURT, 2);
        for (uint256 i = 0; i < 3; ++i) {
            judges.push(uint256(keccak256(abi.encode("judge", i))));
            authority.grantRole(COURT, vm.addr(judges[i]), 0);
        }
        sortByAddress(judges);
        issue(batch(4));
        recordId = title(1).recordId;
        current = firstEntry(title(1));
        vm.warp(START + 60);
    }

    // What is signed

    /// @dev Of a struct that names only title, head and deadline.
    function shortStruct(string memory name) internal view returns (bytes32) {
        bytes32 typehash = keccak256(bytes.concat(bytes(name), "(bytes32 recordId,bytes32 head,uint256 deadline)"));
        return typedData(keccak256(abi.encode(typehash, recordId, hashOf(current), DEADLINE)));
    }

    function approvedBy(uint256 registrars_, bytes32 digest) internal view returns (Register.Approval[] memory) {
        return approve(keysOf(registrars_), digest);
    }

    function judgesOf(uint256 count) internal view returns (uint256[] memory keys) {
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = judges[i];
        }
    }

    /// @dev So many registrars and judges together, ascending.
    function together(uint256 registrars_, uint256 judges_) internal view returns (uint256[] memory keys) {
        keys = new uint256[](registrars_ + judges_);
        for (uint256 i = 0; i < keys.length; ++i) {
            keys[i] = i < registrars_ ? registrars[i] : judges[i - registrars_];
            for (uint256 j = i; j > 0 && vm.addr(keys[j - 1]) > vm.addr(keys[j]); --j) {
                (keys[j - 1], keys[j]) = (keys[j], keys[j - 1]);
            }
        }
    }

    // What is there

    /// @dev Put an entry in place without the actions that lead to it.
    function force(bytes32 id, LandRegister.LandEntry memory entry) internal {
        vm.store(address(register), keccak256(abi.encode(id, uint256(0))), hashOf(entry));
    }

    function forceStatus(uint8 status) internal {
        current.status = status;
        force(recordId, current);
    }

    /// @dev Put liens on the first title: of the bank, of the friend, of the bank again ...
    function forceLiens(uint256 count) internal {
        delete liens;
        for (uint256 i = 0; i < count; ++i) {
            address creditor = vm.addr(i % 2 == 0 ? BANK_KEY : FRIEND_KEY);
            liens.push(LandLiens.Lien(uint16(i + 1), creditor, keccak256(abi.encode("claim", i))));
        }
        current.liens = uint16(count);
        current.lienRoot = rootOf(liens);
        force(recordId, current);
    }

    function rootOf(LandRegister.Lien[] memory list) internal pure returns (bytes32) {
        return list.length == 0 ? bytes32(0) : keccak256(abi.encode(list));
    }

    /// @dev The signatures of the creditors of the liens over a digest, in their order.
    function creditorsOf(uint256 count, bytes32 digest) internal pure returns (bytes[] memory signatures) {
        signatures = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            signatures[i] = signature(i % 2 == 0 ? BANK_KEY : FRIEND_KEY, digest);
        }
    }

    /// @dev The entry that follows the current one, with nothing changed but what every action changes.
    function following(uint8 action, uint256[] memory approvers)
        internal
        view
        returns (LandRegister.LandEntry memory entry)
    {
        entry = current;
        entry.previous = hashOf(current);
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        entry.action = action;
        entry.approvals = packedHash(approvers);
        entry.parents = 0;
    }

    // What is asserted

    function send(bytes memory data) internal {
        (bool done, bytes memory answer) = address(register).call(data);
        if (done) return;
        assembly {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    /// @dev Send it, and see that the first title's newest entry is `wanted` and was told whole, after its approvers.
    function assertRecords(bytes memory data, LandRegister.LandEntry memory wanted) internal {
        vm.recordLogs();
        send(data);
        assertEq(register.headOf(recordId), hashOf(wanted));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        assertEq(approvalsOf(logs[0].data), wanted.approvals);
        assertTrue(tells(logs, recordId, wanted), "told");
    }

    function approvalsOf(bytes memory data) private pure returns (bytes32) {
        address[] memory approvers = abi.decode(data, (address[]));
        bytes memory packed;
        for (uint256 i = 0; i < approvers.length; ++i) {
            packed = abi.encodePacked(packed, approvers[i]);
        }
        return keccak256(packed);
    }

    function tells(Vm.Log[] memory logs, bytes32 id, LandRegister.LandEntry memory entry) internal pure returns (bool) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != LandEntries.Recorded.selector || logs[i].topics[1] != id) continue;
            if (keccak256(logs[i].data) == hashOf(entry)) return true;
        }
        return false;
    }

    function tellsLiens(Vm.Log[] memory logs, LandRegister.Lien[] memory list) internal pure returns (bool) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != LandLiens.LiensRecorded.selector) continue;
            if (logs[i].topics[1] == rootOf(list) && keccak256(logs[i].data) == rootOf(list)) return true;
        }
        return false;
    }

    function refuse(bytes memory data, bytes memory problem) internal {
        bytes32 head = register.headOf(recordId);
        (bool done, bytes memory answer) = address(register).call(data);
        assertTrue(!done, "refused");
        assertEq(keccak256(answer), keccak256(problem));
        assertEq(register.headOf(recordId), head);
    }

    function refuse(bytes memory data, bytes4 problem, bytes32 id) internal {
        refuse(data, abi.encodeWithSelector(problem, id));
    }

    function refuseSignature(bytes memory data, uint256 key) internal {
        refuse(data, abi.encodeWithSelector(Register.InvalidSignature.selector, vm.addr(key)));
    }

    /// @dev See that the data are refused once the current entry has one bit more, and once they were sent before.
    function refuseStale(function() internal view returns (bytes memory) call) internal {
        current.area += 1;
        bytes32 head = register.headOf(recordId);
        refuse(call(), abi.encodeWithSelector(Register.StaleHead.selector, recordId, head));
        current.area -= 1;
        bytes memory data = call();
        send(data);
        head = register.headOf(recordId);
        refuse(data, abi.encodeWithSelector(Register.StaleHead.selector, recordId, head));
    }

    function refuseNever(function() internal view returns (bytes memory) call) internal {
        recordId = keccak256("never issued");
        refuse(call(), abi.encodeWithSelector(Register.StaleHead.selector, recordId, 0));
    }

    function refuseLate(function() internal view returns (bytes memory) call) internal {
        vm.warp(DEADLINE + 1);
        refuse(call(), abi.encodeWithSelector(Register.Expired.selector, DEADLINE));
        vm.warp(DEADLINE);
        send(call());
    }

    function refuseStatus(function() internal view returns (bytes memory) call, uint8 status) internal {
        forceStatus(status);
        refuse(call(), abi.encodeWithSelector(LandEntries.NotActive.selector, recordId, status));
    }
}
