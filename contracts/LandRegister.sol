// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Authority} from "./Authority.sol";
import {Register} from "./Register.sol";

/// @title LandRegister
/// @notice Titles to land: one for each parcel, for ever. Only hashes are kept; the events hold the entries.
contract LandRegister is Register {
    /// @notice The state of a title after an action; `headOf` is the hash of the newest.
    /// @param time Of the block, in seconds.
    /// @param approvals keccak256 of the packed addresses of the registrars who approved.
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

    /// @notice What is asked for in a transfer. `digest` commits to the new content, which names the recipient.
    struct Transfer {
        bytes32 recordId;
        address recipient;
        bytes32 digest;
        uint256 deadline;
    }

    uint8 public constant ISSUE = 1;
    uint8 public constant TRANSFER = 3;
    uint8 public constant ACTIVE = 1;

    bytes32 private constant TITLE_TYPEHASH =
        keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)");
    bytes32 private constant ISSUE_TYPEHASH =
        keccak256(
            "IssueTitles(Title[] titles,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"
        );
    bytes32 private constant TRANSFER_TYPEHASH =
        keccak256(
            "TransferTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)"
        );

    /// @notice A first registration: sequence 1, no previous entry, no lien, no parents, active.
    event Issued(bytes32 indexed recordId, bytes32 digest, address holder, uint64 area);

    /// @notice Any later entry, whole.
    event Recorded(bytes32 indexed recordId, LandEntry entry);

    error EmptyBatch();
    error Encumbered(bytes32 recordId, uint16 liens);
    error InvalidRecipient(address recipient);
    error InvalidTitle(bytes32 recordId);
    error NotActive(bytes32 recordId, uint8 status);

    constructor(Authority authority_) Register(authority_) EIP712("LandRegister", "1") {}

    /// @notice Record the first titles of parcels. All are recorded or none.
    function issue(Title[] calldata titles, uint256 deadline, Approval[] calldata approvals) external {
        if (titles.length == 0) revert EmptyBatch();
        bytes32 structHash = keccak256(abi.encode(ISSUE_TYPEHASH, _hashTitles(titles), deadline));
        // slither-disable-next-line uninitialized-local - zero is right for whatever is not set
        LandEntry memory entry;
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        entry.sequence = 1;
        entry.time = uint40(block.timestamp);
        entry.action = ISSUE;
        entry.status = ACTIVE;
        for (uint256 i = 0; i < titles.length; ++i) {
            _issue(titles[i], entry);
        }
    }

    /// @notice Pass a title on. The holder, the recipient and the registrars sign the same struct.
    /// @param current The title's newest entry.
    function transfer(
        Transfer calldata change,
        LandEntry calldata current,
        bytes calldata holderSignature,
        bytes calldata recipientSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        bytes32 head = headOf[recordId];
        LandEntry memory entry = _read(current);
        // slither-disable-next-line incorrect-equality - a head is zero or a hash, nobody can bring it near to another
        if (head == 0 || _hash(entry) != head) revert StaleHead(recordId, head);
        if (entry.status != ACTIVE) revert NotActive(recordId, entry.status);
        if (entry.liens != 0) revert Encumbered(recordId, entry.liens);
        address holder = entry.holder;
        address recipient = change.recipient;
        if (recipient == address(0) || recipient == holder) revert InvalidRecipient(recipient);
        if (change.digest == 0) revert InvalidTitle(recordId);

        bytes32 signed;
        (entry.approvals, signed) = _approve(_hashTransfer(change, head), change.deadline, approvals);
        _checkSignature(holder, signed, holderSignature);
        _checkSignature(recipient, signed, recipientSignature);
        entry.previous = head;
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        entry.action = TRANSFER;
        entry.digest = change.digest;
        entry.holder = recipient;
        entry.parents = 0;

        headOf[recordId] = _hash(entry);
        _emitRecorded(recordId, entry);
    }

    /// @dev `entry` is a template whose title fields are overwritten.
    function _issue(Title calldata title, LandEntry memory entry) private {
        (bytes32 recordId, bytes32 digest, address holder, uint64 area) =
            (title.recordId, title.digest, title.holder, title.area);
        if (headOf[recordId] != 0) revert AlreadyRecorded(recordId);
        if (digest == 0 || holder == address(0) || area == 0) revert InvalidTitle(recordId);
        entry.digest = digest;
        entry.holder = holder;
        entry.area = area;
        headOf[recordId] = _hash(entry);
        bytes32 topic = Issued.selector;
        // emit Issued(recordId, digest, holder, area): the last three lie in the calldata as the event holds them.
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, add(title, 0x20), 0x60)
            log2(free, 0x60, topic, recordId)
        }
    }

    /// @dev keccak256(abi.encode(TRANSFER_TYPEHASH, recordId, head, recipient, digest, deadline)): the last three lie in
    /// the calldata as they are encoded.
    function _hashTransfer(Transfer calldata change, bytes32 head) private pure returns (bytes32 result) {
        bytes32 typehash = TRANSFER_TYPEHASH;
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            mstore(encoded, typehash)
            mstore(add(encoded, 0x20), calldataload(change))
            mstore(add(encoded, 0x40), head)
            calldatacopy(add(encoded, 0x60), add(change, 0x20), 0x60)
            result := keccak256(encoded, 0xc0)
        }
    }

    /// @dev EIP-712: the hash of an array is that of its members' hashes. A Title lies in the calldata as EIP-712 encodes
    /// it; that its words fit their types is checked where they are read, in `_issue`.
    function _hashTitles(Title[] calldata titles) private pure returns (bytes32 result) {
        bytes32 typehash = TITLE_TYPEHASH;
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            let hashes := add(encoded, 0xa0)
            let size := mul(titles.length, 0x20)
            mstore(encoded, typehash)
            for { let i := 0 } lt(i, size) { i := add(i, 0x20) } {
                calldatacopy(add(encoded, 0x20), add(titles.offset, mul(i, 4)), 0x80)
                mstore(add(hashes, i), keccak256(encoded, 0xa0))
            }
            result := keccak256(hashes, size)
        }
    }

    /// @dev A copy whose words are not checked: only the right ones have the hash that the caller compares.
    function _read(LandEntry calldata source) private pure returns (LandEntry memory entry) {
        assembly ("memory-safe") {
            calldatacopy(entry, source, 0x180)
        }
    }

    /// @dev keccak256(abi.encode(entry)) without the copy: a struct of value types lies in memory as its encoding.
    function _hash(LandEntry memory entry) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(entry, 0x180)
        }
    }

    /// @dev emit Recorded(recordId, entry), without the copy.
    function _emitRecorded(bytes32 recordId, LandEntry memory entry) private {
        bytes32 topic = Recorded.selector;
        assembly ("memory-safe") {
            log2(entry, 0x180, topic, recordId)
        }
    }
}
