// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {Epochs} from "./Epochs.sol";
import {ParameterBounds, Parameters} from "./Parameters.sol";
import {SigningRate} from "./SigningRate.sol";
import {Snapshots} from "./Snapshots.sol";

/// @title The operators of the DA network
/// @notice Registration and stakes are in `Operators`, epochs in `Epochs`, their quorums in
/// `Snapshots`, signing rates and ejection in `SigningRate`.
/// @dev The owner sets parameters within fixed bounds and names the recorders, no more: it moves no
/// stake, changes no snapshot and puts nobody in or out.
contract OperatorRegistry is SigningRate, Ownable2Step {
    /// @notice The owner set the parameters.
    event ParametersSet(Parameters parameters);
    /// @notice The owner allowed or forbade an account to report certificates.
    event RecorderSet(address indexed account, bool allowed);

    /// @param owner Account that sets parameters and recorders.
    /// @param genesisTime Unix seconds at which epoch 0 begins.
    /// @param epochLength Seconds of an epoch.
    /// @param certificateLifetime Seconds after the end of its epoch for which a certificate can be
    /// valid, one epoch or more.
    /// @param seedDelay Blocks from a snapshot to the block of its seed.
    constructor(
        address owner,
        uint256 genesisTime,
        uint256 epochLength,
        uint256 certificateLifetime,
        uint256 seedDelay,
        Parameters memory parameters_
    ) Epochs(genesisTime, epochLength, certificateLifetime) Snapshots(seedDelay) Ownable(owner) {
        _setParameters(parameters_);
    }

    /// @notice Sets the parameters.
    function setParameters(Parameters calldata parameters_) external onlyOwner {
        _setParameters(parameters_);
    }

    /// @notice Allows or forbids an account to report certificates.
    function setRecorder(address account, bool allowed) external onlyOwner {
        isRecorder[account] = allowed;
        emit RecorderSet(account, allowed);
    }

    /// @notice The parameters.
    function parameters() external view returns (Parameters memory) {
        return _parameters;
    }

    function _setParameters(Parameters memory parameters_) private {
        ParameterBounds.check(parameters_);
        _parameters = parameters_;
        emit ParametersSet(parameters_);
    }
}
