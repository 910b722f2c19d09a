// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandEntries} from "./LandEntries.sol";

/// @title LandTitles
/// @notice First registration, correction, transfer and end of a title.
abstract contract LandTitles is LandEntries {
    /// @notice What is asked for in a transfer. `digest` commits to the new content, which names the recipient.
    struct Transfer {
        bytes32 recordId;
        address recipient;
        bytes32 digest;
        uint256 deadline;
    }

    bytes32 internal constant TITLE_TYPEHASH =
        keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)");
    bytes32 private constant ISSUE_TYPEHASH =
        keccak256(
            "IssueTitles(Title[] titles,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"
        );
    bytes32 private constant AMEND_TYPEHASH =
        keccak256("AmendTitle(bytes32 recordId,bytes32 head,bytes32 digest,uint256 deadline)");
    bytes32 private constant TRANSFER_TYPEHASH =
        keccak256(
            "TransferTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)"
        );
    bytes32 private constant RETIRE_TYPEHASH =
        keccak256("RetireTitle(bytes32 recordId,bytes32 head,uint256 deadline)");

    /// @notice A first registration: sequence 1, no previous entry, no lien, no parents, active.
    event Issued(bytes32 indexed recordId, bytes32 digest, address holder, uint64 area);

    /// @notice The longest cooling-off window, in seconds: a title that waits can be used for nothing else.
    uint256 public constant MAX_COOLING_OFF = 90 days;

    /// @notice How long a transfer waits, PENDING, while its holder may object, in seconds; zero if it does not wait.
    uint256 public immutable coolingOff;

    error EmptyBatch();
    error InvalidCoolingOff(uint256 coolingOff);

    constructor(uint256 coolingOff_) {
        if (coolingOff_ > MAX_COOLING_OFF) revert InvalidCoolingOff(coolingOff_);
        coolingOff = coolingOff_;
    }

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

    /// @notice Correct the content of a title. Its area is not content: it never changes.
    /// @param digest Commits to the new content.
    /// @param current The title's newest entry.
    function amend(
        bytes32 recordId,
        bytes32 digest,
        uint256 deadline,
        LandEntry calldata current,
        Approval[] calldata approvals
    ) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        if (digest == 0) revert InvalidTitle(recordId);
        bytes32 structHash = keccak256(abi.encode(AMEND_TYPEHASH, recordId, head, digest, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        entry.digest = digest;
        _follow(recordId, entry, head, AMEND);
    }

    /// @notice Pass a title without liens on. The holder, the recipient and the registrars sign the same struct.
    /// @param current The title's newest entry.
    function transfer(
        Transfer calldata change,
        LandEntry calldata current,
        bytes calldata holderSignature,
        bytes calldata recipientSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        if (entry.liens != 0) revert Encumbered(recordId, entry.liens);
        _transfer(change, entry, head, holderSignature, recipientSignature, approvals);
        _follow(recordId, entry, head, TRANSFER);
    }

    /// @notice End a title without liens for ever. The holder and the registrars sign the same struct.
    /// @param current The title's newest entry.
    function retire(
        bytes32 recordId,
        uint256 deadline,
        LandEntry calldata current,
        bytes calldata holderSignature,
        Approval[] calldata approvals
    ) external {
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        if (entry.liens != 0) revert Encumbered(recordId, entry.liens);
        bytes32 signed;
        (entry.approvals, signed) =
            _approve(keccak256(abi.encode(RETIRE_TYPEHASH, recordId, head, deadline)), deadline, approvals);
        _checkSignature(entry.holder, signed, holderSignature);
        entry.status = RETIRED;
        _follow(recordId, entry, head, RETIRE);
    }

    /// @dev What every transfer demands and changes. Where there is a cooling-off window it takes effect after that.
    /// @return signed What was signed, for the creditors.
    function _transfer(
        Transfer calldata change,
        LandEntry memory entry,
        bytes32 head,
        bytes calldata holderSignature,
        bytes calldata recipientSignature,
        Approval[] calldata approvals
    ) internal returns (bytes32 signed) {
        address holder = entry.holder;
        address recipient = _receive(change, entry);
        (entry.approvals, signed) =
            _approve(_hashTransfer(TRANSFER_TYPEHASH, change, head), change.deadline, approvals);
        _checkSignature(holder, signed, holderSignature);
        _checkSignature(recipient, signed, recipientSignature);
        if (coolingOff != 0) entry.status = PENDING;
    }

    /// @dev Let the entry name the recipient and the new content, if both may be.
    function _receive(Transfer calldata change, LandEntry memory entry) internal pure returns (address recipient) {
        recipient = change.recipient;
        if (recipient == address(0) || recipient == entry.holder) revert InvalidRecipient(recipient);
        if (change.digest == 0) revert InvalidTitle(change.recordId);
        entry.digest = change.digest;
        entry.holder = recipient;
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

    /// @dev keccak256(abi.encode(typehash, recordId, head, recipient, digest, deadline)): the last three lie in the
    /// calldata as they are encoded.
    function _hashTransfer(bytes32 typehash, Transfer calldata change, bytes32 head)
        internal
        pure
        returns (bytes32 result)
    {
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
    function _hashTitles(Title[] calldata titles) internal pure returns (bytes32 result) {
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
}
