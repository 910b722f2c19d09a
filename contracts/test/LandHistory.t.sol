// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandRegister} from "../LandRegister.sol";
import {Fixture} from "./Fixture.sol";
import {LandOffice} from "./LandOffice.sol";

/// @dev Rules that hold whatever happens to titles, in whatever order.
contract LandHistoryTest is Fixture {
    LandOffice internal office;

    function openOffice() internal virtual returns (LandOffice) {
        return new LandOffice();
    }

    function setUp() public override {
        office = openOffice();
        office.setUp();
        register = office.registerAddress();
        for (uint8 i = 0; i < 4; ++i) {
            office.issueOne(100 + i);
        }
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
        bytes4[] memory selectors = new bytes4[](14);
        selectors[0] = office.encumberOne.selector;
        selectors[1] = office.releaseOne.selector;
        selectors[2] = office.moveOne.selector;
        selectors[3] = office.freezeOne.selector;
        selectors[4] = office.unfreezeOne.selector;
        selectors[5] = office.retireOne.selector;
        selectors[6] = office.splitOne.selector;
        selectors[7] = office.mergeTwo.selector;
        selectors[8] = office.assignOne.selector;
        selectors[9] = office.completeOne.selector;
        selectors[10] = office.withdrawOne.selector;
        selectors[11] = office.encumberOne.selector;
        selectors[12] = office.issueOne.selector;
        selectors[13] = office.objectOne.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(office), selectors);
    }

    function invariant_heads_form_one_chain_of_every_title() public view {
        bytes32[] memory ids = office.idsOf();
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            bytes32 head = 0;
            for (uint256 j = 0; j < all.length; ++j) {
                assertEq(all[j].previous, head);
                assertEq(all[j].sequence, j + 1);
                head = hashOf(all[j]);
            }
            assertEq(register.headOf(ids[i]), head);
        }
    }

    function invariant_no_area_is_won_or_lost() public view {
        bytes32[] memory ids = office.idsOf();
        uint256 area = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            LandRegister.LandEntry memory newest = all[all.length - 1];
            assertEq(newest.area, all[0].area);
            if (newest.action != 9 && newest.action != 10 || newest.status != 3) area += newest.area;
        }
        assertEq(area, office.issuedArea());
    }

    function invariant_no_lien_is_lost() public view {
        bytes32[] memory ids = office.idsOf();
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            LandRegister.Lien[] memory owed = office.owedOn(ids[i]);
            assertEq(all[all.length - 1].liens, owed.length);
            bytes32 root = owed.length == 0 ? bytes32(0) : keccak256(abi.encode(owed));
            assertEq(all[all.length - 1].lienRoot, root);
        }
    }

    function invariant_a_retired_parcel_never_lives_again() public view {
        bytes32[] memory ids = office.idsOf();
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            for (uint256 j = 0; j + 1 < all.length; ++j) {
                assertTrue(all[j].status != 3, "alive after its end");
            }
        }
    }

    function invariant_a_frozen_title_is_left_alone_but_by_court_and_creditor() public view {
        bytes32[] memory ids = office.idsOf();
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            for (uint256 j = 0; j + 1 < all.length; ++j) {
                uint8 next = all[j + 1].action;
                if (all[j].status == 2) assertTrue(next == 5 || next == 7 || next == 8, "frozen");
                if (all[j].status == 4) assertTrue(next == 12 || next == 13 || next == 14, "pending");
            }
        }
    }

    function windowOf(LandRegister.LandEntry memory entry) private view returns (uint256) {
        if (entry.action == 8) return 30 days;
        return entry.action == 3 ? register.coolingOff() : 0;
    }

    function invariant_a_title_has_another_holder_only_after_the_window() public view {
        bytes32[] memory ids = office.idsOf();
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            address holder = all[0].holder;
            for (uint256 j = 0; j < all.length; ++j) {
                assertTrue((all[j].status == 4) == (windowOf(all[j]) != 0), "what has a window waits");
                if (all[j].status == 4) continue;
                if (all[j].action == 12) {
                    assertTrue(all[j].time >= all[j - 1].time + windowOf(all[j - 1]), "within the window");
                } else if (all[j].action != 3) {
                    assertEq(all[j].holder, holder);
                }
                holder = all[j].holder;
            }
        }
    }

    function invariant_what_is_stopped_never_was() public view {
        bytes32[] memory ids = office.idsOf();
        for (uint256 i = 0; i < ids.length; ++i) {
            LandRegister.LandEntry[] memory all = office.history(ids[i]);
            for (uint256 j = 2; j < all.length; ++j) {
                if (all[j].action == 14) {
                    assertEq(all[j - 1].action, 3);
                    assertTrue(all[j].time < all[j - 1].time + windowOf(all[j - 1]), "after the window");
                    assertEq(all[j].approvals, keccak256(""));
                }
                if (all[j].action == 13 || all[j].action == 14) assertEq(stateOf(all[j]), stateOf(all[j - 2]));
            }
        }
    }

    /// @dev What an entry says of the title, not of itself.
    function stateOf(LandRegister.LandEntry memory entry) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(entry.status, entry.digest, entry.holder, entry.area, entry.liens, entry.lienRoot)
            );
    }

    /// @dev Otherwise the rules above would hold of nothing.
    function test_the_office_does_everything() public {
        office.encumberOne(0, true);
        office.encumberOne(0, false);
        office.moveOne(0);
        settle();
        office.splitOne(0, 50);
        office.mergeTwo(4, 5);
        office.releaseOne(6, 3);
        office.retireOne(1);
        office.freezeOne(2);
        office.unfreezeOne(2);
        office.assignOne(2);
        office.withdrawOne(2);
        office.assignOne(2);
        office.completeOne(2, 30 days);
        for (uint8 action = 1; action <= 13; ++action) {
            if (action != 2) assertTrue(office.done(action) != 0, "never done");
        }
        everythingHolds();
    }

    /// @dev End the transfer that was asked for, if it waits.
    function settle() internal virtual {}

    function everythingHolds() internal view {
        invariant_no_lien_is_lost();
        invariant_no_area_is_won_or_lost();
        invariant_heads_form_one_chain_of_every_title();
        invariant_a_title_has_another_holder_only_after_the_window();
        invariant_what_is_stopped_never_was();
    }
}
