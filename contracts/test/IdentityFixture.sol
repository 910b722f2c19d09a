// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IdentityHistory} from "../IdentityHistory.sol";
import {IdentityRegister} from "../IdentityRegister.sol";
import {Register} from "../Register.sol";
import {Fixture} from "./Fixture.sol";

/// @dev A register of identities, one identity in it, and calls that change it. The structs that are signed are written
/// out again here.
abstract contract IdentityFixture is Fixture {
    uint8 internal constant ISSUE = 1;
    uint8 internal constant RENEW = 2;
    uint8 internal constant ROTATE = 3;
    uint8 internal constant RECOVER = 4;
    uint8 internal constant CONFIRM = 5;
    uint8 internal constant VETO = 6;
    uint8 internal constant SUSPEND = 7;
    uint8 internal constant REINSTATE = 8;
    uint8 internal constant REVOKE = 9;
    uint8 internal constant ACTIVE = 1;
    uint8 internal constant SUSPENDED = 2;
    uint8 internal constant REVOKED = 3;
    uint8 internal constant RECOVERING = 4;

    uint40 internal constant DELAY = 1 days;
    uint40 internal constant VALID_UNTIL = uint40(START + 365 days);
    uint256 internal constant OLD_KEY = uint256(keccak256("old controller"));
    uint256 internal constant NEW_KEY = uint256(keccak256("new controller"));

    /// @dev What the next call asks for, and with which keys the two controllers sign it.
    struct Change {
        bytes32 digest;
        address controller;
        uint40 validUntil;
        uint256 deadline;
        uint256 approvers;
        uint256 oldKey;
        uint256 newKey;
    }

    struct Signed {
        bytes oldSignature;
        bytes newSignature;
        Register.Approval[] approvals;
    }

    IdentityRegister internal identities;
    bytes32 internal recordId;
    /// @dev The identity's newest entry and the one before it.
    IdentityHistory.IdentityEntry internal current;
    IdentityHistory.IdentityEntry internal before;
    Change internal change;

    function setUp() public virtual override {
        super.setUp();
        identities = new IdentityRegister(authority, DELAY);
        authority.setPolicy(address(identities), REGISTRAR, 2);
        change = Change(
            keccak256("new content"), vm.addr(NEW_KEY), VALID_UNTIL + 1, START + 9999 days, 2, OLD_KEY, NEW_KEY
        );
    }

    // What is signed

    function signedData(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("IdentityRegister"),
                keccak256("1"),
                block.chainid,
                address(identities)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function issueStruct(IdentityRegister.Identity[] memory given, uint256 deadline) internal pure returns (bytes32) {
        string memory member = "Identity(bytes32 recordId,bytes32 digest,address controller,uint40 validUntil)";
        string memory types = string.concat("IssueIdentities(Identity[] identities,uint256 deadline)", member);
        bytes memory hashes;
        for (uint256 i = 0; i < given.length; ++i) {
            hashes = bytes.concat(hashes, keccak256(abi.encode(keccak256(bytes(member)), given[i])));
        }
        return keccak256(abi.encode(keccak256(bytes(types)), keccak256(hashes), deadline));
    }

    function structOf(uint8 action, bytes32 head) internal view returns (bytes32) {
        if (action == RENEW) {
            bytes memory types =
                "RenewIdentity(bytes32 recordId,bytes32 head,bytes32 digest,uint40 validUntil,uint256 deadline)";
            return
                keccak256(
                    abi.encode(
                        keccak256(types), recordId, head, change.digest, change.validUntil, change.deadline
                    )
                );
        }
        if (action == ROTATE || action == RECOVER) {
            string memory name = action == ROTATE ? "RotateController" : "RecoverIdentity";
            string memory types = "(bytes32 recordId,bytes32 head,address controller,uint256 deadline)";
            bytes32 typehash = keccak256(bytes(string.concat(name, types)));
            return keccak256(abi.encode(typehash, recordId, head, change.controller, change.deadline));
        }
        return keccak256(abi.encode(keccak256(plainType(action)), recordId, head, change.deadline));
    }

    function plainType(uint8 action) private pure returns (bytes memory) {
        string memory name = action == SUSPEND
            ? "SuspendIdentity"
            : action == REINSTATE ? "ReinstateIdentity" : action == REVOKE ? "RevokeIdentity" : "VetoRecovery";
        return bytes(string.concat(name, "(bytes32 recordId,bytes32 head,uint256 deadline)"));
    }

    function sign(uint8 action) internal view returns (Signed memory signed) {
        bytes32 digest = signedData(structOf(action, hashOf(current)));
        signed.oldSignature = signature(change.oldKey, digest);
        signed.newSignature = signature(change.newKey, digest);
        signed.approvals = approve(keysOf(change.approvers), digest);
    }

    // What is sent

    function callOf(uint8 action, Signed memory signed) internal view returns (bytes memory) {
        if (action == RENEW) {
            return
                abi.encodeCall(
                    IdentityRegister.renew,
                    (recordId, current, change.digest, change.validUntil, change.deadline, signed.approvals)
                );
        }
        if (action == ROTATE) return rotateCall(signed);
        if (action == RECOVER) {
            return
                abi.encodeCall(
                    IdentityRegister.recover, (recordId, current, change.controller, change.deadline, signed.approvals)
                );
        }
        if (action == CONFIRM) return abi.encodeCall(IdentityRegister.confirm, (recordId, current, before));
        if (action == VETO) {
            return
                abi.encodeCall(
                    IdentityRegister.veto, (recordId, current, before, change.deadline, signed.oldSignature)
                );
        }
        bytes4 selector = action == SUSPEND
            ? IdentityRegister.suspend.selector
            : action == REINSTATE ? IdentityRegister.reinstate.selector : IdentityRegister.revoke.selector;
        return abi.encodeWithSelector(selector, recordId, current, change.deadline, signed.approvals);
    }

    function rotateCall(Signed memory signed) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IdentityRegister.rotate.selector,
                recordId,
                current,
                change.controller,
                change.deadline,
                signed.oldSignature,
                signed.newSignature,
                signed.approvals
            );
    }

    function callOf(uint8 action) internal view returns (bytes memory) {
        return callOf(action, sign(action));
    }

    // What comes of it

    function hashOf(IdentityHistory.IdentityEntry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encode(entry));
    }

    /// @dev The entry that an action makes of the current one.
    function next(uint8 action) internal view returns (IdentityHistory.IdentityEntry memory entry) {
        entry = current;
        entry.previous = hashOf(current);
        entry.sequence += 1;
        entry.time = uint40(block.timestamp);
        entry.action = action;
        entry.approvals = action == CONFIRM || action == VETO ? keccak256("") : packedHash(keysOf(change.approvers));
        if (action == RENEW) (entry.digest, entry.validUntil) = (change.digest, change.validUntil);
        if (action == ROTATE || action == RECOVER) entry.controller = change.controller;
        if (action == RECOVER) entry.status = RECOVERING;
        if (action == CONFIRM || action == VETO) entry.status = before.status;
        if (action == VETO) entry.controller = before.controller;
        if (action == SUSPEND) entry.status = SUSPENDED;
        if (action == REINSTATE) entry.status = ACTIVE;
        if (action == REVOKE) entry.status = REVOKED;
    }

    function accept(uint8 action) internal {
        acceptCall(action, callOf(action));
    }

    function acceptCall(uint8 action, bytes memory data) internal {
        IdentityHistory.IdentityEntry memory wanted = next(action);
        (bool done, bytes memory answer) = address(identities).call(data);
        assertTrue(done, string(answer));
        assertEq(identities.headOf(recordId), hashOf(wanted));
        before = current;
        current = wanted;
    }

    function refuse(uint8 action, bytes memory problem) internal {
        refuseCall(callOf(action), problem);
    }

    function refuseCall(bytes memory data, bytes memory problem) internal {
        bytes32 head = identities.headOf(recordId);
        (bool done, bytes memory answer) = address(identities).call(data);
        assertTrue(!done, "refused");
        assertEq(keccak256(answer), keccak256(problem));
        assertEq(identities.headOf(recordId), head);
    }

    // What there is to begin with

    function identity(uint256 number) internal pure returns (IdentityRegister.Identity memory) {
        bytes32 id = keccak256(abi.encode("random", number));
        return
            IdentityRegister.Identity(
                id, keccak256(abi.encode("content", number)), vm.addr(OLD_KEY), VALID_UNTIL
            );
    }

    function several(uint256 count) internal pure returns (IdentityRegister.Identity[] memory given) {
        given = new IdentityRegister.Identity[](count);
        for (uint256 i = 0; i < count; ++i) {
            given[i] = identity(i + 1);
        }
    }

    function issueCall(IdentityRegister.Identity[] memory given) internal view returns (bytes memory) {
        bytes32 digest = signedData(issueStruct(given, change.deadline));
        Register.Approval[] memory approvals = approve(keysOf(change.approvers), digest);
        return abi.encodeCall(IdentityRegister.issue, (given, change.deadline, approvals));
    }

    function firstEntry(IdentityRegister.Identity memory ours)
        internal
        view
        returns (IdentityHistory.IdentityEntry memory)
    {
        uint40 time = uint40(block.timestamp);
        bytes32 approvals = packedHash(keysOf(change.approvers));
        return
            IdentityHistory.IdentityEntry(
                0, 1, time, ISSUE, ACTIVE, ours.digest, approvals, ours.controller, ours.validUntil
            );
    }

    /// @dev Record the first identity, which the calls are about.
    function begin() internal {
        IdentityRegister.Identity[] memory given = several(1);
        (bool done, bytes memory answer) = address(identities).call(issueCall(given));
        assertTrue(done, string(answer));
        (recordId, current) = (given[0].recordId, firstEntry(given[0]));
        vm.warp(START + 60);
    }

    /// @dev Bring the identity into the state in which an action is allowed.
    function beginFor(uint8 action) internal {
        begin();
        if (action == REINSTATE) accept(SUSPEND);
        if (action == CONFIRM || action == VETO) accept(RECOVER);
        vm.warp(block.timestamp + (action == CONFIRM ? DELAY : 60));
    }
}
