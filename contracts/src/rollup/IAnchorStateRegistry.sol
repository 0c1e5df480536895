// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The latest output root that a game was resolved in favour of: what a game asks OP's registry
interface IAnchorStateRegistry {
    /// @notice The anchor of a game type; zero before one was set.
    function anchors(uint32 gameType) external view returns (bytes32 root, uint256 l2BlockNumber);

    /// @notice Moves the anchor to the claim of the calling game, if that was resolved in its favour
    /// and is later.
    function tryUpdateAnchorState() external;
}
