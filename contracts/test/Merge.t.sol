// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandEntries} from "../LandEntries.sol";
import {LandLiens} from "../LandLiens.sol";
import {LandParcels} from "../LandParcels.sol";
import {LandRegister} from "../LandRegister.sol";
import {Register} from "../Register.sol";
import {Vm} from "./Fixture.sol";
import {LandFixture} from "./LandFixture.sol";

contract MergeTest is LandFixture {
    bytes32[] private ids;
    LandRegister.LandEntry[] private entries;
    LandRegister.Lien[][] private lists;
    LandRegister.Title private child;
    uint256 private approvals = 2;
    uint256 private holder = HOLDER_KEY;

    function setUp() public override {
        super.setUp();
        vm.warp(START);
        gather([uint256(0), 0, 0]);
        vm.warp(START + 60);
    }

    /// @dev Let the first three titles have so many liens, of bank, friend, bank ... and ask to merge them.
    function gather(uint256[3] memory counts) private {
        delete ids;
        delete entries;
        delete lists;
        child = title(100);
        child.area = 0;
        for (uint256 i = 0; i < 3; ++i) {
            (recordId, current) = (title(i + 1).recordId, firstEntry(title(i + 1)));
            forceLiens(counts[i]);
            place(recordId, current);
            child.area += current.area;
        }
        recordId = ids[0];
    }

    /// @dev Behind those whose heads are lower.
    function place(bytes32 id, LandRegister.LandEntry memory entry) private {
        ids.push(id);
        entries.push(entry);
        lists.push(liens);
        for (uint256 i = ids.length - 1; i > 0 && hashOf(entries[i - 1]) > hashOf(entries[i]); --i) {
            swap(i - 1, i);
        }
    }

    function swap(uint256 i, uint256 j) private {
        (bytes32 id, LandRegister.LandEntry memory entry, LandRegister.Lien[] memory list) =
            (ids[i], entries[i], lists[i]);
        ids[i] = ids[j];
        entries[i] = entries[j];
        lists[i] = lists[j];
        ids[j] = id;
        entries[j] = entry;
        delete lists[j];
        for (uint256 k = 0; k < list.length; ++k) {
            lists[j].push(list[k]);
        }
    }

    function heads() private view returns (bytes32[] memory all) {
        all = new bytes32[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            all[i] = hashOf(entries[i]);
        }
    }

    function joined() private view returns (LandRegister.Lien[] memory all) {
        uint256 count = 0;
        for (uint256 i = 0; i < lists.length; ++i) {
            count += lists[i].length;
        }
        all = new LandRegister.Lien[](count);
        count = 0;
        for (uint256 i = 0; i < lists.length; ++i) {
            for (uint256 j = 0; j < lists[i].length; ++j) {
                all[count++] = lists[i][j];
            }
        }
    }

    function signed() private view returns (bytes32) {
        string memory types =
            "MergeTitles(bytes32[] recordIds,bytes32[] heads,Title child,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)";
        bytes32 title_ = keccak256("Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)");
        bytes32 idsHash = keccak256(abi.encodePacked(ids));
        bytes32 headsHash = keccak256(abi.encodePacked(heads()));
        bytes32 childHash = keccak256(abi.encode(title_, child));
        return typedData(keccak256(abi.encode(keccak256(bytes(types)), idsHash, headsHash, childHash, DEADLINE)));
    }

    function call() private view returns (bytes memory) {
        LandRegister.Lien[] memory all = joined();
        bytes[] memory creditors = new bytes[](all.length);
        for (uint256 i = 0; i < all.length; ++i) {
            creditors[i] = signature(all[i].creditor == vm.addr(BANK_KEY) ? BANK_KEY : FRIEND_KEY, signed());
        }
        return callWith(creditors);
    }

    function callWith(bytes[] memory creditors) private view returns (bytes memory) {
        return callWith(creditors, signature(holder, signed()), approvedBy(approvals, signed()));
    }

    function callWith(bytes[] memory creditors, bytes memory holders, Register.Approval[] memory given)
        private
        view
        returns (bytes memory)
    {
        LandRegister.Merge memory change = LandParcels.Merge(ids, child, DEADLINE);
        LandRegister.Consent memory consent = LandLiens.Consent(holders, creditors);
        return abi.encodeCall(register.merge, (change, entries, lists, consent, given));
    }

    // What is recorded

    function assertRecordsMerge() private {
        bytes memory data = call();
        LandRegister.LandEntry memory born = firstEntry(child);
        LandRegister.Lien[] memory all = joined();
        (born.action, born.liens, born.lienRoot) = (10, uint16(all.length), rootOf(all));
        (born.parents, born.approvals) = (keccak256(abi.encodePacked(heads())), packedHash(keysOf(approvals)));
        vm.recordLogs();
        send(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(register.headOf(child.recordId), hashOf(born));
        assertTrue(tells(logs, child.recordId, born), "told");
        assertTrue(all.length == 0 || tellsLiens(logs, all), "liens told");
        for (uint256 i = 0; i < ids.length; ++i) {
            current = entries[i];
            LandRegister.LandEntry memory retired = following(10, keysOf(approvals));
            retired.status = 3;
            assertEq(register.headOf(ids[i]), hashOf(retired));
            assertTrue(tells(logs, ids[i], retired), "told");
        }
    }

    function test_parcels_become_one_and_are_retired_by_those_who_approved(bool three) public {
        approvals = three ? 3 : 2;
        assertRecordsMerge();
    }

    function test_every_lien_of_every_parent_is_carried(uint8 first, uint8 second, uint8 third) public {
        vm.warp(START);
        gather([uint256(first % 4), second % 4, third % 4]);
        vm.warp(START + 60);
        assertRecordsMerge();
    }

    function test_a_merged_parcel_never_lives_again() public {
        (current, recordId) = (entries[0], ids[0]);
        LandRegister.LandEntry memory retired = following(10, keysOf(approvals));
        retired.status = 3;
        send(call());
        entries[0] = retired;
        (bool done, bytes memory answer) = address(register).call(call());
        assertTrue(!done, "refused");
        assertEq(
            keccak256(answer),
            keccak256(abi.encodeWithSelector(LandEntries.NotActive.selector, recordId, 3))
        );
    }

    // What is refused

    function test_only_active_titles_are_merged(uint8 which, uint8 status) public {
        vm.assume(status != 1);
        uint256 index = which % 3;
        entries[index].status = status;
        force(ids[index], entries[index]);
        refuse(call(), abi.encodeWithSelector(LandEntries.NotActive.selector, ids[index], status));
    }

    function test_a_merge_is_of_two_parcels_at_least() public {
        while (ids.length > 0) {
            ids.pop();
            entries.pop();
            lists.pop();
            if (ids.length > 1) continue;
            refuse(call(), abi.encodeWithSelector(LandParcels.TooFewParcels.selector, ids.length));
        }
    }

    function test_there_is_an_entry_and_a_list_for_every_parent() public {
        lists.push();
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongCount.selector, 4, 3));
        lists.pop();
        lists.pop();
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongCount.selector, 2, 3));
        lists.push();
        entries.push(entries[0]);
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongCount.selector, 4, 3));
    }

    function test_parents_ascend_by_their_heads() public {
        swap(1, 2);
        bytes32[] memory all = heads();
        refuse(call(), abi.encodeWithSelector(LandParcels.HeadsNotAscending.selector, all[1], all[2]));
    }

    function test_a_parcel_is_merged_once() public {
        (ids[1], entries[1]) = (ids[0], entries[0]);
        bytes32 head = hashOf(entries[0]);
        refuse(call(), abi.encodeWithSelector(LandParcels.HeadsNotAscending.selector, head, head));
    }

    function test_all_parents_have_one_holder() public {
        entries[0].holder = vm.addr(RECIPIENT_KEY);
        force(ids[0], entries[0]);
        if (hashOf(entries[0]) > hashOf(entries[1])) swap(0, 1);
        if (hashOf(entries[1]) > hashOf(entries[2])) swap(1, 2);
        (bool done, bytes memory answer) = address(register).call(call());
        assertTrue(!done, "refused");
        assertEq(bytes32(bytes4(answer)), bytes32(LandParcels.WrongHolder.selector));
    }

    function test_the_child_has_the_parents_holder() public {
        child.holder = vm.addr(RECIPIENT_KEY);
        bytes memory problem = abi.encodeWithSelector(LandParcels.WrongHolder.selector, child.recordId, child.holder);
        refuse(call(), problem);
    }

    function test_no_area_is_won_or_lost_in_a_merge(uint64 area) public {
        uint64 sum = child.area;
        vm.assume(area != sum);
        child.area = area;
        refuse(call(), abi.encodeWithSelector(LandParcels.AreaNotConserved.selector, area, sum));
    }

    function test_the_child_has_a_content() public {
        child.digest = 0;
        refuse(call(), LandEntries.InvalidTitle.selector, child.recordId);
    }

    function test_the_child_has_a_number_that_is_not_used() public {
        child.recordId = title(4).recordId;
        refuse(call(), Register.AlreadyRecorded.selector, child.recordId);
        child.recordId = ids[1];
        refuse(call(), Register.AlreadyRecorded.selector, child.recordId);
    }

    function test_no_lien_of_a_parent_is_left_out(uint8 which) public {
        vm.warp(START);
        gather([uint256(2), 2, 2]);
        uint256 index = which % 3;
        lists[index].pop();
        bytes32 root = entries[index].lienRoot;
        refuse(call(), abi.encodeWithSelector(LandLiens.WrongLiens.selector, ids[index], root));
    }

    function test_every_creditor_of_every_parent_signs(uint8 which) public {
        vm.warp(START);
        gather([uint256(1), 1, 1]);
        bytes[] memory creditors = creditorsOf(3, signed());
        creditors[1] = creditors[0];
        creditors[which % 3] = signature(HOLDER_KEY, signed());
        refuseSignature(callWith(creditors), BANK_KEY);
        refuse(callWith(new bytes[](0)), abi.encodeWithSelector(LandLiens.WrongCount.selector, 0, 3));
    }

    function test_the_holder_signs_a_merge() public {
        holder = STRANGER_KEY;
        refuseSignature(call(), HOLDER_KEY);
    }

    function test_the_registrars_approve_a_merge() public {
        approvals = 1;
        refuse(call(), abi.encodeWithSelector(Authority.TooFewApprovals.selector, 1, 2));
    }

    function test_the_child_of_a_merge_is_signed(bool content) public {
        bytes memory holders = signature(HOLDER_KEY, signed());
        Register.Approval[] memory given = approvedBy(2, signed());
        if (content) child.digest = keccak256("another content");
        else child.recordId = keccak256("another parcel");
        refuseSignature(callWith(new bytes[](0), holders, given), registrars[0]);
    }

    function test_a_merge_is_of_the_newest_entries(uint8 which) public {
        uint256 index = which % 3;
        entries[index].area += 1;
        bytes memory problem =
            abi.encodeWithSelector(Register.StaleHead.selector, ids[index], register.headOf(ids[index]));
        refuse(call(), problem);
    }

    function test_a_merge_has_a_deadline() public {
        refuseLate(call);
    }
}
