// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchRegister} from "../BatchRegister.sol";
import {Register} from "../Register.sol";
import {BatchFixture, Naive} from "./BatchFixture.sol";

/// @dev Sends random appends and corrections, good and bad ones, and keeps what the register should hold.
contract BatchOffice is BatchFixture {
    struct Known {
        bytes32 series;
        uint256 sequence;
        uint64 index;
        bytes32 digest;
        bytes32[] path;
    }

    uint256 private constant MOST = 24;

    mapping(bytes32 recordId => BatchRegister.BatchEntry[]) private histories;
    Known[] private leaves;
    bytes32[] private series = [SERIES, OTHER_SERIES];
    /// @dev A change was recorded or refused against what the rules say.
    bool public wrong;
    uint256 public recorded;

    function seriesOf(uint256 index) external view returns (bytes32) {
        return series[index % series.length];
    }

    function batchesAddress() external view returns (BatchRegister) {
        return batches;
    }

    function history(bytes32 recordId) external view returns (BatchRegister.BatchEntry[] memory) {
        return histories[recordId];
    }

    function known() external view returns (Known[] memory) {
        return leaves;
    }

    /// @param fault 1: too few sign. 2: an older entry is passed. 3: the series is the place of a batch. Else none.
    function appendOne(uint8 which, uint8 count, bool withLeaves, uint8 fault, uint16 wait) external {
        if (leaves.length >= MOST) return;
        fault %= 8;
        vm.warp(block.timestamp + wait % 60);
        bytes32 id = series[which % series.length];
        BatchRegister.BatchEntry[] storage past = histories[id];
        BatchRegister.BatchEntry memory current = newest(id);
        bool good = fault != 1 && !(fault == 2 && past.length > 0) && !(fault == 3 && past.length > 0);
        bytes32 target = fault == 3 ? idOf(id, past.length) : id;
        if (fault == 2) current = past.length > 1 ? past[past.length - 2] : newest(bytes32(0));
        if (fault == 3 && past.length == 0) return;
        bytes32[] memory digests = contents(recorded + 1, uint256(count % 6) + 1);
        if (!sent(appendCall(target, digests, current, withLeaves, fault == 1 ? 1 : 2), good)) return;
        bytes32 root = Naive.root(Naive.leaves(digests));
        current = following(current, withLeaves ? 2 : 1, root, uint64(digests.length), withLeaves ? bytes32(0) : MANIFEST);
        past.push(current);
        histories[idOf(id, current.sequence)].push(current);
        for (uint256 i = 0; i < digests.length; ++i) {
            bytes32[] memory path = Naive.path(i, Naive.leaves(digests));
            leaves.push(Known(id, current.sequence, uint64(i), digests[i], path));
        }
    }

    /// @param fault 1: too few sign. 2: another index is named. Else none.
    function correctOne(uint8 which, bool isVoid, uint8 fault) external {
        if (leaves.length == 0) return;
        fault %= 8;
        Known memory leaf = leaves[which % leaves.length];
        bytes32 id = Naive.leafHash(leaf.digest);
        BatchRegister.BatchEntry memory current = newest(id);
        bool good = fault != 1 && fault != 2 && current.status != 3;
        BatchRegister.BatchEntry memory batch_ = histories[idOf(leaf.series, leaf.sequence)][0];
        uint64 index = fault == 2 ? leaf.index + 1 : leaf.index;
        BatchRegister.Place memory place = BatchRegister.Place(leaf.series, batch_, leaf.digest, index, leaf.path);
        if (!sent(correctCall(place, id, current, isVoid, fault == 1 ? 1 : 2), good)) return;
        current = following(current, isVoid ? 4 : 3, 0, 0, REASON);
        current.status = isVoid ? 3 : 2;
        current.digest = isVoid ? bytes32(0) : REPLACEMENT;
        histories[id].push(current);
    }

    function newest(bytes32 recordId) private view returns (BatchRegister.BatchEntry memory entry) {
        uint256 length = histories[recordId].length;
        if (length > 0) entry = histories[recordId][length - 1];
    }

    function appendCall(
        bytes32 id,
        bytes32[] memory digests,
        BatchRegister.BatchEntry memory current,
        bool withLeaves,
        uint256 signers
    ) private view returns (bytes memory) {
        BatchRegister.Batch memory batch_ = batchOf(id, digests);
        bytes32 head = batches.headOf(id);
        if (!withLeaves) {
            Register.Approval[] memory approvals = approve(keysOf(signers), toSign(batchStruct(batch_, head)));
            return abi.encodeCall(BatchRegister.append, (batch_, current, approvals));
        }
        Register.Approval[] memory given = approve(keysOf(signers), toSign(leavesStruct(id, head, digests)));
        return abi.encodeCall(BatchRegister.appendLeaves, (id, digests, DEADLINE, current, given));
    }

    function correctCall(
        BatchRegister.Place memory place,
        bytes32 id,
        BatchRegister.BatchEntry memory current,
        bool isVoid,
        uint256 signers
    ) private view returns (bytes memory) {
        bytes32 head = batches.headOf(id);
        bytes32 structHash =
            isVoid ? voidStruct(id, head, REASON, DEADLINE) : amendStruct(id, head, REPLACEMENT, REASON, DEADLINE);
        Register.Approval[] memory given = approve(keysOf(signers), toSign(structHash));
        return
            isVoid
                ? abi.encodeCall(BatchRegister.void, (place, REASON, DEADLINE, current, given))
                : abi.encodeCall(BatchRegister.amend, (place, REPLACEMENT, REASON, DEADLINE, current, given));
    }

    function sent(bytes memory data, bool good) private returns (bool done) {
        (done, ) = address(batches).call(data);
        if (done != good) wrong = true;
        if (done) ++recorded;
    }
}

