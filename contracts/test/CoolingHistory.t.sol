// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LandHistoryTest} from "./LandHistory.t.sol";
import {CoolingLandOffice, LandOffice} from "./LandOffice.sol";

/// @dev The same rules, of a register whose transfers wait.
contract CoolingHistoryTest is LandHistoryTest {
    function openOffice() internal override returns (LandOffice) {
        return new CoolingLandOffice();
    }

    /// @dev Objected to twice, withdrawn by the court, and at last completed.
    function settle() internal override {
        assertEq(office.done(14), 0);
        office.objectOne(0, 0);
        office.moveOne(0);
        office.objectOne(0, 7 days);
        office.objectOne(0, 7 days - 1);
        assertEq(office.done(14), 2);
        office.moveOne(0);
        office.withdrawOne(0);
        assertEq(office.done(13), 1);
        office.moveOne(0);
        office.completeOne(0, 7 days - 1);
        assertEq(office.done(12), 0);
        office.completeOne(0, 7 days);
        assertEq(office.done(12), 1);
    }
}
