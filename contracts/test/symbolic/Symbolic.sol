// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The cheatcodes of halmos that we use. Whatever they create is arbitrary.
interface Svm {
    function createUint(uint256 bits, string calldata name) external pure returns (uint256);
    function createBytes32(string calldata name) external pure returns (bytes32);
    function createAddress(string calldata name) external pure returns (address);
    function createBytes(uint256 size, string calldata name) external pure returns (bytes memory);
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
    function enableSymbolicStorage(address account) external;
}

interface Hevm {
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function warp(uint256 time) external;
}

/// @dev What the symbolic tests share. halmos runs functions whose names start with `check_`, forge does not.
abstract contract Symbolic {
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));
    Hevm internal constant vm = Hevm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev From an arbitrary sender.
    function callFromAnyone(address target, bytes memory data) internal returns (bool success) {
        vm.prank(svm.createAddress("sender"));
        (success, ) = target.call(data);
    }

    function warpToAnyTime() internal {
        vm.warp(svm.createUint(40, "time"));
    }
}
