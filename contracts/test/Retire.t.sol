// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

contract RetireTest is LandFixture {
    uint256 private approvals = 2;
    uint256 private holder = HOLDER_KEY;

    function call() private view returns (bytes memory) {
        bytes32 signed = shortStruct("RetireTitle");
        Register.Approval[] memory given = approvedBy(approvals, signed);
        return abi.encodeCall(register.retire, (recordId, DEADLINE, current, signature(holder, signed), given));
    }

    function test_a_retired_title_keeps_what_it_was() public {
        LandRegister.LandEntry memory wanted = following(11, keysOf(2));
        wanted.status = 3;
        assertRecords(call(), wanted);
    }

    function test_a_retired_title_never_lives_again() public {
        LandRegister.LandEntry memory wanted = following(11, keysOf(2));
        wanted.status = 3;
        send(call());
        current = wanted;
        refuse(call(), abi.encodeWithSelector(LandEntries.NotActive.selector, recordId, 3));
        LandRegister.Title[] memory titles = batch(1);
        Register.Approval[] memory given = approve(keysOf(2), typedData(issueStruct(titles, DEADLINE)));
        bytes memory data = abi.encodeCall(register.issue, (titles, DEADLINE, given));
        refuse(data, Register.AlreadyRecorded.selector, recordId);
    }

    function test_only_an_active_title_is_retired(uint8 status) public {
        vm.assume(status != 1);
        refuseStatus(call, status);
    }

    function test_a_title_with_a_lien_is_not_retired() public {
        forceLiens(1);
        refuse(call(), abi.encodeWithSelector(LandEntries.Encumbered.selector, recordId, 1));
    }

    function test_the_holder_signs_the_end() public {
        holder = STRANGER_KEY;
        refuseSignature(call(), HOLDER_KEY);
    }

    function test_the_registrars_approve_the_end() public {
        approvals = 1;
        refuse(call(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_a_retirement_is_of_the_newest_entry_and_once() public {
        refuseStale(call);
    }

    function test_what_was_never_issued_is_not_retired() public {
        refuseNever(call);
    }

    function test_a_retirement_has_a_deadline() public {
        refuseLate(call);
    }
}
