// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Register} from "./Register.sol";

/// @title IdentityHistory
/// @notice The entries of identities and how one follows another.
abstract contract IdentityHistory is Register {
    /// @notice The state of an identity after an action; `headOf` is the hash of the newest.
    /// @param approvals keccak256 of the packed addresses of the registrars who approved; of nothing in a
    /// confirmation and in a veto.
    /// @param controller While the identity is RECOVERING, the proposed one; who may veto is in the entry before.
    /// @param validUntil The first second in which the identity is expired.
    struct IdentityEntry {
        bytes32 previous;
        uint32 sequence;
        uint40 time;
        uint8 action;
        uint8 status;
        bytes32 digest;
        bytes32 approvals;
        address controller;
        uint40 validUntil;
    }

    uint8 public constant ISSUE = 1;
    uint8 public constant RENEW = 2;
    uint8 public constant ROTATE = 3;
    uint8 public constant RECOVER = 4;
    uint8 public constant CONFIRM = 5;
    uint8 public constant VETO = 6;
    uint8 public constant SUSPEND = 7;
    uint8 public constant REINSTATE = 8;
    uint8 public constant REVOKE = 9;

    uint8 public constant ACTIVE = 1;
    uint8 public constant SUSPENDED = 2;
    uint8 public constant REVOKED = 3;
    uint8 public constant RECOVERING = 4;

    /// @notice Any later entry, whole.
    event Recorded(bytes32 indexed recordId, IdentityEntry entry);

    error WrongEntryBefore(bytes32 recordId, bytes32 previous);
    error WrongStatus(bytes32 recordId, uint8 status);

    /// @dev The newest entry, which the caller shows, and its hash.
    function _open(bytes32 recordId, IdentityEntry calldata current)
        internal
        view
        returns (IdentityEntry memory entry, bytes32 head)
    {
        head = headOf[recordId];
        entry = _read(current);
        // slither-disable-next-line incorrect-equality - a head is zero or a hash, nobody can bring it near to another
        if (head == 0 || _hash(entry) != head) revert StaleHead(recordId, head);
    }

    /// @dev As `_open`, and the entry that a recovery replaced.
    function _openRecovery(bytes32 recordId, IdentityEntry calldata current, IdentityEntry calldata before)
        internal
        view
        returns (IdentityEntry memory entry, bytes32 head, IdentityEntry memory old)
    {
        (entry, head) = _open(recordId, current);
        _expect(recordId, entry.status, RECOVERING);
        old = _read(before);
        // slither-disable-next-line incorrect-equality - as in _open
        if (_hash(old) != entry.previous) revert WrongEntryBefore(recordId, entry.previous);
    }

    function _expect(bytes32 recordId, uint8 status, uint8 wanted) internal pure {
        if (status != wanted) revert WrongStatus(recordId, status);
    }

    /// @dev Of an action that no registrar approves.
    function _recordAlone(bytes32 recordId, IdentityEntry memory entry, bytes32 head, uint8 action) internal {
        entry.approvals = keccak256("");
        emit Approved(new address[](0));
        _record(recordId, entry, head, action);
    }

    function _record(bytes32 recordId, IdentityEntry memory entry, bytes32 head, uint8 action) internal {
        entry.previous = head;
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        entry.action = action;
        headOf[recordId] = _hash(entry);
        emit Recorded(recordId, entry);
    }

    /// @dev A copy whose words are not checked: only the right ones have the hash that the caller compares.
    function _read(IdentityEntry calldata source) internal pure returns (IdentityEntry memory entry) {
        assembly ("memory-safe") {
            calldatacopy(entry, source, 0x120)
        }
    }

    /// @dev keccak256(abi.encode(entry)) without the copy: a struct of value types lies in memory as its encoding.
    function _hash(IdentityEntry memory entry) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(entry, 0x120)
        }
    }
}
