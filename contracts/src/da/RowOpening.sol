// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title An element of a row, proven by a KZG opening
/// @notice A row is an EIP-4844 blob: its polynomial has element `column` as its value at the root
/// of unity of that place in blob order, and the precompile 0x0a checks the opening.
library RowOpening {
    /// @notice Less gas was left than the precompile takes.
    error TooLittleGas(uint256 left, uint256 needed);

    /// @notice Elements of a blob.
    uint256 internal constant COLUMNS = 4096;
    /// @notice Bytes of a commitment, and of a proof.
    uint256 internal constant POINT_LENGTH = 48;

    uint256 private constant COLUMNS_LOG = 12;
    /// @dev The scalar field of BLS12-381, and its root of unity 7^((modulus - 1) / 4096).
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant ROOT = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;
    /// @dev Refused input consumes all gas given, so that the call gets its price and no more.
    uint256 private constant OPENING_GAS = 50_000;
    uint256 private constant OPENING_NEEDED = OPENING_GAS * 64 / 63 + 1000;

    /// @notice Whether the row with this versioned hash has `element` at `column`. No input makes it
    /// revert; too little gas does.
    function verify(
        bytes32 versionedHash,
        uint256 column,
        bytes32 element,
        bytes calldata commitment,
        bytes calldata proof
    ) internal view returns (bool valid) {
        if (column >= COLUMNS || commitment.length != POINT_LENGTH || proof.length != POINT_LENGTH) return false;
        if (gasleft() < OPENING_NEEDED) revert TooLittleGas(gasleft(), OPENING_NEEDED);
        bytes memory input = abi.encodePacked(versionedHash, point(column), element, commitment, proof);
        assembly ("memory-safe") {
            valid := staticcall(OPENING_GAS, 0x0a, add(input, 0x20), mload(input), 0, 0)
        }
    }

    /// @notice Where the polynomial of a row takes the value of `column`: the root of unity to the
    /// power of the column with its twelve bits reversed.
    function point(uint256 column) internal pure returns (bytes32) {
        uint256 power = ROOT;
        uint256 result = 1;
        // Bit i of the reversed column is bit 11 - i of the column.
        for (uint256 i = COLUMNS_LOG; i > 0; --i) {
            if (column >> (i - 1) & 1 == 1) result = mulmod(result, power, MODULUS);
            power = mulmod(power, power, MODULUS);
        }
        return bytes32(result);
    }
}