contract BatchHistoryTest is BatchFixture {
    BatchOffice private office;
    address[] private targets;

    function setUp() public override {
        office = new BatchOffice();
        office.setUp();
        batches = office.batchesAddress();
        targets.push(address(office));
    }

    function targetContracts() external view returns (address[] memory) {
        return targets;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        bytes4[] memory names = new bytes4[](2);
        (names[0], names[1]) = (BatchOffice.appendOne.selector, BatchOffice.correctOne.selector);
        selectors[0] = FuzzSelector(address(office), names);
    }

    function test_every_kind_of_change_is_tried() public {
        office.appendOne(0, 3, false, 0, 1);
        office.appendOne(0, 3, true, 0, 1);
        office.correctOne(1, false, 0);
        office.correctOne(1, true, 0);
        assertEq(office.recorded(), 4);
        for (uint8 fault = 1; fault < 4; ++fault) {
            office.appendOne(0, 3, fault == 2, fault, 1);
            if (fault < 3) office.correctOne(2, false, fault);
        }
        office.correctOne(1, false, 0);
        assertEq(office.recorded(), 4);
        assertTrue(!office.wrong(), "and judged by the rules");
    }

    function invariant_only_what_the_rules_allow_is_recorded() external view {
        assertTrue(!office.wrong(), "a change was recorded or refused against the rules");
    }

    function invariant_batches_form_one_chain_and_stay_in_their_places() external view {
        for (uint256 which = 0; which < 2; ++which) {
            bytes32 id = office.seriesOf(which);
            BatchRegister.BatchEntry[] memory past = office.history(id);
            (bytes32 head, uint64 total) = (0, 0);
            for (uint256 i = 0; i < past.length; ++i) {
                total += past[i].count;
                assertEq(past[i].previous, head);
                assertEq(past[i].sequence, i + 1);
                assertEq(past[i].total, total);
                head = hashOf(past[i]);
                assertEq(batches.headOf(idOf(id, i + 1)), head);
            }
            assertEq(batches.headOf(id), head);
            assertEq(batches.headOf(idOf(id, past.length + 1)), 0);
        }
    }

    function invariant_a_leaf_is_good_if_and_only_if_it_was_never_corrected() external view {
        BatchOffice.Known[] memory leaves = office.known();
        for (uint256 i = 0; i < leaves.length; ++i) {
            bytes32 id = Naive.leafHash(leaves[i].digest);
            BatchRegister.BatchEntry[] memory past = office.history(id);
            assertEq(batches.headOf(id), past.length == 0 ? bytes32(0) : hashOf(past[past.length - 1]));
            BatchRegister.BatchEntry memory batch_ = office.history(idOf(leaves[i].series, leaves[i].sequence))[0];
            bool isGood =
                batches.isGood(leaves[i].series, batch_, leaves[i].digest, leaves[i].index, leaves[i].path);
            assertTrue(isGood == (past.length == 0), "good as long as it is not corrected");
        }
    }
}

struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}
