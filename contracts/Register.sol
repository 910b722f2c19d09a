// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
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

    /// @dev Revert unless enough registrars have signed the struct before the deadline.
    /// @return approvals keccak256 of their packed addresses, as entries hold it.
    /// @return digest What was signed, for the signatures of others that an action needs.
    function _checkApprovals(bytes32 structHash, uint256 deadline, Approval[] calldata given)
        internal
        view
        returns (bytes32 approvals, bytes32 digest, address[] memory approvers)
    {
        if (block.timestamp > deadline) revert Expired(deadline);
        digest = _hashTypedDataV4(structHash);
        approvers = new address[](given.length);
        bytes memory packed;
        address previous = address(0);
        for (uint256 i = 0; i < given.length; ++i) {
            address signer = given[i].signer;
            if (signer <= previous) revert ApprovalsNotAscending(previous, signer);
            _checkSignature(signer, digest, given[i].signature);
            approvers[i] = previous = signer;
            packed = abi.encodePacked(packed, signer);
        }
        authority.checkApprovers(approvers);
        approvals = keccak256(packed);
    }

    /// @dev A key of its own is tried first: it needs no look at the signer's account, which costs 2,600 gas.
    function _checkSignature(address signer, bytes32 digest, bytes calldata signature) internal view {
        (address recovered, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature)) {
            revert InvalidSignature(signer);
        }
    }
}
