// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchRegister} from "../BatchRegister.sol";
import {Register} from "../Register.sol";
import {Fixture} from "./Fixture.sol";

/// @dev RFC 9162 section 2.1 as it is written there, with slices and recursion: slow, and easy to compare with the text.
library Naive {
    function leafHash(bytes32 digest) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", digest));
    }

    function leaves(bytes32[] memory digests) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](digests.length);
        for (uint256 i = 0; i < digests.length; ++i) {
            hashes[i] = leafHash(digests[i]);
        }
    }

    function root(bytes32[] memory hashes) internal pure returns (bytes32) {
        if (hashes.length == 1) return hashes[0];
        uint256 k = split(hashes.length);
        bytes32 left = root(slice(hashes, 0, k));
        return sha256(bytes.concat(hex"01", left, root(slice(hashes, k, hashes.length))));
    }

    /// @dev PATH(m, D_n), section 2.1.3.1.
    function path(uint256 m, bytes32[] memory hashes) internal pure returns (bytes32[] memory nodes) {
        if (hashes.length == 1) return nodes;
        uint256 k = split(hashes.length);
        bytes32[] memory left = slice(hashes, 0, k);
        bytes32[] memory right = slice(hashes, k, hashes.length);
        return m < k ? push(path(m, left), root(right)) : push(path(m - k, right), root(left));
    }

    /// @dev The largest power of two smaller than n.
    function split(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (2 * k < n) k *= 2;
    }

    function slice(bytes32[] memory all, uint256 start, uint256 end) internal pure returns (bytes32[] memory part) {
        part = new bytes32[](end - start);
        for (uint256 i = start; i < end; ++i) {
            part[i - start] = all[i];
        }
    }

    function push(bytes32[] memory all, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](all.length + 1);
        for (uint256 i = 0; i < all.length; ++i) {
            longer[i] = all[i];
        }
        longer[all.length] = last;
    }
}

/// @dev A batch register beside the land register of `Fixture`, with the same registrars.
abstract contract BatchFixture is Fixture {
    bytes32 internal constant SERIES = keccak256("transactions/agency 1/2026-07");
    bytes32 internal constant OTHER_SERIES = keccak256("transactions/agency 2/2026-07");
    bytes32 internal constant MANIFEST = keccak256("manifest");
    bytes32 internal constant REASON = keccak256("reason");
    bytes32 internal constant REPLACEMENT = keccak256("replacement");
    string internal constant ENTRY_TYPE =
        "(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,bytes32,uint64,uint64,bytes32)";

    BatchRegister internal batches;

    function setUp() public virtual override {
        super.setUp();
        batches = new BatchRegister(authority);
        authority.setPolicy(address(batches), REGISTRAR, 2);
    }

    // What is signed

    function toSign(bytes32 structHash) internal view returns (bytes32) {
        bytes32 typehash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 separator =
            keccak256(
                abi.encode(
                    typehash,
                    keccak256("BatchRegister"),
                    keccak256("1"),
                    block.chainid,
                    address(batches)
                )
            );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function batchStruct(BatchRegister.Batch memory batch_, bytes32 head) internal pure returns (bytes32) {
        string memory types =
            "AppendBatch(bytes32 series,bytes32 head,bytes32 root,uint64 count,bytes32 manifest,uint256 deadline)";
        return
            keccak256(
                abi.encode(
                    keccak256(bytes(types)),
                    batch_.series,
                    head,
                    batch_.root,
                    batch_.count,
                    batch_.manifest,
                    batch_.deadline
                )
            );
    }

    function leavesStruct(bytes32 series, bytes32 head, bytes32[] memory digests) internal pure returns (bytes32) {
        string memory types =
            "AppendLeaves(bytes32 series,bytes32 head,bytes32 root,uint64 count,uint256 deadline)";
        bytes32 root = Naive.root(Naive.leaves(digests));
        return keccak256(abi.encode(keccak256(bytes(types)), series, head, root, digests.length, DEADLINE));
    }

    function amendStruct(bytes32 leaf, bytes32 head, bytes32 replacement, bytes32 reason, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        string memory types =
            "AmendLeaf(bytes32 leaf,bytes32 head,bytes32 replacement,bytes32 reason,uint256 deadline)";
        return keccak256(abi.encode(keccak256(bytes(types)), leaf, head, replacement, reason, deadline));
    }

    function voidStruct(bytes32 leaf, bytes32 head, bytes32 reason, uint256 deadline) internal pure returns (bytes32) {
        string memory types = "VoidLeaf(bytes32 leaf,bytes32 head,bytes32 reason,uint256 deadline)";
        return keccak256(abi.encode(keccak256(bytes(types)), leaf, head, reason, deadline));
    }

    // What is done

    /// @dev Content digests; other ones for another `salt`.
    function contents(uint256 salt, uint256 count) internal pure returns (bytes32[] memory digests) {
        digests = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            digests[i] = keccak256(abi.encode("content", salt, i));
        }
    }

    function batchOf(bytes32 series, bytes32[] memory digests) internal pure returns (BatchRegister.Batch memory) {
        bytes32 root = Naive.root(Naive.leaves(digests));
        return BatchRegister.Batch(series, root, uint64(digests.length), MANIFEST, DEADLINE);
    }

    /// @dev Two registrars' approvals of what follows the head of a series.
    function approvalsOf(BatchRegister.Batch memory batch_) internal view returns (Register.Approval[] memory) {
        return approve(keysOf(2), toSign(batchStruct(batch_, batches.headOf(batch_.series))));
    }

    /// @dev Append, and the entry that should have been recorded.
    function append(BatchRegister.Batch memory batch_, BatchRegister.BatchEntry memory current)
        internal
        returns (BatchRegister.BatchEntry memory)
    {
        batches.append(batch_, current, approvalsOf(batch_));
        return following(current, 1, batch_.root, batch_.count, batch_.manifest);
    }

    function appendLeaves(bytes32 series, bytes32[] memory digests, BatchRegister.BatchEntry memory current)
        internal
        returns (BatchRegister.BatchEntry memory)
    {
        bytes32 structHash = leavesStruct(series, batches.headOf(series), digests);
        batches.appendLeaves(series, digests, DEADLINE, current, approve(keysOf(2), toSign(structHash)));
        return following(current, 2, Naive.root(Naive.leaves(digests)), uint64(digests.length), 0);
    }

    function following(
        BatchRegister.BatchEntry memory current,
        uint8 action,
        bytes32 root,
        uint64 count,
        bytes32 manifest
    ) internal view returns (BatchRegister.BatchEntry memory) {
        return
            BatchRegister.BatchEntry(
                current.sequence == 0 ? bytes32(0) : hashOf(current),
                current.sequence + 1,
                uint40(block.timestamp),
                action,
                1,
                0,
                packedHash(keysOf(2)),
                root,
                count,
                current.total + count,
                manifest
            );
    }

    function hashOf(BatchRegister.BatchEntry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(entry));
    }

    function idOf(bytes32 series, uint256 sequence) internal pure returns (bytes32) {
        return keccak256(abi.encode(series, sequence));
    }

    /// @dev The call is refused with exactly this, and a record stays as it is.
    function refuse(bytes memory call, bytes32 recordId, bytes memory problem) internal {
        bytes32 head = batches.headOf(recordId);
        (bool done, bytes memory answer) = address(batches).call(call);
        assertTrue(!done, "refused");
        assertEq(keccak256(answer), keccak256(problem));
        assertEq(batches.headOf(recordId), head);
    }
}
