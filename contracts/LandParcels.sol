// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandLiens} from "./LandLiens.sol";

/// @title LandParcels
/// @notice Parcels split and merged. The new ones have together the area of the old, and each of the new has every lien
/// of the old, which are retired.
abstract contract LandParcels is LandLiens {
    /// @notice A split that is asked for. Every child has the parent's holder.
    struct Split {
        bytes32 recordId;
        Title[] children;
        uint256 deadline;
    }

    /// @notice A merge that is asked for. The child has the parents' holder.
    /// @param recordIds Of the parents, in the ascending order of their heads.
    struct Merge {
        bytes32[] recordIds;
        Title child;
        uint256 deadline;
    }

    bytes32 private constant SPLIT_TYPEHASH =
        keccak256(
            "SplitTitle(bytes32 recordId,bytes32 head,Title[] children,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"
        );
    bytes32 private constant MERGE_TYPEHASH =
        keccak256(
            "MergeTitles(bytes32[] recordIds,bytes32[] heads,Title child,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"
        );

    error AreaNotConserved(uint256 given, uint256 needed);
    error HeadsNotAscending(bytes32 previous, bytes32 head);
    error TooFewParcels(uint256 given);
    error WrongHolder(bytes32 recordId, address holder);

    /// @notice Make several parcels of one. The holder and the registrars sign the same struct.
    /// @param current The title's newest entry.
    function split(
        Split calldata change,
        LandEntry calldata current,
        bytes calldata holderSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        _checkChildren(change.children, entry.area);
        bytes32 signed;
        (entry.approvals, signed) = _approve(_hashSplit(change, head), change.deadline, approvals);
        _checkSignature(entry.holder, signed, holderSignature);

        entry.status = RETIRED;
        _follow(recordId, entry, head, SPLIT);
        entry.parents = keccak256(abi.encode(head));
        for (uint256 i = 0; i < change.children.length; ++i) {
            _bear(change.children[i], entry);
        }
    }

    /// @notice Make one parcel of several. Their holder, the creditors of all their liens and the registrars sign the
    /// same struct: a creditor's lien comes to lie beside those of the others.
    /// @param current The titles' newest entries, in the order of `recordIds`.
    /// @param liens What their `lienRoot`s commit to, in the same order.
    function merge(
        Merge calldata change,
        LandEntry[] calldata current,
        Lien[][] memory liens,
        Consent calldata consent,
        Approval[] calldata approvals
    ) external {
        (LandEntry[] memory entries, bytes32[] memory heads) = _readParents(change, current, liens);
        Lien[] memory all = _join(liens);
        bytes32 signed;
        // slither-disable-next-line uninitialized-local - `_bear` sets the rest
        LandEntry memory child;
        (child.approvals, signed) = _approve(_hashMerge(change, heads), change.deadline, approvals);
        child.holder = entries[0].holder;
        _checkSignature(child.holder, signed, consent.holder);
        _checkCreditors(all, signed, consent.creditors);

        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i].approvals = child.approvals;
            entries[i].status = RETIRED;
            _follow(change.recordIds[i], entries[i], heads[i], MERGE);
        }
        _setLiens(child, all);
        child.time = uint40(block.timestamp);
        child.action = MERGE;
        child.parents = _hashWords(heads);
        _bear(change.child, child);
    }

    /// @dev Record the first entry of a new parcel; `entry` is a template with what it has of its parents.
    function _bear(Title calldata child, LandEntry memory entry) private {
        bytes32 recordId = child.recordId;
        if (headOf[recordId] != 0) revert AlreadyRecorded(recordId);
        if (child.digest == 0 || child.area == 0) revert InvalidTitle(recordId);
        if (child.holder != entry.holder) revert WrongHolder(recordId, child.holder);
        entry.previous = 0;
        entry.sequence = 1;
        entry.status = ACTIVE;
        entry.digest = child.digest;
        entry.area = child.area;
        _record(recordId, entry);
    }

    function _checkChildren(Title[] calldata children, uint256 area) private pure {
        if (children.length < 2) revert TooFewParcels(children.length);
        uint256 sum = 0;
        for (uint256 i = 0; i < children.length; ++i) {
            sum += children[i].area;
        }
        if (sum != area) revert AreaNotConserved(sum, area);
    }

    /// @dev The newest entries and heads of the parents, if they may become one.
    function _readParents(Merge calldata change, LandEntry[] calldata current, Lien[][] memory liens)
        private
        view
        returns (LandEntry[] memory entries, bytes32[] memory heads)
    {
        uint256 count = change.recordIds.length;
        if (count < 2) revert TooFewParcels(count);
        if (current.length != count) revert WrongCount(current.length, count);
        if (liens.length != count) revert WrongCount(liens.length, count);
        entries = new LandEntry[](count);
        heads = new bytes32[](count);
        uint256 sum = 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes32 recordId = change.recordIds[i];
            entries[i] = _read(current[i]);
            heads[i] = _activeHeadOf(recordId, entries[i]);
            if (i != 0 && heads[i] <= heads[i - 1]) revert HeadsNotAscending(heads[i - 1], heads[i]);
            if (entries[i].holder != entries[0].holder) revert WrongHolder(recordId, entries[i].holder);
            _checkLiens(recordId, entries[i], liens[i]);
            sum += entries[i].area;
        }
        if (change.child.area != sum) revert AreaNotConserved(change.child.area, sum);
    }

    function _join(Lien[][] memory lists) private pure returns (Lien[] memory all) {
        uint256 count = 0;
        for (uint256 i = 0; i < lists.length; ++i) {
            count += lists[i].length;
        }
        all = new Lien[](count);
        for (uint256 i = lists.length; i > 0; --i) {
            for (uint256 j = lists[i - 1].length; j > 0; --j) {
                all[--count] = lists[i - 1][j - 1];
            }
        }
    }

    function _hashSplit(Split calldata change, bytes32 head) private pure returns (bytes32) {
        bytes32 children = _hashTitles(change.children);
        return keccak256(abi.encode(SPLIT_TYPEHASH, change.recordId, head, children, change.deadline));
    }

    function _hashMerge(Merge calldata change, bytes32[] memory heads) private pure returns (bytes32) {
        bytes32 recordIds = keccak256(abi.encodePacked(change.recordIds));
        bytes32 child = keccak256(abi.encode(TITLE_TYPEHASH, change.child));
        return keccak256(abi.encode(MERGE_TYPEHASH, recordIds, _hashWords(heads), child, change.deadline));
    }

    function _hashWords(bytes32[] memory words) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(words));
    }
}
