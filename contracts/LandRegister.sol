// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Authority} from "./Authority.sol";
import {LandParcels} from "./LandParcels.sol";
import {LandPending} from "./LandPending.sol";
import {LandTitles} from "./LandTitles.sol";
import {Register} from "./Register.sol";

/// @title LandRegister
/// @notice Titles to land: one for each parcel, for ever. Only hashes are kept; the events hold the entries.
contract LandRegister is LandPending, LandParcels {
    /// @param coolingOff_ Seconds for which a holder may object to a transfer, zero for none.
    constructor(Authority authority_, uint256 coolingOff_)
        Register(authority_)
        LandTitles(coolingOff_)
        EIP712("LandRegister", "1")
    {}
}
