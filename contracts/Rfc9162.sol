// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rfc9162
/// @notice Merkle trees as RFC 9162 section 2.1 defines them: SHA-256, leaf prefix 0x00, node prefix 0x01, no leaf twice.
library Rfc9162 {
    error HashFailed();

    /// @notice The hash of a leaf whose data are the 32 bytes of a content digest.
    function leafHash(bytes32 digest) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), digest));
    }

    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(1), left, right));
    }

    /// @notice The root of the tree whose leaves hold these digests, in order; there is at least one.
    /// @dev Each level is written over the one below it. The byte before a pair of nodes is free by then, so that the
    /// prefix goes there and no node is moved before it is hashed. A hash that fails for want of gas must not pass.
    function root(bytes32[] calldata digests) internal view returns (bytes32 result) {
        bool isHashed;
        assembly ("memory-safe") {
            let level := add(mload(0x40), 0x20)
            let count := digests.length
            isHashed := gt(count, 0)
            mstore(0, 0)
            let toDigest := sub(digests.offset, level)
            let last := add(level, mul(count, 0x20))
            for { let leaf := level } lt(leaf, last) { leaf := add(leaf, 0x20) } {
                calldatacopy(0x20, add(leaf, toDigest), 0x20)
                isHashed := and(staticcall(gas(), 2, 0x1f, 0x21, leaf, 0x20), isHashed)
            }
            for {} gt(count, 1) {} {
                let prefix := sub(level, 1)
                let end := add(level, mul(shr(1, count), 0x20))
                for { let parent := level } lt(parent, end) { parent := add(parent, 0x20) } {
                    mstore8(prefix, 1)
                    isHashed := and(staticcall(gas(), 2, prefix, 0x41, parent, 0x20), isHashed)
                    prefix := add(prefix, 0x40)
                }
                if and(count, 1) { mstore(end, mload(add(prefix, 1))) }
                count := shr(1, add(count, 1))
            }
            result := mload(level)
        }
        if (!isHashed) revert HashFailed();
    }

    /// @notice Whether the leaf hash is leaf `index` of the tree of `size` leaves with that root (section 2.1.3.2).
    function includes(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path, bytes32 expected)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        uint256 last = size - 1;
        bytes32 node = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            if (last == 0) return false;
            if (index & 1 == 1 || index == last) {
                node = nodeHash(path[i], node);
                while (index & 1 == 0 && index != 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                node = nodeHash(node, path[i]);
            }
            index >>= 1;
            last >>= 1;
        }
        return last == 0 && node == expected;
    }
}
