// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandTitles} from "./LandTitles.sol";

/// @title LandLiens
/// @notice Liens on titles. An entry holds their number and `lienRoot`: keccak256(abi.encode(liens)), zero if there are
/// none. A lien ends only when its creditor signs, and a title with liens is transferred only when all creditors do.
abstract contract LandLiens is LandTitles {
    /// @notice A lien. `claim` commits to what is owed.
    /// @param rank One more than the highest on the title when it was taken; never changed after. After a merge two
    /// liens may have the same rank.
    struct Lien {
        uint16 rank;
        address creditor;
        bytes32 claim;
    }

    /// @notice A new lien that is asked for.
    struct Encumbrance {
        bytes32 recordId;
        address creditor;
        bytes32 claim;
        uint256 deadline;
    }

    /// @notice The end of a lien that is asked for.
    struct Release {
        bytes32 recordId;
        Lien lien;
        uint256 deadline;
    }

    /// @notice The signatures of those who own and of those who are owed, these in the order of their liens.
    struct Consent {
        bytes holder;
        bytes[] creditors;
    }

    /// @notice More would make a title too dear to change.
    uint256 public constant MAX_LIENS = 100;

    bytes32 private constant ENCUMBER_TYPEHASH =
        keccak256(
            "EncumberTitle(bytes32 recordId,bytes32 head,address creditor,bytes32 claim,uint256 deadline)"
        );
    bytes32 private constant RELEASE_TYPEHASH =
        keccak256(
            "ReleaseLien(bytes32 recordId,bytes32 head,uint16 rank,address creditor,bytes32 claim,uint256 deadline)"
        );

    /// @notice The liens behind a `lienRoot`, whenever an action makes a new list.
    event LiensRecorded(bytes32 indexed lienRoot, Lien[] liens);

    error InvalidLien(bytes32 recordId);
    error TooManyLiens(uint256 given);
    error UnknownLien(bytes32 recordId);
    error WrongCount(uint256 given, uint256 needed);
    error WrongLiens(bytes32 recordId, bytes32 lienRoot);

    /// @notice Put a lien on a title, behind those that it has. The holder and the registrars sign the same struct.
    /// @param current The title's newest entry.
    /// @param liens What its `lienRoot` commits to.
    function encumber(
        Encumbrance calldata change,
        LandEntry calldata current,
        Lien[] memory liens,
        bytes calldata holderSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        _checkLiens(recordId, entry, liens);
        if (change.creditor == address(0) || change.claim == 0) revert InvalidLien(recordId);
        bytes32 signed;
        (entry.approvals, signed) = _approve(_hashEncumbrance(change, head), change.deadline, approvals);
        _checkSignature(entry.holder, signed, holderSignature);
        _setLiens(entry, _append(liens, change.creditor, change.claim));
        _follow(recordId, entry, head, ENCUMBER);
    }

    /// @notice End a lien, also of a frozen title. Its creditor and the registrars sign the same struct.
    /// @param current The title's newest entry.
    /// @param liens What its `lienRoot` commits to.
    function release(
        Release calldata change,
        LandEntry calldata current,
        Lien[] memory liens,
        bytes calldata creditorSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        LandEntry memory entry = _read(current);
        bytes32 head = _headOf(recordId, entry);
        if (entry.status != ACTIVE && entry.status != FROZEN) revert NotActive(recordId, entry.status);
        _checkLiens(recordId, entry, liens);
        Lien[] memory left = _without(recordId, liens, change.lien);
        bytes32 signed;
        (entry.approvals, signed) = _approve(_hashRelease(change, head), change.deadline, approvals);
        _checkSignature(change.lien.creditor, signed, creditorSignature);
        _setLiens(entry, left);
        _follow(recordId, entry, head, RELEASE);
    }

    /// @notice Pass a title on with its liens. The holder, the recipient, every creditor and the registrars sign the
    /// same struct as for a transfer.
    /// @param current The title's newest entry.
    /// @param liens What its `lienRoot` commits to.
    function transferEncumbered(
        Transfer calldata change,
        LandEntry calldata current,
        Lien[] memory liens,
        Consent calldata consent,
        bytes calldata recipientSignature,
        Approval[] calldata approvals
    ) external {
        bytes32 recordId = change.recordId;
        LandEntry memory entry = _read(current);
        bytes32 head = _activeHeadOf(recordId, entry);
        _checkLiens(recordId, entry, liens);
        bytes32 signed = _transfer(change, entry, head, consent.holder, recipientSignature, approvals);
        _checkCreditors(liens, signed, consent.creditors);
        _follow(recordId, entry, head, TRANSFER);
    }

    function _checkLiens(bytes32 recordId, LandEntry memory entry, Lien[] memory liens) internal pure {
        if (_lienRoot(liens) != entry.lienRoot) revert WrongLiens(recordId, entry.lienRoot);
    }

    /// @dev One signature for each lien, also where several have the same creditor.
    function _checkCreditors(Lien[] memory liens, bytes32 signed, bytes[] calldata signatures) internal view {
        if (signatures.length != liens.length) revert WrongCount(signatures.length, liens.length);
        for (uint256 i = 0; i < liens.length; ++i) {
            _checkSignature(liens[i].creditor, signed, signatures[i]);
        }
    }

    /// @dev Let the entry hold these liens, and tell them.
    function _setLiens(LandEntry memory entry, Lien[] memory liens) internal {
        if (liens.length > MAX_LIENS) revert TooManyLiens(liens.length);
        entry.liens = uint16(liens.length);
        entry.lienRoot = _lienRoot(liens);
        if (liens.length != 0) emit LiensRecorded(entry.lienRoot, liens);
    }

    function _lienRoot(Lien[] memory liens) private pure returns (bytes32) {
        return liens.length == 0 ? bytes32(0) : keccak256(abi.encode(liens));
    }

    function _append(Lien[] memory liens, address creditor, bytes32 claim) private pure returns (Lien[] memory all) {
        all = new Lien[](liens.length + 1);
        uint16 highest = 0;
        for (uint256 i = 0; i < liens.length; ++i) {
            all[i] = liens[i];
            if (liens[i].rank > highest) highest = liens[i].rank;
        }
        all[liens.length] = Lien(highest + 1, creditor, claim);
    }

    /// @dev The liens but the first that is the same as `ended`.
    function _without(bytes32 recordId, Lien[] memory liens, Lien calldata ended)
        private
        pure
        returns (Lien[] memory left)
    {
        bytes32 wanted = keccak256(abi.encode(ended));
        uint256 index = 0;
        while (index < liens.length && keccak256(abi.encode(liens[index])) != wanted) ++index;
        if (index == liens.length) revert UnknownLien(recordId);
        left = new Lien[](liens.length - 1);
        for (uint256 i = 0; i < left.length; ++i) {
            left[i] = liens[i < index ? i : i + 1];
        }
    }

    function _hashEncumbrance(Encumbrance calldata change, bytes32 head) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    ENCUMBER_TYPEHASH,
                    change.recordId,
                    head,
                    change.creditor,
                    change.claim,
                    change.deadline
                )
            );
    }

    function _hashRelease(Release calldata change, bytes32 head) private pure returns (bytes32) {
        return keccak256(abi.encode(RELEASE_TYPEHASH, change.recordId, head, change.lien, change.deadline));
    }
}
