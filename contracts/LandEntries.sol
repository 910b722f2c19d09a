// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Register} from "./Register.sol";

/// @title LandEntries
/// @notice What the register of land keeps of a title, and how one entry follows another.
abstract contract LandEntries is Register {
    /// @notice The state of a title after an action; `headOf` is the hash of the newest.
    /// @param time Of the block, in seconds.
    /// @param approvals keccak256 of the packed addresses of the registrars who approved; of nothing in an objection.
    /// @param holder While the title is PENDING, who will hold it; who holds it is in the entry before.
    /// @param area In dm².
    /// @param parents keccak256 of the heads the parcel was split or merged from, zero for a first registration.
    struct LandEntry {
        bytes32 previous;
        uint32 sequence;
        uint40 time;
        uint8 action;
        uint8 status;
        bytes32 digest;
        bytes32 approvals;
        address holder;
        uint64 area;
        uint16 liens;
        bytes32 lienRoot;
        bytes32 parents;
    }

    /// @notice A first registration. `recordId` is keccak256("land/" + the digits of the parcel number), `digest`
    /// commits to the content.
    struct Title {
        bytes32 recordId;
        bytes32 digest;
        address holder;
        uint64 area;
    }

    uint8 public constant ISSUE = 1;
    uint8 public constant AMEND = 2;
    uint8 public constant TRANSFER = 3;
    uint8 public constant ENCUMBER = 4;
    uint8 public constant RELEASE = 5;
    uint8 public constant FREEZE = 6;
    uint8 public constant UNFREEZE = 7;
    uint8 public constant ASSIGN = 8;
    uint8 public constant SPLIT = 9;
    uint8 public constant MERGE = 10;
    uint8 public constant RETIRE = 11;
    uint8 public constant COMPLETE = 12;
    uint8 public constant WITHDRAW = 13;
    uint8 public constant OBJECT = 14;

    uint8 public constant ACTIVE = 1;
    uint8 public constant FROZEN = 2;
    uint8 public constant RETIRED = 3;
    uint8 public constant PENDING = 4;

    /// @notice Any entry but a first registration, whole.
    event Recorded(bytes32 indexed recordId, LandEntry entry);

    error Encumbered(bytes32 recordId, uint16 liens);
    error InvalidRecipient(address recipient);
    error InvalidTitle(bytes32 recordId);
    error NotActive(bytes32 recordId, uint8 status);

    /// @dev A copy whose words are not checked: only the right ones have the hash that `_headOf` compares.
    function _read(LandEntry calldata source) internal pure returns (LandEntry memory entry) {
        assembly ("memory-safe") {
            calldatacopy(entry, source, 0x180)
        }
    }

    /// @dev The hash of the entry, if it is the newest of the title.
    function _headOf(bytes32 recordId, LandEntry memory entry) internal view returns (bytes32 head) {
        head = headOf[recordId];
        // slither-disable-next-line incorrect-equality - a head is zero or a hash, nobody can bring it near to another
        if (head == 0 || _hash(entry) != head) revert StaleHead(recordId, head);
    }

    /// @dev The same, if the title is active too.
    function _activeHeadOf(bytes32 recordId, LandEntry memory entry) internal view returns (bytes32 head) {
        head = _headOf(recordId, entry);
        if (entry.status != ACTIVE) revert NotActive(recordId, entry.status);
    }

    /// @dev Make of the newest entry, whose hash is `head`, the one that follows it, and record that. What the action
    /// changes has been changed.
    function _follow(bytes32 recordId, LandEntry memory entry, bytes32 head, uint8 action) internal {
        entry.previous = head;
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        entry.action = action;
        entry.parents = 0;
        _record(recordId, entry);
    }

    /// @dev headOf and emit Recorded(recordId, entry), without a copy: a struct of value types lies in memory as its
    /// encoding.
    function _record(bytes32 recordId, LandEntry memory entry) internal {
        bytes32 head;
        bytes32 topic = Recorded.selector;
        assembly ("memory-safe") {
            head := keccak256(entry, 0x180)
        }
        headOf[recordId] = head;
        assembly ("memory-safe") {
            log2(entry, 0x180, topic, recordId)
        }
    }

    /// @dev keccak256(abi.encode(entry)).
    function _hash(LandEntry memory entry) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(entry, 0x180)
        }
    }
}
