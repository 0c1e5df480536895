// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The clock of the DA network
/// @notice Epoch 0 lasts until one epoch length after genesis, and covers all time before it too.
abstract contract Epochs {
    /// @notice The length of an epoch, or the genesis, is out of its range.
    error InvalidClock(uint256 genesisTime, uint256 epochLength, uint256 certificateLifetime);

    uint256 private constant EPOCH_LENGTH_MIN = 10 seconds;
    uint256 private constant EPOCH_LENGTH_MAX = 30 days;
    uint256 private constant CERTIFICATE_LIFETIME_MAX = 365 days;

    /// @notice Unix seconds at which epoch 0 begins.
    uint256 public immutable GENESIS_TIME;
    /// @notice Seconds of an epoch.
    uint256 public immutable EPOCH_LENGTH;
    /// @notice Seconds after the end of its epoch for which a certificate can be valid. No stake of
    /// an epoch's operators is paid out before, so that no key without stake certifies anything.
    uint256 public immutable CERTIFICATE_LIFETIME;

    constructor(uint256 genesisTime, uint256 epochLength, uint256 certificateLifetime) {
        if (
            genesisTime > type(uint32).max || epochLength < EPOCH_LENGTH_MIN || epochLength > EPOCH_LENGTH_MAX
                || certificateLifetime < epochLength || certificateLifetime > CERTIFICATE_LIFETIME_MAX
        ) revert InvalidClock(genesisTime, epochLength, certificateLifetime);
        GENESIS_TIME = genesisTime;
        EPOCH_LENGTH = epochLength;
        CERTIFICATE_LIFETIME = certificateLifetime;
    }

    /// @notice The epoch of the current block.
    function currentEpoch() public view returns (uint64) {
        if (block.timestamp < GENESIS_TIME) return 0;
        return uint64((block.timestamp - GENESIS_TIME) / EPOCH_LENGTH);
    }

    /// @notice Unix seconds at which `epoch` ends and the next one begins.
    function epochEnd(uint64 epoch) public view returns (uint256) {
        unchecked {
            // An epoch has 64 bits, its length 22.
            return GENESIS_TIME + (uint256(epoch) + 1) * EPOCH_LENGTH;
        }
    }

    /// @notice The last second, in Unix time, in which certificates of `epoch` can be valid.
    function certificatesEnd(uint64 epoch) public view returns (uint256) {
        unchecked {
            return epochEnd(epoch) + CERTIFICATE_LIFETIME;
        }
    }
}
