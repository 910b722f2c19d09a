// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Authority} from "./Authority.sol";
import {IdentityHistory} from "./IdentityHistory.sol";
import {Register} from "./Register.sol";

/// @title IdentityRegister
/// @notice Identities under record ids of 32 random bytes, each with a controller who signs for it. Only hashes are
/// kept; the events hold the entries. Dates are seconds since 1970.
contract IdentityRegister is IdentityHistory {
    /// @notice A first entry. `recordId` is random, never made from a number that somebody can guess.
    struct Identity {
        bytes32 recordId;
        bytes32 digest;
        address controller;
        uint40 validUntil;
    }

    bytes32 private constant IDENTITY_TYPEHASH =
        keccak256("Identity(bytes32 recordId,bytes32 digest,address controller,uint40 validUntil)");
    bytes32 private constant ISSUE_TYPEHASH =
        keccak256(
            "IssueIdentities(Identity[] identities,uint256 deadline)Identity(bytes32 recordId,bytes32 digest,address controller,uint40 validUntil)"
        );
    bytes32 private constant RENEW_TYPEHASH =
        keccak256(
            "RenewIdentity(bytes32 recordId,bytes32 head,bytes32 digest,uint40 validUntil,uint256 deadline)"
        );
    bytes32 private constant ROTATE_TYPEHASH =
        keccak256("RotateController(bytes32 recordId,bytes32 head,address controller,uint256 deadline)");
    bytes32 private constant RECOVER_TYPEHASH =
        keccak256("RecoverIdentity(bytes32 recordId,bytes32 head,address controller,uint256 deadline)");
    bytes32 private constant VETO_TYPEHASH =
        keccak256("VetoRecovery(bytes32 recordId,bytes32 head,uint256 deadline)");
    bytes32 private constant SUSPEND_TYPEHASH =
        keccak256("SuspendIdentity(bytes32 recordId,bytes32 head,uint256 deadline)");
    bytes32 private constant REINSTATE_TYPEHASH =
        keccak256("ReinstateIdentity(bytes32 recordId,bytes32 head,uint256 deadline)");
    bytes32 private constant REVOKE_TYPEHASH =
        keccak256("RevokeIdentity(bytes32 recordId,bytes32 head,uint256 deadline)");

    /// @notice The seconds from a recovery to the first in which it may be confirmed and the controller may not veto.
    uint40 public immutable recoveryDelay;

    /// @notice A first entry: sequence 1, no previous entry, active.
    event Issued(bytes32 indexed recordId, bytes32 digest, address controller, uint40 validUntil);

    error EmptyBatch();
    error InvalidController(address controller);
    error InvalidDelay(uint40 delay);
    error InvalidDigest(bytes32 recordId);
    error InvalidValidity(bytes32 recordId, uint40 validUntil);
    error PastValidity(bytes32 recordId, uint40 validUntil);
    error VetoEnded(bytes32 recordId, uint256 time);
    error VetoOpen(bytes32 recordId, uint256 time);

    /// @param delay A day or more where identities are real; short only on a network for tests.
    constructor(Authority authority_, uint40 delay) Register(authority_) EIP712("IdentityRegister", "1") {
        if (delay == 0) revert InvalidDelay(delay);
        recoveryDelay = delay;
    }

    /// @notice Record identities. All are recorded or none.
    function issue(Identity[] calldata identities, uint256 deadline, Approval[] calldata approvals) external {
        if (identities.length == 0) revert EmptyBatch();
        bytes32 structHash = keccak256(abi.encode(ISSUE_TYPEHASH, _hashIdentities(identities), deadline));
        // slither-disable-next-line uninitialized-local - zero is right for whatever is not set
        IdentityEntry memory entry;
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        entry.sequence = 1;
        entry.time = uint40(block.timestamp);
        entry.action = ISSUE;
        entry.status = ACTIVE;
        for (uint256 i = 0; i < identities.length; ++i) {
            _issue(identities[i], entry);
        }
    }

    /// @notice Give an identity, expired or not, a new content and a new end. `current` is its newest entry, as in all
    /// functions that follow.
    function renew(
        bytes32 recordId,
        IdentityEntry calldata current,
        bytes32 digest,
        uint40 validUntil,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        (IdentityEntry memory entry, bytes32 head) = _open(recordId, current);
        _expect(recordId, entry.status, ACTIVE);
        _checkContent(recordId, digest, validUntil);
        bytes32 structHash = keccak256(abi.encode(RENEW_TYPEHASH, recordId, head, digest, validUntil, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        entry.digest = digest;
        entry.validUntil = validUntil;
        _record(recordId, entry, head, RENEW);
    }

    /// @notice Hand an identity that is not expired to another key. The old and the new controller and the registrars
    /// sign the same struct.
    function rotate(
        bytes32 recordId,
        IdentityEntry calldata current,
        address controller,
        uint256 deadline,
        bytes calldata oldSignature,
        bytes calldata newSignature,
        Approval[] calldata approvals
    ) external {
        (IdentityEntry memory entry, bytes32 head) = _open(recordId, current);
        _expect(recordId, entry.status, ACTIVE);
        if (block.timestamp >= entry.validUntil) revert PastValidity(recordId, entry.validUntil);
        _checkController(controller, entry.controller);
        bytes32 signed;
        (entry.approvals, signed) =
            _approve(keccak256(abi.encode(ROTATE_TYPEHASH, recordId, head, controller, deadline)), deadline, approvals);
        _checkSignature(entry.controller, signed, oldSignature);
        _checkSignature(controller, signed, newSignature);
        entry.controller = controller;
        _record(recordId, entry, head, ROTATE);
    }

    /// @notice Propose another controller where the key is lost or stolen. It takes effect when it is confirmed.
    function recover(
        bytes32 recordId,
        IdentityEntry calldata current,
        address controller,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        (IdentityEntry memory entry, bytes32 head) = _open(recordId, current);
        if (entry.status != SUSPENDED) _expect(recordId, entry.status, ACTIVE);
        _checkController(controller, entry.controller);
        bytes32 structHash = keccak256(abi.encode(RECOVER_TYPEHASH, recordId, head, controller, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        entry.controller = controller;
        entry.status = RECOVERING;
        _record(recordId, entry, head, RECOVER);
    }

    /// @notice Let a recovery take effect once nobody can veto it any more. Anyone may.
    /// @param before The entry that the recovery replaced: a suspended identity stays suspended.
    function confirm(bytes32 recordId, IdentityEntry calldata current, IdentityEntry calldata before) external {
        (IdentityEntry memory entry, bytes32 head, IdentityEntry memory old) = _openRecovery(recordId, current, before);
        uint256 end = uint256(entry.time) + recoveryDelay;
        if (block.timestamp < end) revert VetoOpen(recordId, end);
        entry.status = old.status;
        _recordAlone(recordId, entry, head, CONFIRM);
    }

    /// @notice Stop a recovery with the signature of the controller it would replace, who stays.
    /// @param before The entry that the recovery replaced, which names that controller.
    function veto(
        bytes32 recordId,
        IdentityEntry calldata current,
        IdentityEntry calldata before,
        uint256 deadline,
        bytes calldata signature
    ) external {
        (IdentityEntry memory entry, bytes32 head, IdentityEntry memory old) = _openRecovery(recordId, current, before);
        uint256 end = uint256(entry.time) + recoveryDelay;
        if (block.timestamp >= end) revert VetoEnded(recordId, end);
        if (block.timestamp > deadline) revert Expired(deadline);
        bytes32 signed = _hashTypedDataV4(keccak256(abi.encode(VETO_TYPEHASH, recordId, head, deadline)));
        _checkSignature(old.controller, signed, signature);
        entry.controller = old.controller;
        entry.status = old.status;
        _recordAlone(recordId, entry, head, VETO);
    }

    /// @notice Take an identity out of use, for a time.
    function suspend(
        bytes32 recordId,
        IdentityEntry calldata current,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        (IdentityEntry memory entry, bytes32 head) = _open(recordId, current);
        _expect(recordId, entry.status, ACTIVE);
        entry.status = SUSPENDED;
        _approveAndRecord(SUSPEND_TYPEHASH, recordId, entry, head, SUSPEND, deadline, approvals);
    }

    /// @notice Bring a suspended identity back into use.
    function reinstate(
        bytes32 recordId,
        IdentityEntry calldata current,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        (IdentityEntry memory entry, bytes32 head) = _open(recordId, current);
        _expect(recordId, entry.status, SUSPENDED);
        entry.status = ACTIVE;
        _approveAndRecord(REINSTATE_TYPEHASH, recordId, entry, head, REINSTATE, deadline, approvals);
    }

    /// @notice End an identity for ever.
    function revoke(
        bytes32 recordId,
        IdentityEntry calldata current,
        uint256 deadline,
        Approval[] calldata approvals
    ) external {
        (IdentityEntry memory entry, bytes32 head) = _open(recordId, current);
        // slither-disable-next-line incorrect-equality - a status is no amount, and it has four values
        if (entry.status == REVOKED) revert WrongStatus(recordId, REVOKED);
        entry.status = REVOKED;
        _approveAndRecord(REVOKE_TYPEHASH, recordId, entry, head, REVOKE, deadline, approvals);
    }

    /// @dev `entry` is a template whose own fields are overwritten.
    function _issue(Identity calldata identity, IdentityEntry memory entry) private {
        (bytes32 recordId, bytes32 digest, address controller, uint40 validUntil) =
            (identity.recordId, identity.digest, identity.controller, identity.validUntil);
        if (headOf[recordId] != 0) revert AlreadyRecorded(recordId);
        _checkContent(recordId, digest, validUntil);
        _checkController(controller, address(0));
        entry.digest = digest;
        entry.controller = controller;
        entry.validUntil = validUntil;
        headOf[recordId] = _hash(entry);
        emit Issued(recordId, digest, controller, validUntil);
    }

    function _checkContent(bytes32 recordId, bytes32 digest, uint40 validUntil) private view {
        if (digest == 0) revert InvalidDigest(recordId);
        if (validUntil <= block.timestamp) revert InvalidValidity(recordId, validUntil);
    }

    function _checkController(address controller, address old) private pure {
        if (controller == address(0) || controller == old) revert InvalidController(controller);
    }

    function _approveAndRecord(
        bytes32 typehash,
        bytes32 recordId,
        IdentityEntry memory entry,
        bytes32 head,
        uint8 action,
        uint256 deadline,
        Approval[] calldata given
    ) private {
        (entry.approvals, ) = _approve(keccak256(abi.encode(typehash, recordId, head, deadline)), deadline, given);
        _record(recordId, entry, head, action);
    }

    /// @dev EIP-712: the hash of an array is that of its members' hashes. An Identity lies in the calldata as EIP-712
    /// encodes it; that its words fit their types is checked where they are read, in `_issue`.
    function _hashIdentities(Identity[] calldata identities) private pure returns (bytes32 result) {
        bytes32 typehash = IDENTITY_TYPEHASH;
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            let hashes := add(encoded, 0xa0)
            let size := mul(identities.length, 0x20)
            mstore(encoded, typehash)
            for { let i := 0 } lt(i, size) { i := add(i, 0x20) } {
                calldatacopy(add(encoded, 0x20), add(identities.offset, mul(i, 4)), 0x80)
                mstore(add(hashes, i), keccak256(encoded, 0xa0))
            }
            result := keccak256(hashes, size)
        }
    }
}
