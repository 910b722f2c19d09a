// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandLiens} from "../LandLiens.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

contract TransferEncumberedTest is LandFixture {
    uint256 private approvals = 2;
    uint256 private holder = HOLDER_KEY;
    uint256 private recipient = RECIPIENT_KEY;
    uint256 private consents = 3;

    function setUp() public override {
        super.setUp();
        forceLiens(3);
    }

    function change() private view returns (LandRegister.Transfer memory) {
        return LandTitles.Transfer(recordId, vm.addr(RECIPIENT_KEY), keccak256("new content"), DEADLINE);
    }

    function signed() private view returns (bytes32) {
        return typedData(transferStruct(change(), hashOf(current)));
    }

    function call() private view returns (bytes memory) {
        return callWith(creditorsOf(consents, signed()));
    }

    function callWith(bytes[] memory creditors) private view returns (bytes memory) {
        LandRegister.Consent memory consent = LandLiens.Consent(signature(holder, signed()), creditors);
        bytes memory recipients = signature(recipient, signed());
        Register.Approval[] memory given = approvedBy(approvals, signed());
        return abi.encodeCall(register.transferEncumbered, (change(), current, liens, consent, recipients, given));
    }

    function test_a_title_moves_with_its_liens() public {
        LandRegister.LandEntry memory wanted = following(3, keysOf(2));
        (wanted.holder, wanted.digest) = (vm.addr(RECIPIENT_KEY), keccak256("new content"));
        assertRecords(call(), wanted);
        assertEq(wanted.liens, 3);
    }

    function test_a_title_without_liens_needs_no_creditor() public {
        forceLiens(0);
        consents = 0;
        LandRegister.LandEntry memory wanted = following(3, keysOf(2));
        (wanted.holder, wanted.digest) = (vm.addr(RECIPIENT_KEY), keccak256("new content"));
        assertRecords(call(), wanted);
    }

    function test_every_creditor_signs(uint8 which, bool stranger) public {
        bytes[] memory creditors = creditorsOf(3, signed());
        uint256 index = which % 3;
        creditors[index] = signature(stranger ? STRANGER_KEY : HOLDER_KEY, signed());
        refuseSignature(callWith(creditors), index % 2 == 0 ? BANK_KEY : FRIEND_KEY);
    }

    function test_there_are_as_many_consents_as_liens() public {
        consents = 2;
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongCount.selector, 2, 3));
        consents = 4;
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongCount.selector, 4, 3));
    }

    function test_no_lien_is_left_out() public {
        liens.pop();
        consents = 2;
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongLiens.selector, recordId, current.lienRoot));
        delete liens;
        consents = 0;
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongLiens.selector, recordId, current.lienRoot));
    }

    function test_only_an_active_title_moves_with_liens(uint8 status) public {
        vm.assume(status != 1);
        refuseStatus(call, status);
    }

    function test_the_holder_signs_a_transfer_with_liens() public {
        holder = BANK_KEY;
        refuseSignature(call(), HOLDER_KEY);
    }

    function test_the_recipient_signs_a_transfer_with_liens() public {
        recipient = STRANGER_KEY;
        refuseSignature(call(), RECIPIENT_KEY);
    }

    function test_the_registrars_approve_a_transfer_with_liens() public {
        approvals = 1;
        refuse(call(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_the_creditors_signatures_do_not_open_the_way_without_them() public {
        bytes memory data =
            abi.encodeCall(
                register.transfer,
                (
                    change(),
                    current,
                    signature(HOLDER_KEY, signed()),
                    signature(RECIPIENT_KEY, signed()),
                    approvedBy(2, signed())
                )
            );
        refuse(data, abi.encodeWithSelector(LandEntries.Encumbered.selector, recordId, 3));
    }

    function test_a_transfer_with_liens_is_of_the_newest_entry_and_once() public {
        refuseStale(call);
    }

    function test_a_transfer_with_liens_has_a_deadline() public {
        refuseLate(call);
    }
}
