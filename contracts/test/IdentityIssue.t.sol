// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {IdentityHistory} from "../IdentityHistory.sol";
import {IdentityRegister} from "../IdentityRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {IdentityFixture} from "./IdentityFixture.sol";

contract IdentityIssueTest is IdentityFixture {
    function send(bytes memory data) private {
        (bool done, bytes memory answer) = address(identities).call(data);
        assertTrue(done, string(answer));
    }

    function issue(IdentityRegister.Identity[] memory given) private {
        send(issueCall(given));
    }

    function refuse(IdentityRegister.Identity[] memory given, bytes memory problem) private {
        refuseCall(issueCall(given), problem);
        for (uint256 i = 1; i < given.length; ++i) {
            assertEq(identities.headOf(given[i].recordId), 0);
        }
    }

    // The register

    function test_the_delay_is_that_of_the_deployment(uint40 delay) public {
        vm.assume(delay != 0);
        assertEq(new IdentityRegister(authority, delay).recoveryDelay(), delay);
    }

    function test_there_is_a_delay() public {
        vm.expectRevert(abi.encodeWithSelector(IdentityRegister.InvalidDelay.selector, 0));
        new IdentityRegister(authority, 0);
    }

    // What is recorded

    function test_the_head_is_the_hash_of_the_first_entry() public {
        IdentityRegister.Identity[] memory given = several(3);
        issue(given);
        for (uint256 i = 0; i < given.length; ++i) {
            assertEq(identities.headOf(given[i].recordId), hashOf(firstEntry(given[i])));
        }
        assertEq(identities.headOf(identity(4).recordId), 0);
    }

    function test_heads_lie_in_slot_zero() public {
        IdentityRegister.Identity[] memory given = several(1);
        issue(given);
        bytes32 slot = keccak256(abi.encode(given[0].recordId, uint256(0)));
        assertEq(vm.load(address(identities), slot), hashOf(firstEntry(given[0])));
    }

    function test_an_entry_is_hashed_in_nine_words() public pure {
        IdentityHistory.IdentityEntry memory entry;
        assertEq(abi.encode(entry).length, 9 * 32);
    }

    function test_any_identity_is_recorded_as_given(
        bytes32 id,
        bytes32 digest,
        address controller,
        uint40 validUntil
    ) public {
        vm.assume(digest != 0 && controller != address(0) && validUntil > START);
        IdentityRegister.Identity[] memory given = new IdentityRegister.Identity[](1);
        given[0] = IdentityRegister.Identity(id, digest, controller, validUntil);
        issue(given);
        assertEq(identities.headOf(id), hashOf(firstEntry(given[0])));
    }

    // What is told

    function test_approvers_are_told_once_and_then_every_identity_in_standard_abi() public {
        IdentityRegister.Identity[] memory given = several(2);
        vm.recordLogs();
        issue(given);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3);
        assertEq(logs[0].topics[0], keccak256("Approved(address[])"));
        assertEq(abi.decode(logs[0].data, (address[])).length, 2);
        for (uint256 i = 0; i < given.length; ++i) {
            Vm.Log memory log = logs[i + 1];
            assertEq(log.topics.length, 2);
            assertEq(log.topics[0], keccak256("Issued(bytes32,bytes32,address,uint40)"));
            assertEq(log.topics[1], given[i].recordId);
            bytes memory data = abi.encode(given[i].digest, given[i].controller, given[i].validUntil);
            assertEq(keccak256(log.data), keccak256(data));
        }
    }

    // What is refused

    function test_an_empty_batch_is_refused() public {
        IdentityRegister.Identity[] memory none = several(0);
        refuse(none, abi.encodeWithSelector(IdentityRegister.EmptyBatch.selector));
    }

    function test_an_identity_has_a_controller() public {
        IdentityRegister.Identity[] memory given = several(3);
        given[1].controller = address(0);
        refuse(given, abi.encodeWithSelector(IdentityRegister.InvalidController.selector, address(0)));
    }

    function test_any_account_may_be_a_controller() public {
        IdentityRegister.Identity[] memory given = several(1);
        given[0].controller = address(1);
        issue(given);
        assertEq(identities.headOf(given[0].recordId), hashOf(firstEntry(given[0])));
    }

    function test_an_identity_has_a_content() public {
        IdentityRegister.Identity[] memory given = several(3);
        given[2].digest = 0;
        refuse(given, abi.encodeWithSelector(IdentityRegister.InvalidDigest.selector, given[2].recordId));
    }

    function test_an_identity_ends_in_the_future() public {
        IdentityRegister.Identity[] memory given = several(3);
        given[1].validUntil = uint40(START);
        bytes32 id = given[1].recordId;
        refuse(given, abi.encodeWithSelector(IdentityRegister.InvalidValidity.selector, id, START));
        given[1].validUntil += 1;
        issue(given);
        assertEq(identities.headOf(id), hashOf(firstEntry(given[1])));
    }

    function test_an_id_is_used_once_for_ever() public {
        IdentityRegister.Identity[] memory given = several(1);
        issue(given);
        given[0].digest = keccak256("another content");
        bytes32 id = given[0].recordId;
        refuse(given, abi.encodeWithSelector(Register.AlreadyRecorded.selector, id));
    }

    function test_a_batch_names_an_id_once() public {
        IdentityRegister.Identity[] memory given = several(3);
        given[2].recordId = given[0].recordId;
        refuse(given, abi.encodeWithSelector(Register.AlreadyRecorded.selector, given[0].recordId));
    }

    function test_an_issue_cannot_be_played_again() public {
        bytes memory data = issueCall(several(2));
        send(data);
        refuseCall(data, abi.encodeWithSelector(Register.AlreadyRecorded.selector, identity(1).recordId));
    }

    function test_the_registrars_sign() public {
        change.approvers = 1;
        refuse(several(2), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_a_second_after_the_deadline_is_too_late() public {
        change.deadline = START;
        bytes memory data = issueCall(several(1));
        vm.warp(START + 1);
        refuseCall(data, abi.encodeWithSelector(Register.Expired.selector, START));
        vm.warp(START);
        send(data);
        assertEq(identities.headOf(identity(1).recordId), hashOf(firstEntry(identity(1))));
    }

    function test_anyone_may_send_what_is_approved(address sender) public {
        bytes memory data = issueCall(several(1));
        vm.prank(sender);
        send(data);
        assertEq(identities.headOf(identity(1).recordId), hashOf(firstEntry(identity(1))));
    }

    // What is signed

    function test_every_member_of_every_identity_is_signed(uint8 which, uint8 member) public {
        IdentityRegister.Identity[] memory given = several(3);
        Register.Approval[] memory approvals =
            approve(keysOf(2), signedData(issueStruct(given, change.deadline)));
        IdentityRegister.Identity memory changed = given[which % 3];
        if (member % 4 == 0) changed.recordId = keccak256("another id");
        else if (member % 4 == 1) changed.digest = keccak256("another content");
        else if (member % 4 == 2) changed.controller = vm.addr(STRANGER_KEY);
        else changed.validUntil += 1;
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, approvals[0].signer));
        identities.issue(given, change.deadline, approvals);
    }

    function test_no_identity_is_added_or_left_out(uint8 count) public {
        IdentityRegister.Identity[] memory sent = several(1 + (count % 5));
        vm.assume(sent.length != 3);
        Register.Approval[] memory approvals =
            approve(keysOf(2), signedData(issueStruct(several(3), change.deadline)));
        vm.expectRevert(abi.encodeWithSelector(Register.InvalidSignature.selector, approvals[0].signer));
        identities.issue(sent, change.deadline, approvals);
    }

    /// @dev The same registrars approve both registers, and a chain may be forked.
    function test_an_approval_is_for_one_register_on_one_chain(uint64 chain) public {
        vm.assume(chain != block.chainid && chain != 0);
        bytes memory data = issueCall(several(1));
        address signer = vm.addr(registrars[0]);
        IdentityRegister other = new IdentityRegister(authority, DELAY);
        authority.setPolicy(address(other), REGISTRAR, 2);
        (bool done, bytes memory answer) = address(other).call(data);
        assertTrue(!done, "other register");
        bytes memory problem = abi.encodeWithSelector(Register.InvalidSignature.selector, signer);
        assertEq(keccak256(answer), keccak256(problem));
        vm.chainId(chain);
        refuseCall(data, problem);
    }

    // Calldata that no encoder makes

    /// @dev Of the call: selector, three words of head, the count, recordId, digest.
    uint256 private constant CONTROLLER_WORD = 4 + 3 * 32 + 32 + 64;

    function test_words_that_do_not_fit_their_types_are_refused(uint8 bit) public {
        bytes memory data = issueCall(several(1));
        assertFails(flipped(data, CONTROLLER_WORD, uint256(bit) % 96));
        assertFails(flipped(data, CONTROLLER_WORD + 32, uint256(bit) % 216));
        send(data);
    }

    function flipped(bytes memory data, uint256 word, uint256 bit) private pure returns (bytes memory copy) {
        copy = bytes.concat(data);
        uint256 index = word + bit / 8;
        copy[index] = copy[index] | bytes1(uint8(128 >> (bit % 8)));
    }

    function assertFails(bytes memory data) private {
        (bool done, ) = address(identities).call(data);
        assertTrue(!done, "refused");
        assertEq(identities.headOf(identity(1).recordId), 0);
    }
}
