// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Slots of a header and who holds them
/// @notice A header with `R` rows has the smallest multiple of `4R` slots that is at least the
/// number of operators. An operator holds the slots between the borders at the stake before it and
/// at the stake up to it. With `offset = seed mod total` each count is within one of the exact share
/// and is the exact share on average over seeds.
library Slots {
    /// @dev Rows of the extended matrix for each original row.
    uint256 private constant EXPANSION = 4;

    /// @notice Number of slots, `S`.
    function count(uint256 rows, uint256 operators) internal pure returns (uint256) {
        unchecked {
            // At most 256 rows and 2^16 operators.
            uint256 multiple = EXPANSION * rows;
            return (operators + multiple - 1) / multiple * multiple;
        }
    }

    /// @notice The first slot behind those of the operators with `stakeUpTo` in all.
    /// @dev Stakes are below 2^96 and slots below 2^17.
    function border(uint256 slots, uint256 stakeUpTo, uint256 offset, uint256 total) internal pure returns (uint256) {
        unchecked {
            return (slots * stakeUpTo + offset) / total;
        }
    }

    /// @notice Whether `signed` of `slots` certify: two thirds or more.
    function suffice(uint256 signed, uint256 slots) internal pure returns (bool) {
        return 3 * signed >= 2 * slots;
    }
}
