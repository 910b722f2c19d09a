// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {LandFixture} from "./LandFixture.sol";

contract AmendTest is LandFixture {
    bytes32 private digest = keccak256("corrected content");
    uint256 private approvals = 2;

    function signed() private view returns (bytes32) {
        bytes32 typehash = keccak256("AmendTitle(bytes32 recordId,bytes32 head,bytes32 digest,uint256 deadline)");
        return typedData(keccak256(abi.encode(typehash, recordId, hashOf(current), digest, DEADLINE)));
    }

    function call() private view returns (bytes memory) {
        Register.Approval[] memory given = approvedBy(approvals, signed());
        return abi.encodeCall(register.amend, (recordId, digest, DEADLINE, current, given));
    }

    function test_an_amendment_replaces_the_content_alone(uint64 area, uint16 count, bytes32 root) public {
        (current.area, current.liens, current.lienRoot) = (area, count, root);
        current.parents = keccak256("parents");
        force(recordId, current);
        LandRegister.LandEntry memory wanted = following(2, keysOf(2));
        wanted.digest = digest;
        assertRecords(call(), wanted);
    }

    function test_only_an_active_title_is_amended(uint8 status) public {
        vm.assume(status != 1);
        refuseStatus(call, status);
    }

    function test_an_amendment_has_a_content() public {
        digest = 0;
        refuse(call(), LandEntries.InvalidTitle.selector, recordId);
    }

    function test_the_registrars_approve_an_amendment() public {
        approvals = 1;
        refuse(call(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_an_amendment_is_of_the_newest_entry_and_once() public {
        refuseStale(call);
    }

    function test_what_was_never_issued_is_not_amended() public {
        refuseNever(call);
    }

    function test_an_amendment_has_a_deadline() public {
        refuseLate(call);
    }

    function test_content_title_and_deadline_of_an_amendment_are_signed() public {
        Register.Approval[] memory given = approvedBy(2, signed());
        bytes memory problem = abi.encodeWithSelector(Register.InvalidSignature.selector, given[0].signer);
        refuse(abi.encodeCall(register.amend, (recordId, keccak256("x"), DEADLINE, current, given)), problem);
        refuse(abi.encodeCall(register.amend, (recordId, digest, DEADLINE + 1, current, given)), problem);
        LandRegister.LandEntry memory other = firstEntry(title(2));
        other.time = current.time;
        refuse(abi.encodeCall(register.amend, (title(2).recordId, digest, DEADLINE, other, given)), problem);
    }
}
