// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../Authority.sol";
import {BatchRegister} from "../../BatchRegister.sol";
import {IdentityRegister} from "../../IdentityRegister.sol";
import {LandPending} from "../../LandPending.sol";
import {LandRegister} from "../../LandRegister.sol";
import {Register} from "../../Register.sol";
import {Symbolic} from "./Symbolic.sol";

/// @dev A head changes only if the authority agrees. Here it never does: it has no rule for the register. Arbitrary: the
/// function that is called, all that it is given (arrays of one, signatures of 65 bytes), all heads, the time, the sender.
abstract contract RefusalTest is Symbolic {
    Authority internal authority = new Authority(address(this));
    Register internal register;

    function setUp() public {
        register = deploy();
        svm.enableSymbolicStorage(address(register));
    }

    function deploy() internal virtual returns (Register);

    function callAnything(string memory name) internal returns (bytes4 selector, bool changed) {
        warpToAnyTime();
        bytes32 recordId = svm.createBytes32("recordId");
        bytes32 head = register.headOf(recordId);
        bytes memory data = svm.createCalldata(name);
        callFromAnyone(address(register), data);
        return (bytes4(data), register.headOf(recordId) != head);
    }
}

contract LandRefusalTest is RefusalTest {
    function deploy() internal override returns (Register) {
        return new LandRegister(authority, 7 days);
    }

    /// @dev An objection, which no registrar approves, has rules of its own: LandHeads.
    function check_no_head_of_land_changes_without_the_authority() public {
        (bytes4 selector, bool changed) = callAnything("LandRegister");
        assert(selector == LandPending.objectToTransfer.selector || !changed);
    }
}

contract IdentityRefusalTest is RefusalTest {
    function deploy() internal override returns (Register) {
        return new IdentityRegister(authority, 1 days);
    }

    /// @dev The two actions that no registrar approves have rules of their own: IdentityHeads.
    function check_no_head_of_an_identity_changes_without_the_authority() public {
        (bytes4 selector, bool changed) = callAnything("IdentityRegister");
        bool isAlone = selector == IdentityRegister.confirm.selector || selector == IdentityRegister.veto.selector;
        assert(isAlone || !changed);
    }

    function refute_confirm_and_veto_change_nothing() public {
        (, bool changed) = callAnything("IdentityRegister");
        assert(!changed);
    }
}

contract BatchRefusalTest is RefusalTest {
    function deploy() internal override returns (Register) {
        return new BatchRegister(authority);
    }

    function check_no_head_of_a_batch_changes_without_the_authority() public {
        (, bool changed) = callAnything("BatchRegister");
        assert(!changed);
    }
}
