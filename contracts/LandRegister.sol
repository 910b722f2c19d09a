// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Authority} from "./Authority.sol";
import {LandCourt} from "./LandCourt.sol";
import {LandParcels} from "./LandParcels.sol";
import {Register} from "./Register.sol";

/// @title LandRegister
/// @notice Titles to land: one for each parcel, for ever. Only hashes are kept; the events hold the entries.
contract LandRegister is LandCourt, LandParcels {
    constructor(Authority authority_) Register(authority_) EIP712("LandRegister", "1") {}
}
