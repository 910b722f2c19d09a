// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bundle
/// @notice Several calls of one register in one transaction, in order, all or none. It has no authority and keeps
/// nothing: a register asks who has signed a change and never who sends it, so anybody may use this for anything.
contract Bundle {
    error CallFailed(uint256 index, bytes reason);
    error NoCode(address register);

    /// @notice Call `register` with each of `calls`. The first that reverts undoes them all.
    function send(address register, bytes[] calldata calls) external {
        // A call of an address without code succeeds, and would record nothing.
        if (register.code.length == 0) revert NoCode(register);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done, bytes memory reason) = register.call(calls[i]);
            if (!done) revert CallFailed(i, reason);
        }
    }
}
