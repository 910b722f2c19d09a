// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../Authority.sol";
import {LandRegister} from "../LandRegister.sol";
import {LandTitles} from "../LandTitles.sol";
import {Register} from "../Register.sol";
import {Fixture} from "./Fixture.sol";

/// @dev Sends random changes, good and bad ones, and keeps the whole history, which the register itself does not.
contract Office is Fixture {
    uint256 public constant PARCELS = 5;
    uint256 public constant HOLDERS = 4;

    mapping(bytes32 recordId => LandRegister.LandEntry[]) private histories;
    /// @dev A change was recorded or refused against what the rules say.
    bool public wrong;
    uint256 public recorded;

    function registerAddress() external view returns (LandRegister) {
        return register;
    }

    function history(bytes32 recordId) external view returns (LandRegister.LandEntry[] memory) {
        return histories[recordId];
    }

    function holderKey(uint256 index) public pure returns (uint256) {
        return uint256(keccak256(abi.encode("one of the holders", index % HOLDERS)));
    }

    function parcel(uint256 index) public pure returns (LandRegister.Title memory given) {
        given = title(index % PARCELS);
    }

    /// @param signers How many sign: registrars, and beyond the third a stranger too.
    function issueOne(uint256 index, uint256 holder, uint64 area, uint256 signers, uint16 wait) external {
        vm.warp(block.timestamp + wait);
        LandRegister.Title[] memory titles = new LandRegister.Title[](1);
        titles[0] = parcel(index);
        titles[0].holder = vm.addr(holderKey(holder));
        titles[0].area = area % 8 == 0 ? 0 : area;
        (Register.Approval[] memory given, bytes32 approvals, bool enough) =
            sign(signers, typedData(issueStruct(titles, block.timestamp)));
        bool good = enough && titles[0].area != 0 && histories[titles[0].recordId].length == 0;
        bytes memory data = abi.encodeCall(register.issue, (titles, block.timestamp, given));
        if (!sent(data, good)) return;
        LandRegister.LandEntry memory entry = firstEntry(titles[0]);
        entry.approvals = approvals;
        histories[titles[0].recordId].push(entry);
    }

    /// @dev Who takes part in a transfer, and whether it shows an entry that is not the newest.
    struct Attempt {
        uint256 parcel;
        uint256 recipient;
        uint256 signers;
        uint256 holder;
        bool stale;
        uint16 wait;
    }

    function transferOne(Attempt memory attempt) external {
        vm.warp(block.timestamp + attempt.wait);
        LandRegister.LandEntry[] storage all = histories[parcel(attempt.parcel).recordId];
        if (all.length == 0) return;
        LandRegister.LandEntry memory newest = all[all.length - 1];
        LandRegister.LandEntry memory shown = attempt.stale ? all[0] : newest;
        LandRegister.Transfer memory change = changeOf(attempt, all.length);
        (bytes memory data, bytes32 approvals, bool enough) = transferCall(attempt, change, shown);
        bool good = enough && hashOf(shown) == hashOf(newest) && change.recipient != newest.holder
            && vm.addr(holderKey(attempt.holder)) == newest.holder;
        if (sent(data, good)) all.push(nextEntry(newest, change, approvals));
    }

    function changeOf(Attempt memory attempt, uint256 count) private view returns (LandRegister.Transfer memory) {
        bytes32 content = keccak256(abi.encode(attempt.recipient, count));
        address recipient = vm.addr(holderKey(attempt.recipient));
        return LandTitles.Transfer(parcel(attempt.parcel).recordId, recipient, content, block.timestamp);
    }

    function transferCall(
        Attempt memory attempt,
        LandRegister.Transfer memory change,
        LandRegister.LandEntry memory shown
    ) private view returns (bytes memory data, bytes32 approvals, bool enough) {
        bytes32 digest = typedData(transferStruct(change, hashOf(shown)));
        bytes memory holders = signature(holderKey(attempt.holder), digest);
        bytes memory recipients = signature(holderKey(attempt.recipient), digest);
        Register.Approval[] memory given;
        (given, approvals, enough) = sign(attempt.signers, digest);
        data = abi.encodeCall(register.transfer, (change, shown, holders, recipients, given));
    }

    function nextEntry(
        LandRegister.LandEntry memory entry,
        LandRegister.Transfer memory change,
        bytes32 approvals
    ) private view returns (LandRegister.LandEntry memory) {
        entry.previous = hashOf(entry);
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        entry.action = 3;
        entry.digest = change.digest;
        entry.approvals = approvals;
        entry.holder = change.recipient;
        return entry;
    }

    function sign(uint256 signers, bytes32 digest)
        private
        view
        returns (Register.Approval[] memory given, bytes32 approvals, bool enough)
    {
        // Two or three sign in half of the calls, so that histories grow.
        uint256 count = signers % 8 < 4 ? signers % 4 : 2 + (signers % 2);
        given = approve(keysOf(count), digest);
        bool forged = count > 0 && signers % 7 == 0;
        if (forged) given[count - 1].signature = signature(STRANGER_KEY, digest);
        return (given, packedHash(keysOf(count)), count >= 2 && !forged);
    }

    function sent(bytes memory data, bool good) private returns (bool done) {
        (done, ) = address(register).call(data);
        if (done != good) wrong = true;
        if (done) ++recorded;
    }
}

contract HistoryTest is Fixture {
    Office private office;

    function setUp() public override {
        office = new Office();
        office.setUp();
        register = office.registerAddress();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(office);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        bytes4[] memory selectors = new bytes4[](3);
        (selectors[0], selectors[1], selectors[2]) =
            (Office.issueOne.selector, Office.transferOne.selector, Office.transferOne.selector);
        targets[0] = FuzzSelector(address(office), selectors);
    }

    function invariant_a_change_is_recorded_if_and_only_if_the_rules_allow_it() public view {
        assertTrue(!office.wrong(), "recorded or refused wrongly");
    }

    function invariant_the_head_commits_to_the_whole_history() public view {
        for (uint256 i = 0; i < office.PARCELS(); ++i) {
            bytes32 recordId = office.parcel(i).recordId;
            LandRegister.LandEntry[] memory all = office.history(recordId);
            bytes32 head = 0;
            for (uint256 j = 0; j < all.length; ++j) {
                assertEq(all[j].previous, head);
                assertEq(all[j].sequence, j + 1);
                head = hashOf(all[j]);
            }
            assertEq(register.headOf(recordId), head);
        }
    }

    function invariant_the_area_of_a_parcel_never_changes_and_time_never_runs_back() public view {
        for (uint256 i = 0; i < office.PARCELS(); ++i) {
            LandRegister.LandEntry[] memory all = office.history(office.parcel(i).recordId);
            for (uint256 j = 1; j < all.length; ++j) {
                assertEq(all[j].area, all[0].area);
                assertTrue(all[j].time >= all[j - 1].time, "time");
            }
        }
    }

    /// @dev Otherwise the three rules above would hold of nothing.
    function test_the_office_does_record() public {
        office.issueOne(0, 0, 1, 2, 0);
        office.transferOne(Office.Attempt(0, 1, 2, 0, false, 1));
        office.transferOne(Office.Attempt(0, 2, 3, 1, false, 1));
        assertEq(office.recorded(), 3);
        office.transferOne(Office.Attempt(0, 1, 2, 1, false, 1));
        office.transferOne(Office.Attempt(0, 3, 1, 2, false, 1));
        assertEq(office.recorded(), 3);
        assertTrue(!office.wrong(), "recorded or refused wrongly");
    }
}
