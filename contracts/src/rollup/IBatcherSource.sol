// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Who may append batches: the part of the OP SystemConfig that says it
interface IBatcherSource {
    /// @notice Versioned hash of the batcher; version 0 is its address.
    function batcherHash() external view returns (bytes32);
}
