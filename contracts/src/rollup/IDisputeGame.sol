// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice Where a dispute game stands.
enum GameStatus {
    /// Not resolved.
    IN_PROGRESS,
    /// The root claim is wrong, or nobody said in time that it is right.
    CHALLENGER_WINS,
    /// The root claim is taken as right.
    DEFENDER_WINS
}

/// @title A claim about an output root, as the OP `DisputeGameFactory` and `OptimismPortal2` see it
/// @dev OP's types `GameType`, `Claim`, `Hash` and `Timestamp` are here what they are in the ABI.
interface IDisputeGame {
    /// @notice The game was resolved.
    event Resolved(GameStatus indexed status);

    /// @notice Called once, by the factory, with the bond.
    function initialize() external payable;

    /// @notice Ends the game when it can end, and says how.
    function resolve() external returns (GameStatus);

    /// @notice When the game was created, in Unix seconds.
    function createdAt() external view returns (uint64);

    /// @notice When it was resolved, in Unix seconds; zero before.
    function resolvedAt() external view returns (uint64);

    /// @notice Where it stands.
    function status() external view returns (GameStatus);

    /// @notice Number of the game's kind.
    function gameType() external view returns (uint32);

    /// @notice Who created it.
    function gameCreator() external pure returns (address);

    /// @notice The output root claimed.
    function rootClaim() external pure returns (bytes32);

    /// @notice Hash of the L1 block before the one of the creation.
    function l1Head() external pure returns (bytes32);

    /// @notice What the creator said beside the root.
    function extraData() external pure returns (bytes memory);

    /// @notice What the factory knows the game by.
    function gameData() external view returns (uint32 gameType, bytes32 rootClaim, bytes memory extraData);
}
