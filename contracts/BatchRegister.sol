// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Authority} from "./Authority.sol";
import {Register} from "./Register.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title BatchRegister
/// @notice Many records that are only ever added: a series of batches, each an RFC 9162 tree of content digests. A series
/// is a record, so is each batch of it, by `batchId`, and so is each leaf that was corrected, by its hash.
contract BatchRegister is Register {
    /// @notice The state of a series after a batch, or of a leaf after a correction.
    /// @param time Of the block, in seconds.
    /// @param digest Of the content that replaces an amended leaf, else zero: the content of a batch is in its leaves.
    /// @param approvals keccak256 of the packed addresses of the registrars who approved.
    /// @param root Of the tree of this batch, zero for a correction.
    /// @param count Leaves of this batch, zero for a correction.
    /// @param total Leaves of the series, this batch included, zero for a correction.
    /// @param manifest Hash of what goes with it: the list of the leaves of a batch (zero if they are in the calldata),
    /// the reasons of a correction.
    struct BatchEntry {
        bytes32 previous;
        uint32 sequence;
        uint40 time;
        uint8 action;
        uint8 status;
        bytes32 digest;
        bytes32 approvals;
        bytes32 root;
        uint64 count;
        uint64 total;
        bytes32 manifest;
    }

    /// @notice What is asked for in an append by root. `series` is keccak256("<register>/<agency>/<period>").
    struct Batch {
        bytes32 series;
        bytes32 root;
        uint64 count;
        bytes32 manifest;
        uint256 deadline;
    }

    /// @notice Where a leaf is: in the batch with this entry, at this index, with its inclusion path, lowest first.
    struct Place {
        bytes32 series;
        BatchEntry batch;
        bytes32 digest;
        uint64 index;
        bytes32[] path;
    }

    uint8 public constant APPEND = 1;
    uint8 public constant APPEND_LEAVES = 2;
    uint8 public constant AMEND = 3;
    uint8 public constant VOID = 4;
    uint8 public constant ACTIVE = 1;
    uint8 public constant AMENDED = 2;
    uint8 public constant VOIDED = 3;

    bytes32 private constant APPEND_TYPEHASH =
        keccak256(
            "AppendBatch(bytes32 series,bytes32 head,bytes32 root,uint64 count,bytes32 manifest,uint256 deadline)"
        );
    bytes32 private constant LEAVES_TYPEHASH =
        keccak256("AppendLeaves(bytes32 series,bytes32 head,bytes32 root,uint64 count,uint256 deadline)");
    bytes32 private constant AMEND_TYPEHASH =
        keccak256("AmendLeaf(bytes32 leaf,bytes32 head,bytes32 replacement,bytes32 reason,uint256 deadline)");
    bytes32 private constant VOID_TYPEHASH =
        keccak256("VoidLeaf(bytes32 leaf,bytes32 head,bytes32 reason,uint256 deadline)");

    /// @notice The newest entry, whole, of a series or of a corrected leaf.
    event Recorded(bytes32 indexed recordId, BatchEntry entry);

    error InvalidBatch(bytes32 series);
    error InvalidCorrection(bytes32 leaf);
    error NotInBatch(bytes32 leaf);
    error Voided(bytes32 leaf);

    constructor(Authority authority_) Register(authority_) EIP712("BatchRegister", "1") {}

    /// @notice Add a batch whose leaves the office publishes, as the manifest says.
    /// @param current The newest entry of the series, all zero for its first batch.
    function append(Batch calldata batch, BatchEntry calldata current, Approval[] calldata approvals) external {
        (bytes32 series, bytes32 root, uint64 count, bytes32 manifest, uint256 deadline) =
            (batch.series, batch.root, batch.count, batch.manifest, batch.deadline);
        if (count == 0 || root == 0 || manifest == 0) revert InvalidBatch(series);
        (BatchEntry memory entry, bytes32 head) = _currentBatch(series, current);
        bytes32 structHash = keccak256(abi.encode(APPEND_TYPEHASH, series, head, root, count, manifest, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        entry.action = APPEND;
        entry.root = root;
        entry.count = count;
        entry.manifest = manifest;
        _append(series, head, entry);
    }

    /// @notice Add a batch whose leaves are the given content digests: nobody can withhold them.
    /// @param current The newest entry of the series, all zero for its first batch.
    function appendLeaves(
        bytes32 series,
        bytes32[] calldata digests,
        uint256 deadline,
        BatchEntry calldata current,
        Approval[] calldata approvals
    ) external {
        if (digests.length == 0) revert InvalidBatch(series);
        (BatchEntry memory entry, bytes32 head) = _currentBatch(series, current);
        entry.action = APPEND_LEAVES;
        entry.root = Rfc9162.root(digests);
        entry.count = uint64(digests.length);
        entry.manifest = 0;
        bytes32 structHash =
            keccak256(abi.encode(LEAVES_TYPEHASH, series, head, entry.root, entry.count, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        _append(series, head, entry);
    }

    /// @notice Replace the content of a leaf. It may be replaced again.
    /// @param replacement Digest of the content that is right.
    /// @param current The newest correction of the leaf, all zero for the first.
    function amend(
        Place calldata place,
        bytes32 replacement,
        bytes32 reason,
        uint256 deadline,
        BatchEntry calldata current,
        Approval[] calldata approvals
    ) external {
        (BatchEntry memory entry, bytes32 leaf, bytes32 head) = _currentCorrection(place, current);
        if (replacement == 0 || reason == 0) revert InvalidCorrection(leaf);
        bytes32 structHash = keccak256(abi.encode(AMEND_TYPEHASH, leaf, head, replacement, reason, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        (entry.action, entry.status, entry.digest, entry.manifest) = (AMEND, AMENDED, replacement, reason);
        _record(leaf, head, entry);
    }

    /// @notice Declare a leaf void, for ever.
    /// @param current The newest correction of the leaf, all zero for the first.
    function void(
        Place calldata place,
        bytes32 reason,
        uint256 deadline,
        BatchEntry calldata current,
        Approval[] calldata approvals
    ) external {
        (BatchEntry memory entry, bytes32 leaf, bytes32 head) = _currentCorrection(place, current);
        if (reason == 0) revert InvalidCorrection(leaf);
        bytes32 structHash = keccak256(abi.encode(VOID_TYPEHASH, leaf, head, reason, deadline));
        (entry.approvals, ) = _approve(structHash, deadline, approvals);
        (entry.action, entry.status, entry.digest, entry.manifest) = (VOID, VOIDED, 0, reason);
        _record(leaf, head, entry);
    }

    /// @notice Whether a content digest was recorded in that batch, at that index, and never corrected since.
    /// @param batch The entry of the batch, which need not be the newest of the series.
    function isGood(
        bytes32 series,
        BatchEntry calldata batch,
        bytes32 digest,
        uint64 index,
        bytes32[] calldata path
    ) external view returns (bool) {
        bytes32 leaf = Rfc9162.leafHash(digest);
        // slither-disable-next-line incorrect-equality - a head is zero or a hash, nobody can bring it near to another
        return headOf[leaf] == 0 && _isLeaf(series, batch, leaf, index, path);
    }

    /// @notice The record that batch `sequence` of a series is for ever, beside being the newest of the series for a time.
    function batchId(bytes32 series, uint32 sequence) public pure returns (bytes32) {
        return keccak256(abi.encode(series, sequence));
    }

    /// @dev The newest entry of a series. It must be in its place as a batch too: else the series is itself the id of a
    /// batch, and would be written over.
    function _currentBatch(bytes32 series, BatchEntry calldata current)
        private
        view
        returns (BatchEntry memory entry, bytes32 head)
    {
        (entry, head) = _current(series, current);
        if (head != 0 && headOf[batchId(series, entry.sequence)] != head) revert StaleHead(series, head);
    }

    /// @dev The newest correction of a leaf, which is one, and is not void. It has no leaves: else the leaf's hash was
    /// taken for a series.
    function _currentCorrection(Place calldata place, BatchEntry calldata current)
        private
        view
        returns (BatchEntry memory entry, bytes32 leaf, bytes32 head)
    {
        leaf = Rfc9162.leafHash(place.digest);
        if (!_isLeaf(place.series, place.batch, leaf, place.index, place.path)) revert NotInBatch(leaf);
        (entry, head) = _current(leaf, current);
        if (entry.count != 0) revert StaleHead(leaf, head);
        // slither-disable-next-line incorrect-equality - a status is a number of ours
        if (entry.status == VOIDED) revert Voided(leaf);
    }

    /// @dev The entry that was passed, which must be the record's newest, or all zero if there is none.
    function _current(bytes32 recordId, BatchEntry calldata current)
        private
        view
        returns (BatchEntry memory entry, bytes32 head)
    {
        head = headOf[recordId];
        entry = _read(current);
        // slither-disable-next-line uninitialized-local - an entry that nobody recorded is zero
        BatchEntry memory nothing;
        // slither-disable-next-line incorrect-equality - a head is zero or a hash, nobody can bring it near to another
        if (_hash(entry) != (head == 0 ? _hash(nothing) : head)) revert StaleHead(recordId, head);
    }

    function _append(bytes32 series, bytes32 head, BatchEntry memory entry) private {
        entry.status = ACTIVE;
        entry.total += entry.count;
        bytes32 id = batchId(series, entry.sequence + 1);
        if (headOf[id] != 0) revert AlreadyRecorded(id);
        headOf[id] = _record(series, head, entry);
    }

    function _record(bytes32 recordId, bytes32 head, BatchEntry memory entry) private returns (bytes32 newHead) {
        entry.previous = head;
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        headOf[recordId] = newHead = _hash(entry);
        emit Recorded(recordId, entry);
    }

    function _isLeaf(
        bytes32 series,
        BatchEntry calldata batch,
        bytes32 leaf,
        uint64 index,
        bytes32[] calldata path
    ) private view returns (bool) {
        BatchEntry memory entry = _read(batch);
        // slither-disable-next-line incorrect-equality - a head is zero or a hash, nobody can bring it near to another
        if (headOf[batchId(series, entry.sequence)] != _hash(entry)) return false;
        return Rfc9162.includes(leaf, index, entry.count, path, entry.root);
    }

    /// @dev A copy whose words are not checked: only the right ones have the hash that is compared.
    function _read(BatchEntry calldata source) private pure returns (BatchEntry memory entry) {
        assembly ("memory-safe") {
            calldatacopy(entry, source, 0x160)
        }
    }

    /// @dev keccak256(abi.encode(entry)) without the copy: a struct of value types lies in memory as its encoding.
    function _hash(BatchEntry memory entry) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(entry, 0x160)
        }
    }
}
