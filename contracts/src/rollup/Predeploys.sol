// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Addresses that the rollup contracts know each other by
library Predeploys {
    /// @notice Sender of the L1-attributes transaction. Nobody holds its key.
    address internal constant DEPOSITOR_ACCOUNT = 0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001;
    /// @notice What L2 knows of L1.
    address internal constant L1_BLOCK = 0x4200000000000000000000000000000000000015;
    /// @notice Receiver of the base fees.
    address internal constant BASE_FEE_VAULT = 0x4200000000000000000000000000000000000019;
    /// @notice Stands for ether where a token's address is asked for.
    address internal constant ETHER = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;
}
