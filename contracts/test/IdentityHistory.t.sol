// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IdentityHistory} from "../IdentityHistory.sol";
import {IdentityRegister} from "../IdentityRegister.sol";
import {Register} from "../Register.sol";
import {IdentityFixture} from "./IdentityFixture.sol";

/// @dev Sends random changes, good and bad ones, and keeps the whole history, which the register itself does not.
contract IdentityOffice is IdentityFixture {
    uint256 public constant IDENTITIES = 3;
    uint256 public constant CONTROLLERS = 4;

    mapping(bytes32 recordId => IdentityHistory.IdentityEntry[]) private histories;
    /// @dev A change was recorded or refused against what the rules say.
    bool public wrong;
    /// @dev How often each action was recorded.
    mapping(uint8 action => uint256) public recorded;

    function registerAddress() external view returns (IdentityRegister) {
        return identities;
    }

    function history(bytes32 id) external view returns (IdentityHistory.IdentityEntry[] memory) {
        return histories[id];
    }

    function idOf(uint256 index) public pure returns (bytes32) {
        return identity(index % IDENTITIES).recordId;
    }

    function controllerKey(uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("one of the controllers", index % CONTROLLERS)));
    }

    function issueOne(uint256 index, uint256 controller, uint256 approvers, uint24 valid) external {
        change.deadline = block.timestamp;
        change.approvers = approvers % 8 < 2 ? approvers % 8 : 2 + (approvers % 2);
        IdentityRegister.Identity[] memory given = new IdentityRegister.Identity[](1);
        given[0] = identity(index % IDENTITIES);
        given[0].controller = vm.addr(controllerKey(controller));
        given[0].validUntil = uint40(block.timestamp + (valid % 8 == 0 ? 0 : 20 days + uint256(valid)));
        bool good = histories[given[0].recordId].length == 0 && change.approvers >= 2 && valid % 8 != 0;
        if (sent(issueCall(given), good, ISSUE)) histories[given[0].recordId].push(firstEntry(given[0]));
    }

    /// @dev Who takes part in a change. `late` sends it after its deadline, `stale` shows the oldest entry as current.
    struct Attempt {
        uint256 index;
        uint8 action;
        uint256 approvers;
        uint256 controller;
        uint256 oldKey;
        uint256 newKey;
        uint24 valid;
        uint24 wait;
        bool stale;
        bool late;
    }

    function changeOne(Attempt memory attempt) external {
        vm.warp(block.timestamp + attempt.wait / 64);
        recordId = idOf(attempt.index);
        IdentityHistory.IdentityEntry[] storage all = histories[recordId];
        if (all.length == 0) return;
        uint8 action = RENEW + (attempt.action % 8);
        IdentityHistory.IdentityEntry memory newest = all[all.length - 1];
        // Half of the attempts are by the right keys, so that histories grow.
        bool stale = attempt.stale && attempt.approvers % 4 == 0;
        current = stale ? all[0] : newest;
        before = all.length > 1 ? all[all.length - 2] : newest;
        prepare(attempt, newest);
        if (attempt.late && attempt.approvers % 4 == 1) change.deadline = block.timestamp - 1;
        bool good = allowed(action, newest) && hashOf(current) == hashOf(newest);
        bytes memory data = callOf(action);
        IdentityHistory.IdentityEntry memory wanted = next(action);
        if (sent(data, good, action)) all.push(wanted);
    }

    function prepare(Attempt memory attempt, IdentityHistory.IdentityEntry memory newest) private {
        uint256 newKey = controllerKey(attempt.controller);
        change.digest = attempt.valid % 16 == 1 ? bytes32(0) : keccak256(abi.encode(attempt.valid, attempt.index));
        change.controller = attempt.controller % 16 == 0 ? address(0) : vm.addr(newKey);
        change.validUntil = uint40(block.timestamp + (attempt.valid % 8 == 0 ? 0 : attempt.valid));
        change.deadline = block.timestamp;
        change.approvers = attempt.approvers % 8 < 2 ? attempt.approvers % 8 : 2 + (attempt.approvers % 2);
        change.newKey = attempt.newKey % 4 == 0 ? controllerKey(attempt.newKey / 4) : newKey;
        change.oldKey = controllerKey(attempt.oldKey);
        for (uint256 i = 0; i < CONTROLLERS && attempt.oldKey % 4 != 0; ++i) {
            address inForce = newest.status == RECOVERING ? before.controller : newest.controller;
            if (vm.addr(controllerKey(i)) == inForce) change.oldKey = controllerKey(i);
        }
    }

    /// @dev The rules, once more, in the words of the protocol.
    function allowed(uint8 action, IdentityHistory.IdentityEntry memory newest) private view returns (bool) {
        uint8 status = newest.status;
        address oldSigner = vm.addr(change.oldKey);
        bool inTime = change.deadline >= block.timestamp;
        bool over = block.timestamp >= uint256(newest.time) + DELAY;
        if (action == CONFIRM) return status == RECOVERING && over;
        if (action == VETO) return status == RECOVERING && !over && inTime && oldSigner == before.controller;
        if (!inTime || change.approvers < 2) return false;
        if (action == RENEW) return status == ACTIVE && change.digest != 0 && change.validUntil > block.timestamp;
        if (action == SUSPEND) return status == ACTIVE;
        if (action == REINSTATE) return status == SUSPENDED;
        if (action == REVOKE) return status != REVOKED;
        if (change.controller == address(0) || change.controller == newest.controller) return false;
        if (action == RECOVER) return status == ACTIVE || status == SUSPENDED;
        return status == ACTIVE && block.timestamp < newest.validUntil && oldSigner == newest.controller
            && vm.addr(change.newKey) == change.controller;
    }

    function sent(bytes memory data, bool good, uint8 action) private returns (bool done) {
        (done, ) = address(identities).call(data);
        if (done != good) wrong = true;
        if (done) ++recorded[action];
    }
}

