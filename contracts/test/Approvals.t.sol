// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Fixture, Vm, Wallet} from "./Fixture.sol";

/// @dev An account with code that answers every question with `reply`.
contract Parrot {
    bytes32 private immutable reply;

    constructor(bytes32 reply_) {
        reply = reply_;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return abi.encode(reply);
    }
}

/// @dev What Register demands of approvals, tried on `issue`.
contract ApprovalsTest is Fixture {
    function submit(Register.Approval[] memory given) private {
        register.issue(batch(1), DEADLINE, given);
    }

    function digest() private view returns (bytes32) {
        return typedData(issueStruct(batch(1), DEADLINE));
    }

    function valid(uint256 count) private view returns (Register.Approval[] memory) {
        return approve(keysOf(count), digest());
    }

    function expectInvalid(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, signer));
    }

    function assertRecorded() private view {
        assertTrue(register.headOf(title(1).recordId) != 0, "recorded");
    }

    // Who sends

    function test_anyone_may_send_what_is_approved(address sender) public {
        Register.Approval[] memory given = valid(2);
        vm.prank(sender);
        submit(given);
        assertRecorded();
    }

    function test_the_admin_himself_records_nothing_without_approvals() public {
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 0, 2));
        submit(new Register.Approval[](0));
    }

    function test_the_approvers_are_told_in_standard_abi() public {
        Register.Approval[] memory given = valid(3);
        vm.recordLogs();
        submit(given);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        address[] memory approvers = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            approvers[i] = given[i].signer;
        }
        assertEq(log.topics.length, 1);
        assertEq(keccak256(log.data), keccak256(abi.encode(approvers)));
    }

    // How many, and who

    function test_one_approval_is_too_few() public {
        Register.Approval[] memory given = valid(1);
        vm.expectRevert(abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
        submit(given);
    }

    function test_more_than_enough_is_allowed() public {
        submit(valid(3));
        assertRecorded();
    }

    function test_a_stranger_is_no_registrar() public {
        registrars.push(STRANGER_KEY);
        sortByAddress(registrars);
        Register.Approval[] memory given = valid(4);
        vm.expectRevert(abi.encodeWithSelector(Authority.NotRegistrar.selector, vm.addr(STRANGER_KEY)));
        submit(given);
    }

    function test_a_register_without_a_policy_records_nothing() public {
        register = new LandRegister(authority, 0);
        Register.Approval[] memory given = valid(3);
        vm.expectRevert(abi.encodeWithSelector(Authority.NoPolicy.selector, address(register)));
        submit(given);
        authority.setPolicy(address(register), REGISTRAR, 2);
        submit(given);
        assertRecorded();
    }

    // Order

    function test_one_registrar_counts_once() public {
        Register.Approval[] memory given = valid(2);
        given[1] = given[0];
        address signer = given[0].signer;
        vm.expectRevert(abi.encodeWithSelector(Register.ApprovalsNotAscending.selector, signer, signer));
        submit(given);
    }

    function test_approvals_ascend() public {
        Register.Approval[] memory given = valid(2);
        (given[0], given[1]) = (given[1], given[0]);
        vm.expectRevert(
            abi.encodeWithSelector(Register.ApprovalsNotAscending.selector, given[0].signer, given[1].signer)
        );
        submit(given);
    }

    function test_the_zero_address_approves_nothing() public {
        Register.Approval[] memory given = valid(2);
        given[0] = Register.Approval(address(0), new bytes(65));
        vm.expectRevert(abi.encodeWithSelector(Register.ApprovalsNotAscending.selector, address(0), address(0)));
        submit(given);
    }

    function test_half_the_order_is_low_enough() public {
        (, Register.Approval[] memory given) = withAnybody(ORDER / 2);
        submit(given);
        assertRecorded();
    }

    function test_one_more_than_half_the_order_is_too_high() public {
        (address signer, Register.Approval[] memory given) = withAnybody(ORDER / 2 + 1);
        expectInvalid(signer);
        submit(given);
    }

    /// @dev Any r and s are somebody's signature: whose, ecrecover says. He becomes a registrar.
    function withAnybody(uint256 s) private returns (address signer, Register.Approval[] memory given) {
        bytes32 r = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798;
        signer = ecrecover(digest(), 27, r, bytes32(s));
        authority.grantRole(REGISTRAR, signer, 0);
        given = withWallet(signer, abi.encodePacked(r, s, uint8(27)));
    }

    function test_a_broken_signature_is_of_nobody(uint8 number) public {
        address signer = address(uint160(uint256(number) + 1));
        authority.grantRole(REGISTRAR, signer, 0);
        Register.Approval[] memory given = withWallet(signer, new bytes(65));
        expectInvalid(signer);
        submit(given);
    }

    // Deadline

    function test_the_last_second_is_in_time() public {
        Register.Approval[] memory given = valid(2);
        vm.warp(DEADLINE);
        submit(given);
        assertRecorded();
    }

    function test_a_second_later_is_too_late() public {
        Register.Approval[] memory given = valid(2);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(Register.Expired.selector, DEADLINE));
        submit(given);
    }

    function test_the_deadline_is_signed() public {
        Register.Approval[] memory given = valid(2);
        expectInvalid(given[0].signer);
        register.issue(batch(1), DEADLINE + 1, given);
    }

    // Signatures of keys

    function test_a_signature_of_another_key_is_refused() public {
        Register.Approval[] memory given = valid(2);
        given[1].signature = signature(STRANGER_KEY, digest());
        expectInvalid(given[1].signer);
        submit(given);
    }

    function test_a_signature_has_its_low_form_only() public {
        Register.Approval[] memory given = valid(2);
        given[0].signature = highSignature(registrars[0], digest());
        expectInvalid(given[0].signer);
        submit(given);
    }

    function test_a_signature_of_any_other_length_is_refused(uint8 length) public {
        vm.assume(length != 65);
        Register.Approval[] memory given = valid(2);
        bytes memory cut = new bytes(length);
        for (uint256 i = 0; i < length && i < 65; ++i) {
            cut[i] = given[0].signature[i];
        }
        given[0].signature = cut;
        expectInvalid(given[0].signer);
        submit(given);
    }

    function test_any_changed_byte_of_a_signature_is_noticed(uint8 place, uint8 mask) public {
        vm.assume(mask != 0);
        Register.Approval[] memory given = valid(2);
        uint256 index = place % 65;
        given[0].signature[index] = given[0].signature[index] ^ bytes1(mask);
        expectInvalid(given[0].signer);
        submit(given);
    }

    function test_v_is_27_or_28() public {
        Register.Approval[] memory given = valid(2);
        given[0].signature[64] = bytes1(uint8(given[0].signature[64]) - 27);
        expectInvalid(given[0].signer);
        submit(given);
    }

    // Signatures of accounts with code

    function test_a_registrar_may_be_a_wallet_with_code() public {
        address wallet = address(new Wallet(vm.addr(STRANGER_KEY)));
        authority.grantRole(REGISTRAR, wallet, 0);
        submit(withWallet(wallet, signature(STRANGER_KEY, digest())));
        assertRecorded();
    }

    function test_a_wallet_refuses_what_its_owner_did_not_sign() public {
        address wallet = address(new Wallet(vm.addr(STRANGER_KEY)));
        authority.grantRole(REGISTRAR, wallet, 0);
        Register.Approval[] memory given = withWallet(wallet, signature(HOLDER_KEY, digest()));
        expectInvalid(wallet);
        submit(given);
    }

    function test_a_wallet_must_answer_with_the_magic_value() public {
        bytes32 magic = bytes32(bytes4(0x1626ba7e));
        refuseParrot(bytes32(uint256(1)));
        refuseParrot(magic | bytes32(uint256(1)));
        address parrot = address(new Parrot(magic));
        authority.grantRole(REGISTRAR, parrot, 0);
        submit(withWallet(parrot, ""));
        assertRecorded();
    }

    function test_a_wallet_that_cannot_answer_refuses() public {
        address silent = address(register);
        authority.grantRole(REGISTRAR, silent, 0);
        Register.Approval[] memory given = withWallet(silent, signature(STRANGER_KEY, digest()));
        expectInvalid(silent);
        submit(given);
    }

    // Where a signature counts

    function test_a_signature_for_another_register_is_refused() public {
        Register.Approval[] memory given = valid(2);
        register = new LandRegister(authority, 0);
        authority.setPolicy(address(register), REGISTRAR, 2);
        expectInvalid(given[0].signer);
        submit(given);
    }

    function test_a_signature_for_another_chain_is_refused() public {
        Register.Approval[] memory given = valid(2);
        vm.chainId(block.chainid + 1);
        expectInvalid(given[0].signer);
        submit(given);
        submit(valid(2));
        assertRecorded();
    }

    function refuseParrot(bytes32 reply) private {
        address parrot = address(new Parrot(reply));
        authority.grantRole(REGISTRAR, parrot, 0);
        Register.Approval[] memory given = withWallet(parrot, "");
        expectInvalid(parrot);
        submit(given);
    }

    /// @dev Two approvals, ascending: the wallet's and that of the first registrar.
    function withWallet(address wallet, bytes memory given) private view returns (Register.Approval[] memory both) {
        both = new Register.Approval[](2);
        uint256 index = wallet < vm.addr(registrars[0]) ? 0 : 1;
        both[index] = Register.Approval(wallet, given);
        both[1 - index] = valid(1)[0];
    }
}
