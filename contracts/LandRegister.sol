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

    /// @notice A first registration. `recordId` is keccak256("land/" + parcel number), `digest` commits to the content.
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
        LandEntry memory entry;
        address[] memory approvers;
        (entry.approvals, , approvers) = _checkApprovals(structHash, deadline, approvals);
        entry.sequence = 1;
        entry.time = uint40(block.timestamp);
        entry.action = ISSUE;
        entry.status = ACTIVE;
        emit Approved(approvers);
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
        bytes32 head = headOf[change.recordId];
        if (head == 0 || keccak256(abi.encode(current)) != head) revert StaleHead(change.recordId, head);
        if (current.status != ACTIVE) revert NotActive(change.recordId, current.status);
        if (current.liens != 0) revert Encumbered(change.recordId, current.liens);
        if (change.recipient == address(0) || change.recipient == current.holder) {
            revert InvalidRecipient(change.recipient);
        }
        if (change.digest == 0) revert InvalidTitle(change.recordId);

        LandEntry memory entry = current;
        bytes32 signed;
        address[] memory approvers;
        (entry.approvals, signed, approvers) = _checkApprovals(_hashTransfer(change, head), change.deadline, approvals);
        _checkSignature(current.holder, signed, holderSignature);
        _checkSignature(change.recipient, signed, recipientSignature);
        entry.previous = head;
        entry.sequence = current.sequence + 1;
        entry.time = uint40(block.timestamp);
        entry.action = TRANSFER;
        entry.digest = change.digest;
        entry.holder = change.recipient;
        entry.parents = 0;

        headOf[change.recordId] = _hash(entry);
        emit Approved(approvers);
        emit Recorded(change.recordId, entry);
    }

    /// @dev `entry` is a template whose title fields are overwritten.
    function _issue(Title calldata title, LandEntry memory entry) private {
        bytes32 recordId = title.recordId;
        bytes32 digest = title.digest;
        address holder = title.holder;
        uint64 area = title.area;
        if (headOf[recordId] != 0) revert AlreadyRecorded(recordId);
        if (digest == 0 || holder == address(0) || area == 0) revert InvalidTitle(recordId);
        entry.digest = digest;
        entry.holder = holder;
        entry.area = area;
        headOf[recordId] = _hash(entry);
        emit Issued(recordId, digest, holder, area);
    }

    function _hashTransfer(Transfer calldata change, bytes32 head) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    TRANSFER_TYPEHASH,
                    change.recordId,
                    head,
                    change.recipient,
                    change.digest,
                    change.deadline
                )
            );
    }

    /// @dev EIP-712: the hash of an array is that of its members' hashes. The scratch area is reused for every title.
    function _hashTitles(Title[] calldata titles) private pure returns (bytes32 result) {
        bytes32[] memory hashes = new bytes32[](titles.length);
        bytes32 typehash = TITLE_TYPEHASH;
        for (uint256 i = 0; i < titles.length; ++i) {
            Title calldata title = titles[i];
            (address holder, uint64 area) = (title.holder, title.area);
            bytes32 hashed;
            assembly ("memory-safe") {
                let free := mload(0x40)
                mstore(free, typehash)
                calldatacopy(add(free, 0x20), title, 0x40)
                mstore(add(free, 0x60), holder)
                mstore(add(free, 0x80), area)
                hashed := keccak256(free, 0xa0)
            }
            hashes[i] = hashed;
        }
        assembly ("memory-safe") {
            result := keccak256(add(hashes, 0x20), mul(mload(hashes), 0x20))
        }
    }

    /// @dev keccak256(abi.encode(entry)) without the copy: a struct of value types lies in memory as its encoding.
    function _hash(LandEntry memory entry) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(entry, 0x180)
        }
    }
}