contract IdentityHistoryTest is IdentityFixture {
    IdentityOffice private office;

    function setUp() public override {
        office = new IdentityOffice();
        office.setUp();
        identities = office.registerAddress();
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
        bytes4[] memory selectors = new bytes4[](4);
        (selectors[0], selectors[1]) = (IdentityOffice.issueOne.selector, IdentityOffice.changeOne.selector);
        (selectors[2], selectors[3]) = (selectors[1], selectors[1]);
        targets[0] = FuzzSelector(address(office), selectors);
    }

    function invariant_a_change_is_recorded_if_and_only_if_the_rules_allow_it() public view {
        assertTrue(!office.wrong(), "recorded or refused wrongly");
    }

    function invariant_the_head_commits_to_the_whole_history() public view {
        for (uint256 i = 0; i < office.IDENTITIES(); ++i) {
            IdentityHistory.IdentityEntry[] memory all = office.history(office.idOf(i));
            bytes32 head = 0;
            for (uint256 j = 0; j < all.length; ++j) {
                assertEq(all[j].previous, head);
                assertEq(all[j].sequence, j + 1);
                assertTrue(j == 0 || all[j].time >= all[j - 1].time, "time");
                head = hashOf(all[j]);
            }
            assertEq(identities.headOf(office.idOf(i)), head);
        }
    }

    function invariant_a_revoked_identity_never_lives() public view {
        for (uint256 i = 0; i < office.IDENTITIES(); ++i) {
            IdentityHistory.IdentityEntry[] memory all = office.history(office.idOf(i));
            for (uint256 j = 0; j + 1 < all.length; ++j) {
                assertTrue(all[j].status != REVOKED, "changed after its end");
            }
        }
    }

    /// @dev A recovery that is revoked ends with the identity: nobody is in force then.
    function invariant_control_passes_only_by_a_rotation_or_a_confirmed_recovery() public view {
        for (uint256 i = 0; i < office.IDENTITIES(); ++i) {
            IdentityHistory.IdentityEntry[] memory all = office.history(office.idOf(i));
            address inForce = all.length == 0 ? address(0) : all[0].controller;
            for (uint256 j = 1; j < all.length && all[j].status != REVOKED; ++j) {
                if (all[j].status == RECOVERING) {
                    assertEq(all[j].action, RECOVER);
                    continue;
                }
                if (all[j].action == ROTATE) inForce = all[j].controller;
                if (all[j].action == CONFIRM) {
                    assertTrue(all[j].time >= all[j - 1].time + DELAY, "too early");
                    inForce = all[j].controller;
                }
                assertEq(all[j].controller, inForce);
            }
        }
    }

    function invariant_content_and_end_change_only_by_renewal() public view {
        for (uint256 i = 0; i < office.IDENTITIES(); ++i) {
            IdentityHistory.IdentityEntry[] memory all = office.history(office.idOf(i));
            for (uint256 j = 1; j < all.length; ++j) {
                if (all[j].action == RENEW) continue;
                assertEq(all[j].digest, all[j - 1].digest);
                assertEq(all[j].validUntil, all[j - 1].validUntil);
            }
        }
    }

    /// @dev Otherwise the rules above would hold of nothing: a seeded walk in which every action is recorded.
    function test_the_office_does_record_every_action() public {
        for (uint256 i = 0; i < 1500; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            if (i % 200 < 3) office.issueOne(i, seed, 2, 9);
            IdentityOffice.Attempt memory attempt = IdentityOffice.Attempt(
                seed,
                uint8(seed >> 8),
                seed >> 16,
                seed >> 24,
                seed >> 32,
                seed >> 40,
                uint24(seed >> 48),
                uint24(seed >> 72),
                seed % 5 == 0,
                seed % 3 == 0
            );
            // The end of an identity comes late in the walk.
            if (i < 1000 && attempt.action % 8 == REVOKE - RENEW) attempt.action = 2;
            office.changeOne(attempt);
        }
        for (uint8 action = ISSUE; action <= REVOKE; ++action) {
            assertTrue(office.recorded(action) > 0, "an action that was never recorded");
        }
        assertTrue(!office.wrong(), "recorded or refused wrongly");
    }
}
