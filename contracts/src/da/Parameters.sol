// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What the owner of the registry may set, within bounds.
struct Parameters {
    /// @notice Wei that an operator registers with at least.
    uint96 stakeMin;
    /// @notice Operators without which there is no snapshot.
    uint16 operatorsMin;
    /// @notice Signed share of the certificates below which an operator can be ejected, in
    /// hundredths of a percent.
    uint16 signingRateMin;
    /// @notice Completed epochs over which that share is taken: so many before the current one.
    uint8 signingWindow;
    /// @notice Certificates in the window without which nobody is ejected.
    uint32 certificatesMin;
    /// @notice Seconds after an ejection before which the operator cannot register again.
    uint32 rejoinDelay;
}

/// @title The bounds of the parameters
library ParameterBounds {
    /// @notice A parameter is out of its bounds.
    error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 min, uint256 max);

    /// @notice Hundredths of a percent in a whole.
    uint256 internal constant WHOLE = 10_000;
    /// @notice Operators that there can be at a time.
    uint256 internal constant OPERATORS_MAX = 200;

    /// @notice Reverts unless all values are within their bounds.
    /// @dev The signing rate is bounded below the threshold of certificates: the owner cannot have
    /// operators ejected that sign as often as certificates need them to.
    function check(Parameters memory parameters) internal pure {
        _check("stakeMin", parameters.stakeMin, 1 gwei, 100_000 ether);
        _check("operatorsMin", parameters.operatorsMin, 1, 100);
        _check("signingRateMin", parameters.signingRateMin, 0, WHOLE * 6 / 10);
        _check("signingWindow", parameters.signingWindow, 1, 16);
        _check("certificatesMin", parameters.certificatesMin, 10, 1_000_000);
        _check("rejoinDelay", parameters.rejoinDelay, 0, 90 days);
    }

    function _check(bytes32 name, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert ParameterOutOfBounds(name, value, min, max);
    }
}
