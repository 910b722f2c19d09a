// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandParcels} from "../LandParcels.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {LandFixture} from "./LandFixture.sol";

contract SplitTest is LandFixture {
    LandRegister.Title[] private children;
    uint256 private approvals = 2;
    uint256 private holder = HOLDER_KEY;

    function setUp() public override {
        super.setUp();
        part(3, 10_001);
    }

    /// @dev Let the children be so many parts of an area.
    function part(uint256 count, uint64 area) private {
        delete children;
        for (uint256 i = 0; i < count; ++i) {
            LandRegister.Title memory child = title(100 + i);
            child.area = i + 1 < count ? area / uint64(count) : area - area / uint64(count) * uint64(count - 1);
            children.push(child);
        }
    }

    function asked() private view returns (LandRegister.Split memory) {
        return LandParcels.Split(recordId, children, DEADLINE);
    }

    function signed() private view returns (bytes32) {
        string memory types =
            "SplitTitle(bytes32 recordId,bytes32 head,Title[] children,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)";
        bytes32 hashes = childrenHash();
        return typedData(keccak256(abi.encode(keccak256(bytes(types)), recordId, hashOf(current), hashes, DEADLINE)));
    }

    function childrenHash() private view returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < children.length; ++i) {
            hashes = bytes.concat(hashes, keccak256(abi.encode(TITLE, children[i])));
        }
        return keccak256(hashes);
    }

    bytes32 private constant TITLE = keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)");

    function call() private view returns (bytes memory) {
        Register.Approval[] memory given = approvedBy(approvals, signed());
        return abi.encodeCall(register.split, (asked(), current, signature(holder, signed()), given));
    }

    function retired() private view returns (LandRegister.LandEntry memory entry) {
        entry = following(9, keysOf(2));
        entry.status = 3;
    }

    function born(LandRegister.Title memory child) private view returns (LandRegister.LandEntry memory entry) {
        entry = firstEntry(child);
        (entry.action, entry.liens, entry.lienRoot) = (9, current.liens, current.lienRoot);
        entry.parents = keccak256(abi.encodePacked(hashOf(current)));
    }

    // What is recorded

    function test_a_parcel_becomes_several_and_is_retired() public {
        bytes memory data = call();
        vm.recordLogs();
        assertRecordsSplit(data);
    }

    function test_every_child_has_every_lien(uint8 count) public {
        forceLiens(count % 4);
        assertRecordsSplit(call());
    }

    function test_any_area_is_conserved(uint8 count, uint64 area) public {
        uint256 parts = 2 + count % 6;
        vm.assume(area >= parts);
        current.area = area;
        force(recordId, current);
        part(parts, area);
        assertRecordsSplit(call());
    }

    function assertRecordsSplit(bytes memory data) private {
        vm.recordLogs();
        send(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2 + children.length);
        assertEq(register.headOf(recordId), hashOf(retired()));
        assertTrue(tells(logs, recordId, retired()), "told");
        for (uint256 i = 0; i < children.length; ++i) {
            assertEq(register.headOf(children[i].recordId), hashOf(born(children[i])));
            assertTrue(tells(logs, children[i].recordId, born(children[i])), "told");
        }
    }

    function test_a_child_lives_and_its_parent_never_again() public {
        LandRegister.LandEntry memory child = born(children[0]);
        LandRegister.LandEntry memory parent = retired();
        send(call());
        bytes32 id = recordId;
        (recordId, current) = (children[0].recordId, child);
        part(2, child.area);
        (children[0].recordId, children[1].recordId) = (title(200).recordId, title(201).recordId);
        assertRecordsSplit(call());
        (recordId, current) = (id, parent);
        refuse(call(), abi.encodeWithSelector(LandEntries.NotActive.selector, recordId, 3));
    }

    // What is refused

    function test_only_an_active_title_is_split(uint8 status) public {
        vm.assume(status != 1);
        refuseStatus(call, status);
    }

    function test_a_split_makes_two_parcels_at_least() public {
        part(1, 10_001);
        refuse(call(), abi.encodeWithSelector(LandParcels.TooFewParcels.selector, 1));
        delete children;
        refuse(call(), abi.encodeWithSelector(LandParcels.TooFewParcels.selector, 0));
    }

    function test_no_area_is_won_or_lost_in_a_split(uint64 area) public {
        children[1].area = area;
        uint256 sum = uint256(children[0].area) + area + children[2].area;
        vm.assume(sum != 10_001);
        refuse(call(), abi.encodeWithSelector(LandParcels.AreaNotConserved.selector, sum, 10_001));
    }

    function test_an_area_does_not_wrap_round() public {
        children[0].area = type(uint64).max;
        children[1].area = 10_002 - children[2].area;
        uint256 sum = uint256(type(uint64).max) + 10_002;
        refuse(call(), abi.encodeWithSelector(LandParcels.AreaNotConserved.selector, sum, 10_001));
    }

    function test_a_child_has_a_number_that_is_not_used() public {
        children[2].recordId = title(2).recordId;
        refuse(call(), Register.AlreadyRecorded.selector, title(2).recordId);
        children[2].recordId = children[0].recordId;
        refuse(call(), Register.AlreadyRecorded.selector, children[0].recordId);
        children[2].recordId = recordId;
        refuse(call(), Register.AlreadyRecorded.selector, recordId);
    }

    function test_a_child_has_content_and_area() public {
        children[1].digest = 0;
        refuse(call(), LandEntries.InvalidTitle.selector, children[1].recordId);
        part(3, 10_001);
        children[1].area += children[0].area;
        children[0].area = 0;
        refuse(call(), LandEntries.InvalidTitle.selector, children[0].recordId);
    }

    function test_a_child_has_its_parents_holder() public {
        children[2].holder = vm.addr(RECIPIENT_KEY);
        bytes32 id = children[2].recordId;
        refuse(call(), abi.encodeWithSelector(LandParcels.WrongHolder.selector, id, children[2].holder));
    }

    function test_the_holder_signs_a_split() public {
        holder = STRANGER_KEY;
        refuseSignature(call(), HOLDER_KEY);
    }

    function test_the_registrars_approve_a_split() public {
        approvals = 1;
        refuse(call(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_every_child_is_signed(uint8 which, uint8 member) public {
        bytes memory holders = signature(HOLDER_KEY, signed());
        Register.Approval[] memory given = approvedBy(2, signed());
        LandRegister.Title storage child = children[which % 3];
        if (member % 4 == 0) child.recordId = keccak256("another parcel");
        else if (member % 4 == 1) child.digest = keccak256("another content");
        else if (member % 4 == 2) child.holder = vm.addr(STRANGER_KEY);
        else (children[0].area, children[1].area) = (children[0].area + 1, children[1].area - 1);
        refuseSignature(abi.encodeCall(register.split, (asked(), current, holders, given)), registrars[0]);
    }

    function test_a_split_is_of_the_newest_entry_and_once() public {
        refuseStale(call);
    }

    function test_what_was_never_issued_is_not_split() public {
        refuseNever(call);
    }

    function test_a_split_has_a_deadline() public {
        refuseLate(call);
    }
}
