// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandTitles} from "./LandTitles.sol";

/// @title LandCourt
/// @notice What courts do to titles: freeze them, and assign them without their holder (inheritance, judgment, lost key).
/// An assignment waits in an entry of its own, PENDING, that names the new holder. Liens stay on the title.
abstract contract LandCourt is LandTitles {
    bytes32 private constant FREEZE_TYPEHASH =
        keccak256("FreezeTitle(bytes32 recordId,bytes32 head,uint256 deadline)");
    bytes32 private constant UNFREEZE_TYPEHASH =
        keccak256("UnfreezeTitle(bytes32 recordId,bytes32 head,uint256 deadline)");
    bytes32 private constant ASSIGN_TYPEHASH =
        keccak256("AssignTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)");

    error NotFrozen(bytes32 recordId, uint8 status);

    /// @notice Stop a title from moving, changing and taking liens. The court signs.
    /// @param current The title's newest entry.
    function freeze(
        bytes32 recordId,
        uint256 deadline,
        LandEntry calldata current,
        Approval[] calldata approvals
    ) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        entry.approvals =
            _approveByCourt(keccak256(abi.encode(FREEZE_TYPEHASH, recordId, head, deadline)), deadline, approvals);
        entry.status = FROZEN;
        _follow(recordId, entry, head, FREEZE);
    }

    /// @notice Let a frozen title move again. The court signs.
    /// @param current The title's newest entry.
    function unfreeze(
        bytes32 recordId,
        uint256 deadline,
        LandEntry calldata current,
        Approval[] calldata approvals
    ) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _headOf(recordId, entry);
        if (entry.status != FROZEN) revert NotFrozen(recordId, entry.status);
        entry.approvals =
            _approveByCourt(keccak256(abi.encode(UNFREEZE_TYPEHASH, recordId, head, deadline)), deadline, approvals);
        entry.status = ACTIVE;
        _follow(recordId, entry, head, UNFREEZE);
    }

    /// @notice Begin to pass a title, active or frozen, on without its holder. The recipient, the court and the registrars
    /// sign the same struct.
    /// @param current The title's newest entry.
    /// @param approvals Of court and registrars together, ascending.
    function assign(
        Transfer calldata change,
        LandEntry calldata current,
        bytes calldata recipientSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        LandEntry memory entry = _read(current);
        bytes32 head = _headOf(recordId, entry);
        if (entry.status != ACTIVE && entry.status != FROZEN) revert NotActive(recordId, entry.status);
        address recipient = _receive(change, entry);
        (address[] memory approvers, bytes32 signed) =
            _checkApprovals(_hashTransfer(ASSIGN_TYPEHASH, change, head), change.deadline, approvals);
        authority.checkApproversAndCourt(approvers);
        _checkSignature(recipient, signed, recipientSignature);
        entry.approvals = _tellApprovers(approvers);
        entry.status = PENDING;
        _follow(recordId, entry, head, ASSIGN);
    }

    /// @dev As `_approve`, but by the court alone.
    function _approveByCourt(bytes32 structHash, uint256 deadline, Approval[] calldata given)
        internal
        returns (bytes32)
    {
        (address[] memory approvers, ) = _checkApprovals(structHash, deadline, given);
        authority.checkCourt(approvers);
        return _tellApprovers(approvers);
    }
}
