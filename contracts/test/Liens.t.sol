// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandLiens} from "../LandLiens.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {LandFixture} from "./LandFixture.sol";

/// @dev Liens that are taken and that end.
contract LiensTest is LandFixture {
    address private creditor = vm.addr(FRIEND_KEY);
    bytes32 private claim = keccak256("a loan");
    LandRegister.Lien private ended;
    uint256 private approvals = 2;
    uint256 private holder = HOLDER_KEY;
    uint256 private creditorKey = BANK_KEY;

    // Encumber

    function taken() private view returns (bytes32) {
        string memory types =
            "EncumberTitle(bytes32 recordId,bytes32 head,address creditor,bytes32 claim,uint256 deadline)";
        return
            typedData(
                keccak256(
                    abi.encode(keccak256(bytes(types)), recordId, hashOf(current), creditor, claim, DEADLINE)
                )
            );
    }

    function encumbering() private view returns (bytes memory) {
        LandRegister.Encumbrance memory change = LandLiens.Encumbrance(recordId, creditor, claim, DEADLINE);
        bytes memory holders = signature(holder, taken());
        Register.Approval[] memory given = approvedBy(approvals, taken());
        return abi.encodeCall(register.encumber, (change, current, liens, holders, given));
    }

    /// @dev The entry that the next lien makes, and with it the list of liens as it is then.
    function encumbered(uint16 rank) private returns (LandRegister.LandEntry memory entry) {
        entry = following(4, keysOf(2));
        LandRegister.Lien[] memory before = liens;
        liens.push(LandLiens.Lien(rank, creditor, claim));
        (entry.liens, entry.lienRoot) = (uint16(liens.length), rootOf(liens));
        delete liens;
        for (uint256 i = 0; i < before.length; ++i) {
            liens.push(before[i]);
        }
    }

    function test_a_lien_comes_behind_those_before_it(uint8 count) public {
        forceLiens(count % 5);
        LandRegister.LandEntry memory wanted = encumbered(uint16(count % 5) + 1);
        assertRecords(encumbering(), wanted);
        assertEq(wanted.liens, count % 5 + 1);
    }

    function test_the_list_of_liens_is_told() public {
        forceLiens(1);
        bytes memory data = encumbering();
        vm.recordLogs();
        send(data);
        liens.push(LandLiens.Lien(2, creditor, claim));
        assertTrue(tellsLiens(vm.getRecordedLogs(), liens), "told");
    }

    function test_a_rank_is_higher_than_the_highest() public {
        forceLiens(2);
        liens[0].rank = 9;
        current.lienRoot = rootOf(liens);
        force(recordId, current);
        assertRecords(encumbering(), encumbered(10));
    }

    function test_ranks_have_an_end() public {
        forceLiens(1);
        liens[0].rank = type(uint16).max;
        current.lienRoot = rootOf(liens);
        force(recordId, current);
        refuse(encumbering(), abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    function test_a_title_has_at_most_a_hundred_liens() public {
        forceLiens(99);
        bytes memory data = encumbering();
        send(data);
        forceLiens(100);
        refuse(encumbering(), abi.encodeWithSelector(LandLiens.TooManyLiens.selector, 101));
    }

    function test_only_an_active_title_takes_a_lien(uint8 status) public {
        vm.assume(status != 1);
        refuseStatus(encumbering, status);
    }

    function test_the_liens_are_those_of_the_title() public {
        forceLiens(2);
        liens.pop();
        refuse(encumbering(), abi.encodeWithSelector(LandLiens.WrongLiens.selector, recordId, current.lienRoot));
        forceLiens(0);
        liens.push(LandLiens.Lien(1, creditor, claim));
        refuse(encumbering(), abi.encodeWithSelector(LandLiens.WrongLiens.selector, recordId, bytes32(0)));
    }

    function test_a_lien_has_a_creditor_and_a_claim() public {
        claim = 0;
        refuse(encumbering(), LandLiens.InvalidLien.selector, recordId);
        (claim, creditor) = (keccak256("a loan"), address(0));
        refuse(encumbering(), LandLiens.InvalidLien.selector, recordId);
    }

    function test_the_holder_signs_a_lien() public {
        holder = STRANGER_KEY;
        refuseSignature(encumbering(), HOLDER_KEY);
    }

    function test_the_registrars_approve_a_lien() public {
        approvals = 1;
        refuse(encumbering(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_creditor_and_claim_are_signed() public {
        LandRegister.Encumbrance memory change = LandLiens.Encumbrance(recordId, creditor, claim, DEADLINE);
        bytes memory holders = signature(holder, taken());
        Register.Approval[] memory given = approvedBy(2, taken());
        change.creditor = vm.addr(STRANGER_KEY);
        refuseSignature(abi.encodeCall(register.encumber, (change, current, liens, holders, given)), registrars[0]);
        (change.creditor, change.claim) = (creditor, keccak256("a larger loan"));
        refuseSignature(abi.encodeCall(register.encumber, (change, current, liens, holders, given)), registrars[0]);
    }

    function test_a_lien_is_on_the_newest_entry_and_once() public {
        refuseStale(encumbering);
    }

    function test_what_was_never_issued_takes_no_lien() public {
        refuseNever(encumbering);
    }

    function test_a_lien_has_a_deadline() public {
        refuseLate(encumbering);
    }

    // Release

    function released() private view returns (bytes32) {
        string memory types =
            "ReleaseLien(bytes32 recordId,bytes32 head,uint16 rank,address creditor,bytes32 claim,uint256 deadline)";
        return typedData(keccak256(abi.encode(keccak256(bytes(types)), recordId, hashOf(current), ended, DEADLINE)));
    }

    function releasing() private view returns (bytes memory) {
        LandRegister.Release memory change = LandLiens.Release(recordId, ended, DEADLINE);
        bytes memory creditors = signature(creditorKey, released());
        Register.Approval[] memory given = approvedBy(approvals, released());
        return abi.encodeCall(register.release, (change, current, liens, creditors, given));
    }

    function test_the_other_liens_keep_rank_and_order(uint8 which) public {
        forceLiens(5);
        uint256 index = which % 5;
        ended = liens[index];
        creditorKey = index % 2 == 0 ? BANK_KEY : FRIEND_KEY;
        LandRegister.LandEntry memory wanted = following(5, keysOf(2));
        bytes memory data = releasing();
        for (uint256 i = index; i < 4; ++i) {
            liens[i] = liens[i + 1];
        }
        liens.pop();
        (wanted.liens, wanted.lienRoot) = (4, rootOf(liens));
        assertRecords(data, wanted);
    }

    function test_the_last_lien_leaves_no_root() public {
        forceLiens(1);
        ended = liens[0];
        LandRegister.LandEntry memory wanted = following(5, keysOf(2));
        (wanted.liens, wanted.lienRoot) = (0, 0);
        vm.recordLogs();
        send(releasing());
        assertEq(register.headOf(recordId), hashOf(wanted));
        assertEq(vm.getRecordedLogs().length, 2);
    }

    function test_of_two_liens_that_are_the_same_one_ends() public {
        forceLiens(3);
        liens[2] = liens[0];
        current.lienRoot = rootOf(liens);
        force(recordId, current);
        ended = liens[0];
        LandRegister.LandEntry memory wanted = following(5, keysOf(2));
        bytes memory data = releasing();
        liens[0] = liens[1];
        liens[1] = liens[2];
        liens.pop();
        (wanted.liens, wanted.lienRoot) = (2, rootOf(liens));
        assertRecords(data, wanted);
    }

    function test_a_lien_of_a_frozen_title_ends_too() public {
        forceLiens(1);
        forceStatus(2);
        ended = liens[0];
        LandRegister.LandEntry memory wanted = following(5, keysOf(2));
        (wanted.liens, wanted.lienRoot) = (0, 0);
        assertRecords(releasing(), wanted);
    }

    function test_no_lien_of_another_title_ends(uint8 status) public {
        vm.assume(status != 1 && status != 2);
        forceLiens(1);
        ended = liens[0];
        refuseStatus(releasing, status);
    }

    function test_what_is_no_lien_of_the_title_does_not_end(uint8 member) public {
        forceLiens(2);
        ended = liens[0];
        if (member % 3 == 0) ended.rank = 2;
        else if (member % 3 == 1) ended.creditor = vm.addr(FRIEND_KEY);
        else ended.claim = keccak256("another claim");
        refuse(releasing(), LandLiens.UnknownLien.selector, recordId);
    }

    function test_all_liens_are_shown_when_one_ends() public {
        forceLiens(2);
        ended = liens[0];
        liens.pop();
        refuse(releasing(), abi.encodeWithSelector(LandLiens.WrongLiens.selector, recordId, current.lienRoot));
    }

    function test_the_creditor_ends_his_lien_and_nobody_else(uint8 who) public {
        forceLiens(2);
        ended = liens[0];
        creditorKey = [FRIEND_KEY, HOLDER_KEY, registrars[0]][who % 3];
        refuseSignature(releasing(), BANK_KEY);
    }

    function test_the_registrars_approve_the_end_of_a_lien() public {
        forceLiens(1);
        ended = liens[0];
        approvals = 1;
        refuse(releasing(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_the_end_of_a_lien_is_of_the_newest_entry_and_once() public {
        forceLiens(2);
        ended = liens[0];
        refuseStale(releasing);
    }

    function test_the_end_of_a_lien_has_a_deadline() public {
        forceLiens(1);
        ended = liens[0];
        refuseLate(releasing);
    }
}
