// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../Authority.sol";
import {BatchRegister} from "../../BatchRegister.sol";
import {Register} from "../../Register.sol";
import {Symbolic} from "./Symbolic.sol";

/// @dev As LandHeads, for batches and corrected leaves. A batch is recorded as the newest of its series and under an id of
/// its own. SHA-256 is an arbitrary function; leaves are corrected in batches of one.
contract BatchHeadsTest is Symbolic {
    BatchRegister internal register;
    bytes32 internal other;
    bytes32 internal otherHead;
    uint256 internal deadline;
    bytes32 internal packed;
    Register.Approval[] internal approvals;

    function setUp() public {
        Authority authority = new Authority(address(this));
        register = new BatchRegister(authority);
        svm.enableSymbolicStorage(address(authority));
        svm.enableSymbolicStorage(address(register));
    }

    function start() internal returns (BatchRegister.BatchEntry memory current) {
        warpToAnyTime();
        other = svm.createBytes32("other");
        otherHead = register.headOf(other);
        deadline = svm.createUint(256, "deadline");
        current = entry("current");
        approvals.push(Register.Approval(svm.createAddress("signer"), svm.createBytes(65, "signature")));
        packed = keccak256(abi.encodePacked(approvals[0].signer));
    }

    function entry(string memory name) internal pure returns (BatchRegister.BatchEntry memory) {
        return abi.decode(svm.createBytes(0x160, name), (BatchRegister.BatchEntry));
    }

    /// @dev `next`, whose own fields are set, was recorded after `current` under `recordId`.
    function assertFollows(
        bytes32 recordId,
        bytes32 head,
        BatchRegister.BatchEntry memory current,
        BatchRegister.BatchEntry memory next
    ) internal view {
        BatchRegister.BatchEntry memory nothing;
        assert(keccak256(abi.encode(current)) == (head == 0 ? keccak256(abi.encode(nothing)) : head));
        (next.previous, next.sequence, next.time) = (head, current.sequence + 1, uint40(block.timestamp));
        next.approvals = packed;
        assert(register.headOf(recordId) == keccak256(abi.encode(next)));
    }

    function check_append() public {
        BatchRegister.BatchEntry memory current = start();
        BatchRegister.BatchEntry memory next = abi.decode(abi.encode(current), (BatchRegister.BatchEntry));
        (next.action, next.status, next.root) = (1, 1, svm.createBytes32("root"));
        (next.count, next.manifest) = (uint64(svm.createUint(64, "count")), svm.createBytes32("manifest"));
        bytes32 series = svm.createBytes32("series");
        bytes32 head = register.headOf(series);
        BatchRegister.Batch memory batch =
            BatchRegister.Batch(series, next.root, next.count, next.manifest, deadline);
        bool success =
            callFromAnyone(address(register), abi.encodeCall(register.append, (batch, current, approvals)));
        if (!success) return assert(register.headOf(other) == otherHead);
        bytes32 id = register.batchId(series, current.sequence + 1);
        next.total = current.total + next.count;
        assertFollows(series, head, current, next);
        assert(register.headOf(id) == register.headOf(series));
        assert(other == series || other == id || register.headOf(other) == otherHead);
        assert(other != id || otherHead == 0 || id == series);
    }

    function correct(bytes32 replacement, uint8 action, uint8 status) internal {
        BatchRegister.BatchEntry memory current = start();
        BatchRegister.BatchEntry memory next = abi.decode(abi.encode(current), (BatchRegister.BatchEntry));
        (next.action, next.status, next.digest) = (action, status, replacement);
        next.manifest = svm.createBytes32("reason");
        BatchRegister.Place memory place;
        (place.series, place.batch, place.digest) =
            (svm.createBytes32("series"), entry("batch"), svm.createBytes32("digest"));
        bytes32 leaf = sha256(abi.encodePacked(uint8(0), place.digest));
        bytes32 head = register.headOf(leaf);
        bytes memory data = action == 3
            ? abi.encodeCall(register.amend, (place, replacement, next.manifest, deadline, current, approvals))
            : abi.encodeCall(register.void, (place, next.manifest, deadline, current, approvals));
        bool success = callFromAnyone(address(register), data);
        if (!success) return assert(register.headOf(other) == otherHead);
        assertFollows(leaf, head, current, next);
        assert(other == leaf || register.headOf(other) == otherHead);
        assert(current.status != 3 && current.count == 0);
    }

    function check_amend() public {
        correct(svm.createBytes32("replacement"), 3, 2);
    }

    function check_void() public {
        correct(0, 4, 3);
    }

    function refute_no_leaf_is_ever_void() public {
        correct(0, 4, 2);
    }
}
