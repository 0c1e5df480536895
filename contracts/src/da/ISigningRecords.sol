// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Counts who signs certificates
interface ISigningRecords {
    /// @notice Counts a certificate of an epoch; `signers` is its bitmap.
    function recordSigning(uint64 epoch, bytes calldata signers) external;
}
