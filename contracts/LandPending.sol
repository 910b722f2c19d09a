// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandCourt} from "./LandCourt.sol";

/// @title LandPending
/// @notice What becomes of an assignment, and of a transfer in a register with a cooling-off window, that waits in an entry
/// of its own, PENDING. Nothing else can be done to the title. Anyone lets it take effect when its window is over; the
/// court may withdraw it as long as it waits, and the holder may object to a transfer until its window is over.
abstract contract LandPending is LandCourt {
    /// @notice How long an assignment waits, in seconds. A transfer waits for `coolingOff`.
    uint256 public constant ASSIGNMENT_WINDOW = 30 days;

    bytes32 private constant WITHDRAW_TYPEHASH =
        keccak256("WithdrawPending(bytes32 recordId,bytes32 head,uint256 deadline)");
    bytes32 private constant OBJECT_TYPEHASH =
        keccak256("ObjectToTransfer(bytes32 recordId,bytes32 head,uint256 deadline)");

    error NotPending(bytes32 recordId, uint8 status);
    error NotTransfer(bytes32 recordId, uint8 action);
    error TooEarly(bytes32 recordId, uint256 end);
    error TooLate(bytes32 recordId, uint256 end);
    error WrongApprovers(bytes32 recordId);
    error WrongPrevious(bytes32 recordId, bytes32 previous);

    /// @notice Let what waits take effect. It needs no signature, but those who approved it must still be entitled.
    /// @param current The title's newest entry.
    /// @param approvers Of that entry.
    function complete(bytes32 recordId, LandEntry calldata current, address[] calldata approvers) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _pendingHeadOf(recordId, entry);
        uint256 end = _windowEnd(entry);
        if (block.timestamp < end) revert TooEarly(recordId, end);
        if (entry.action == TRANSFER) authority.checkApprovers(approvers);
        else authority.checkApproversAndCourt(approvers);
        if (_tellApprovers(approvers) != entry.approvals) revert WrongApprovers(recordId);
        entry.status = ACTIVE;
        _follow(recordId, entry, head, COMPLETE);
    }

    /// @notice Undo what waits: the title is as it was before. The court signs.
    /// @param current The title's newest entry.
    /// @param previous The one before.
    function withdraw(
        bytes32 recordId,
        uint256 deadline,
        LandEntry calldata current,
        LandEntry memory previous,
        Approval[] calldata approvals
    ) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _pendingHeadOf(recordId, entry);
        bytes32 structHash = keccak256(abi.encode(WITHDRAW_TYPEHASH, recordId, head, deadline));
        _restore(recordId, entry, previous);
        previous.approvals = _approveByCourt(structHash, deadline, approvals);
        _follow(recordId, previous, head, WITHDRAW);
    }

    /// @notice Undo a transfer that waits, before its window is over: the title is as it was before. The holder before
    /// signs, and no registrar.
    /// @param current The title's newest entry.
    /// @param previous The one before, which names that holder.
    function objectToTransfer(
        bytes32 recordId,
        uint256 deadline,
        LandEntry calldata current,
        LandEntry memory previous,
        bytes calldata holderSignature
    ) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _pendingHeadOf(recordId, entry);
        if (entry.action != TRANSFER) revert NotTransfer(recordId, entry.action);
        uint256 end = _windowEnd(entry);
        if (block.timestamp >= end) revert TooLate(recordId, end);
        if (block.timestamp > deadline) revert Expired(deadline);
        _restore(recordId, entry, previous);
        bytes32 signed = _hashTypedDataV4(keccak256(abi.encode(OBJECT_TYPEHASH, recordId, head, deadline)));
        _checkSignature(previous.holder, signed, holderSignature);
        previous.approvals = _tellApprovers(new address[](0));
        _follow(recordId, previous, head, OBJECT);
    }

    function _pendingHeadOf(bytes32 recordId, LandEntry memory entry) private view returns (bytes32 head) {
        head = _headOf(recordId, entry);
        if (entry.status != PENDING) revert NotPending(recordId, entry.status);
    }

    /// @dev The first second in which what waits may take effect. Only transfers and assignments wait.
    function _windowEnd(LandEntry memory entry) private view returns (uint256) {
        return entry.time + (entry.action == TRANSFER ? coolingOff : ASSIGNMENT_WINDOW);
    }

    /// @dev Let the entry before the newest, if it is that, count on from the newest.
    function _restore(bytes32 recordId, LandEntry memory entry, LandEntry memory previous) private pure {
        if (_hash(previous) != entry.previous) revert WrongPrevious(recordId, entry.previous);
        previous.sequence = entry.sequence;
    }
}
