// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {Fixture, Vm, Wallet} from "./Fixture.sol";

contract TransferTest is Fixture {
    bytes32 private recordId;
    LandRegister.LandEntry private current;
    LandRegister.Transfer private change;

    function setUp() public override {
        super.setUp();
        LandRegister.Title[] memory titles = batch(2);
        issue(titles);
        recordId = titles[0].recordId;
        current = firstEntry(titles[0]);
        change = LandTitles.Transfer(recordId, vm.addr(RECIPIENT_KEY), keccak256("new content"), DEADLINE);
        vm.warp(START + 60);
    }

    function signed() private view returns (bytes32) {
        return typedData(transferStruct(change, register.headOf(recordId)));
    }

    function transfer() private {
        send(signature(HOLDER_KEY, signed()), signature(RECIPIENT_KEY, signed()), 2);
    }

    function send(bytes memory holders, bytes memory recipients, uint256 approvals) private {
        register.transfer(change, current, holders, recipients, approve(keysOf(approvals), signed()));
    }

    /// @dev The calldata of a transfer that everybody concerned has signed.
    function call() private view returns (bytes memory) {
        bytes memory holders = signature(HOLDER_KEY, signed());
        bytes memory recipients = signature(RECIPIENT_KEY, signed());
        Register.Approval[] memory given = approve(keysOf(2), signed());
        return abi.encodeCall(register.transfer, (change, current, holders, recipients, given));
    }

    function refuse(bytes memory problem) private {
        bytes32 head = register.headOf(recordId);
        (bool done, bytes memory answer) = address(register).call(call());
        assertTrue(!done, "refused");
        assertEq(keccak256(answer), keccak256(problem));
        assertEq(register.headOf(recordId), head);
    }

    function next() private view returns (LandRegister.LandEntry memory entry) {
        entry = current;
        entry.previous = hashOf(current);
        entry.sequence = current.sequence + 1;
        entry.time = uint40(block.timestamp);
        entry.action = 3;
        entry.digest = change.digest;
        entry.holder = change.recipient;
        entry.approvals = packedHash(keysOf(2));
    }

    /// @dev Put an entry in place that no action makes yet.
    function force(LandRegister.LandEntry memory entry) private {
        current = entry;
        vm.store(address(register), keccak256(abi.encode(recordId, uint256(0))), hashOf(entry));
    }

    // What is recorded

    function test_a_transfer_replaces_holder_and_content() public {
        LandRegister.LandEntry memory wanted = next();
        transfer();
        assertEq(register.headOf(recordId), hashOf(wanted));
        assertEq(wanted.previous, hashOf(current));
    }

    function test_another_parcel_stays_as_it_is() public {
        bytes32 head = register.headOf(title(2).recordId);
        transfer();
        assertEq(register.headOf(title(2).recordId), head);
    }

    function test_a_title_can_be_passed_on_again_and_back() public {
        LandRegister.LandEntry memory second = next();
        transfer();
        current = second;
        change.recipient = vm.addr(HOLDER_KEY);
        vm.warp(block.timestamp + 1);
        LandRegister.LandEntry memory third = next();
        send(signature(RECIPIENT_KEY, signed()), signature(HOLDER_KEY, signed()), 2);
        assertEq(register.headOf(recordId), hashOf(third));
        assertEq(third.sequence, 3);
    }

    function test_the_rest_of_the_entry_is_kept(uint64 area, bytes32 lienRoot, uint32 sequence, bytes32 parents) public {
        vm.assume(sequence < type(uint32).max);
        LandRegister.LandEntry memory entry = current;
        (entry.area, entry.lienRoot, entry.sequence, entry.parents) = (area, lienRoot, sequence, parents);
        force(entry);
        LandRegister.LandEntry memory wanted = next();
        wanted.parents = 0;
        transfer();
        assertEq(register.headOf(recordId), hashOf(wanted));
    }

    function test_a_history_has_an_end() public {
        LandRegister.LandEntry memory entry = current;
        entry.sequence = type(uint32).max;
        force(entry);
        refuse(abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    // What is told

    function test_approvers_are_told_and_then_the_whole_entry() public {
        LandRegister.LandEntry memory wanted = next();
        vm.recordLogs();
        transfer();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        assertEq(abi.decode(logs[0].data, (address[])).length, 2);
        assertEq(logs[1].topics.length, 2);
        assertEq(
            logs[1].topics[0],
            keccak256(
                "Recorded(bytes32,(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,address,uint64,uint16,bytes32,bytes32))"
            )
        );
        assertEq(logs[1].topics[1], recordId);
        assertEq(keccak256(logs[1].data), keccak256(abi.encode(wanted)));
    }

    // The current entry

    function test_any_other_current_entry_is_stale(uint8 word, uint8 bit) public {
        bytes memory data = call();
        uint256 index = 4 + 4 * 32 + uint256(word % 12) * 32 + uint256(bit) / 8;
        data[index] = data[index] ^ bytes1(uint8(128 >> (bit % 8)));
        (bool done, ) = address(register).call(data);
        assertTrue(!done, "refused");
        assertEq(register.headOf(recordId), hashOf(current));
    }

    function test_a_stale_entry_is_named_with_the_head() public {
        bytes32 head = register.headOf(recordId);
        current.area += 1;
        refuse(abi.encodeWithSelector(Register.StaleHead.selector, recordId, head));
    }

    function test_a_transfer_cannot_be_played_again() public {
        bytes memory data = call();
        (bool done, ) = address(register).call(data);
        assertTrue(done, "first");
        bytes32 head = register.headOf(recordId);
        bytes memory answer;
        (done, answer) = address(register).call(data);
        assertTrue(!done, "second");
        assertEq(keccak256(answer), keccak256(abi.encodeWithSelector(Register.StaleHead.selector, recordId, head)));
    }

    function test_what_was_never_issued_does_not_move() public {
        recordId = change.recordId = keccak256("never issued");
        refuse(abi.encodeWithSelector(Register.StaleHead.selector, recordId, 0));
    }

    // The rules of the title

    function test_only_an_active_title_moves(uint8 status) public {
        vm.assume(status != 1);
        LandRegister.LandEntry memory entry = current;
        entry.status = status;
        force(entry);
        refuse(abi.encodeWithSelector(LandEntries.NotActive.selector, recordId, status));
    }

    function test_a_title_with_a_lien_does_not_move(uint16 liens) public {
        vm.assume(liens != 0);
        LandRegister.LandEntry memory entry = current;
        entry.liens = liens;
        force(entry);
        refuse(abi.encodeWithSelector(LandEntries.Encumbered.selector, recordId, liens));
    }

    function test_nobody_is_no_recipient() public {
        change.recipient = address(0);
        refuse(abi.encodeWithSelector(LandEntries.InvalidRecipient.selector, address(0)));
    }

    function test_the_holder_is_no_recipient() public {
        change.recipient = current.holder;
        refuse(abi.encodeWithSelector(LandEntries.InvalidRecipient.selector, current.holder));
    }

    function test_a_transfer_has_a_content() public {
        change.digest = 0;
        refuse(abi.encodeWithSelector(LandEntries.InvalidTitle.selector, recordId));
    }

    // Who signs

    function test_the_holder_signs() public {
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, vm.addr(HOLDER_KEY)));
        this.sendSigned(STRANGER_KEY, RECIPIENT_KEY, 2);
    }

    function test_the_recipient_signs() public {
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, vm.addr(RECIPIENT_KEY)));
        this.sendSigned(HOLDER_KEY, STRANGER_KEY, 2);
    }

    function test_the_registrars_sign() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        this.sendSigned(HOLDER_KEY, RECIPIENT_KEY, 1);
    }

    function test_holder_and_recipient_may_be_wallets_with_code() public {
        LandRegister.LandEntry memory entry = current;
        entry.holder = address(new Wallet(vm.addr(HOLDER_KEY)));
        force(entry);
        change.recipient = address(new Wallet(vm.addr(RECIPIENT_KEY)));
        LandRegister.LandEntry memory wanted = next();
        transfer();
        assertEq(register.headOf(recordId), hashOf(wanted));
    }

    function test_a_malformed_signature_is_not_that_of_an_entry_without_holder() public {
        LandRegister.LandEntry memory entry = current;
        entry.holder = address(0);
        force(entry);
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, address(0)));
        this.sendRaw(new bytes(65), RECIPIENT_KEY);
    }

    /// @dev What the last good signature left in memory must not stand for the next one.
    function test_a_registrar_who_holds_the_title_signs_as_holder_too() public {
        LandRegister.LandEntry memory entry = current;
        entry.holder = vm.addr(registrars[1]);
        force(entry);
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, entry.holder));
        this.sendRaw(new bytes(65), RECIPIENT_KEY);
        this.sendSigned(registrars[1], RECIPIENT_KEY, 2);
    }

    function test_everything_that_is_asked_for_is_signed(uint8 member) public {
        bytes memory holders = signature(HOLDER_KEY, signed());
        bytes memory recipients = signature(RECIPIENT_KEY, signed());
        Register.Approval[] memory given = approve(keysOf(2), signed());
        if (member % 3 == 0) change.recipient = vm.addr(STRANGER_KEY);
        else if (member % 3 == 1) change.digest = keccak256("another content");
        else change.deadline += 1;
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer));
        register.transfer(change, current, holders, recipients, given);
    }

    // Deadline

    function test_the_last_second_is_in_time() public {
        vm.warp(DEADLINE);
        LandRegister.LandEntry memory wanted = next();
        transfer();
        assertEq(register.headOf(recordId), hashOf(wanted));
    }

    function test_a_second_later_is_too_late() public {
        vm.warp(DEADLINE + 1);
        refuse(abi.encodeWithSelector(Register.Expired.selector, DEADLINE));
    }

    function test_a_recipient_that_is_no_address_is_refused(uint8 bit) public {
        bytes memory data = call();
        uint256 place = uint256(bit) % 96;
        data[4 + 32 + place / 8] = bytes1(uint8(128 >> (place % 8)));
        (bool done, ) = address(register).call(data);
        assertTrue(!done, "refused");
    }

    function sendSigned(uint256 holder, uint256 recipient, uint256 approvals) external {
        send(signature(holder, signed()), signature(recipient, signed()), approvals);
    }

    function sendRaw(bytes calldata holders, uint256 recipient) external {
        send(holders, signature(recipient, signed()), 2);
    }
}
