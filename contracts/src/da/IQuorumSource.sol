// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title What a certificate verifier reads of a registry
interface IQuorumSource {
    /// @notice The quorum of an epoch. Never reverts.
    /// @return first First chunk of its snapshot (`QuorumCode`); zero if there is none.
    /// @return seed Seed of its slots; zero if it is not drawn.
    /// @return end Unix seconds up to which certificates of the epoch can be valid.
    function quorum(uint64 epoch) external view returns (address first, bytes32 seed, uint256 end);

    /// @notice Second chunk of the snapshot; zero if there is none.
    function secondChunk(uint64 epoch) external view returns (address);
}
