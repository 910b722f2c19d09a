// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Authority} from "../../Authority.sol";
import {Register} from "../../Register.sol";
import {Symbolic} from "./Symbolic.sol";

/// @dev A register of nothing but the approval check.
contract ApprovalCheck is Register {
    constructor(Authority authority_) Register(authority_) EIP712("ApprovalCheck", "1") {}

    function approve(bytes32 structHash, uint256 deadline, Approval[] calldata given)
        external
        returns (bytes32 approvals, bytes32 digest)
    {
        return _approve(structHash, deadline, given);
    }

    function digestOf(bytes32 structHash) external view returns (bytes32) {
        return _hashTypedDataV4(structHash);
    }
}

/// @dev Arbitrary: what is signed, the deadline, the time, the sender, the signers, the signatures, who is a registrar.
/// ecrecover is an arbitrary function of its four words. Nobody has code: ERC-1271 is tested by forge.
contract ApprovalCheckTest is Symbolic {
    uint64 internal constant REGISTRAR = 7;
    uint256 internal constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    Authority internal authority;
    ApprovalCheck internal register;
    bytes32 internal structHash;
    uint256 internal deadline;
    bool internal approved;

    function setUp() public {
        authority = new Authority(address(this));
        register = new ApprovalCheck(authority);
        authority.setPolicy(address(register), REGISTRAR, 2);
        svm.enableSymbolicStorage(address(authority));
    }

    /// @dev `count` arbitrary approvals with signatures of `size` bytes, and what the register makes of them.
    function tryToApprove(uint256 count, uint256 size) internal returns (Register.Approval[] memory given) {
        warpToAnyTime();
        given = new Register.Approval[](count);
        for (uint256 i = 0; i < count; ++i) {
            given[i] = Register.Approval(svm.createAddress("signer"), svm.createBytes(size, "signature"));
            vm.assume(given[i].signer.code.length == 0);
        }
        structHash = svm.createBytes32("structHash");
        deadline = svm.createUint(256, "deadline");
        approved =
            callFromAnyone(address(register), abi.encodeCall(ApprovalCheck.approve, (structHash, deadline, given)));
    }

    function assertEntitled(Register.Approval[] memory given) internal view {
        (uint64 role, uint8 threshold) = authority.policyOf(address(register));
        assert(block.timestamp <= deadline);
        assert(threshold != 0 && given.length >= threshold);
        bytes32 digest = register.digestOf(structHash);
        for (uint256 i = 0; i < given.length; ++i) {
            address signer = given[i].signer;
            bytes memory signature = given[i].signature;
            assert(i == 0 || signer > given[i - 1].signer);
            (bool isMember, ) = authority.hasRole(role, signer);
            assert(isMember);
            (bytes32 r, bytes32 s, uint8 v) = (word(signature, 32), word(signature, 64), uint8(signature[64]));
            assert(signer != address(0) && ecrecover(digest, v, r, s) == signer && uint256(s) <= HALF_ORDER);
        }
    }

    function word(bytes memory data, uint256 offset) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := mload(add(data, offset))
        }
    }

    function check_what_one_approves_is_entitled() public {
        Register.Approval[] memory given = tryToApprove(1, 65);
        if (approved) assertEntitled(given);
    }

    function check_what_two_approve_is_entitled() public {
        Register.Approval[] memory given = tryToApprove(2, 65);
        if (approved) assertEntitled(given);
    }

    function check_what_three_approve_is_entitled() public {
        Register.Approval[] memory given = tryToApprove(3, 65);
        if (approved) assertEntitled(given);
    }

    function check_nobody_approves_nothing() public {
        tryToApprove(0, 65);
        assert(!approved);
    }

    function check_a_short_signature_approves_nothing() public {
        tryToApprove(2, 64);
        assert(!approved);
    }

    function check_a_long_signature_approves_nothing() public {
        tryToApprove(2, 66);
        assert(!approved);
    }

    /// @dev To be refuted: else the rules above hold because nothing is ever approved.
    function refute_two_approve_nothing() public {
        tryToApprove(2, 65);
        assert(!approved);
    }
}
