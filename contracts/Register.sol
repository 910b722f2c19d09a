// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Authority} from "./Authority.sol";

/// @dev A base of its own, so that the heads come before EIP712's strings and lie at storage position 0, where
/// verifiers look for them.
abstract contract Heads {
    /// @notice The hash of a record's newest entry, which names the one before it; zero if nothing was ever recorded.
    mapping(bytes32 recordId => bytes32 head) public headOf;
}

/// @title Register
/// @notice Records that change only with the approval of enough registrars. Who sends the transaction has no say.
abstract contract Register is Heads, EIP712 {
    /// @notice A registrar's signature over a change.
    struct Approval {
        address signer;
        bytes signature;
    }

    /// @dev Half the order of secp256k1. The other half holds a second signature for each of this half.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice The authority that says who the registrars are.
    Authority public immutable authority;

    /// @notice The approvers of the record events that follow in this transaction, ascending.
    event Approved(address[] approvers);

    error AlreadyRecorded(bytes32 recordId);
    error ApprovalsNotAscending(address previous, address signer);
    error Expired(uint256 deadline);
    error InvalidSignature(address signer);
    error StaleHead(bytes32 recordId, bytes32 head);

    constructor(Authority authority_) {
        authority = authority_;
    }

    /// @dev Revert unless enough registrars have signed the struct before the deadline; else say who did.
    /// @return approvals keccak256 of their packed addresses, as entries hold it.
    /// @return digest What was signed, for the signatures of others that an action needs.
    function _approve(bytes32 structHash, uint256 deadline, Approval[] calldata given)
        internal
        returns (bytes32 approvals, bytes32 digest)
    {
        address[] memory approvers;
        (approvers, digest) = _checkApprovals(structHash, deadline, given);
        authority.checkApprovers(approvers);
        approvals = _tellApprovers(approvers);
    }

    /// @dev Revert unless every approval is a signature of the struct and the deadline is not over. Whether the approvers
    /// are entitled, the authority says.
    /// @return approvers Ascending, so nobody counts twice.
    function _checkApprovals(bytes32 structHash, uint256 deadline, Approval[] calldata given)
        internal
        view
        returns (address[] memory approvers, bytes32 digest)
    {
        if (block.timestamp > deadline) revert Expired(deadline);
        digest = _hashTypedDataV4(structHash);
        approvers = new address[](given.length);
        address previous = address(0);
        for (uint256 i = 0; i < given.length; ++i) {
            Approval calldata approval = given[i];
            address signer = approval.signer;
            if (signer <= previous) revert ApprovalsNotAscending(previous, signer);
            _checkSignature(signer, digest, approval.signature);
            previous = signer;
            // approvers[i] = signer, whose place is known to be there.
            assembly ("memory-safe") {
                mstore(add(approvers, mul(add(i, 1), 0x20)), signer)
            }
        }
    }

    /// @dev emit Approved(approvers): an array lies in memory as its encoding, but for the offset in front.
    /// @return approvals keccak256 of the addresses, 20 bytes each.
    function _tellApprovers(address[] memory approvers) internal returns (bytes32 approvals) {
        bytes32 topic = Approved.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let count := mload(approvers)
            let size := mul(add(count, 1), 0x20)
            mstore(free, 0x20)
            mcopy(add(free, 0x20), approvers, size)
            log1(free, add(size, 0x20), topic)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                mstore(add(free, mul(i, 20)), shl(96, mload(add(approvers, mul(add(i, 1), 0x20)))))
            }
            approvals := keccak256(free, mul(count, 20))
        }
    }

    /// @dev As SignatureChecker, but a key of its own is tried first: it needs no look at the signer's account, which
    /// costs 2,600 gas.
    function _checkSignature(address signer, bytes32 digest, bytes calldata signature) internal view {
        if (signer != address(0) && _recover(digest, signature) == signer) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert InvalidSignature(signer);
        }
    }

    /// @dev The signer of 65 bytes r, s, v; zero if they are no signature or `s` is high (EIP-2). As ECDSA.tryRecover,
    /// at a third of its price: a transfer has four.
    function _recover(bytes32 digest, bytes calldata signature) private view returns (address signer) {
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            mstore(add(input, 0x20), byte(0, calldataload(add(signature.offset, 0x40))))
            calldatacopy(add(input, 0x40), signature.offset, 0x40)
            // The precompile leaves the zero where it is if it recovers no signer.
            mstore(0, 0)
            if and(eq(signature.length, 65), iszero(gt(mload(add(input, 0x60)), HALF_ORDER))) {
                pop(staticcall(gas(), 1, input, 0x80, 0, 0x20))
            }
            signer := mload(0)
        }
    }
}
