// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The header of a matrix of rows, 90 bytes
/// @notice
/// ```
///  0 version 1 │ 1 layout 0 = rows │ 2 class 0 = KZG │ 3 codec 1 = 31 bytes per element
///  4 rows (2) │ 6 columns (2) │ 8 expansion 4 │ 9 payload length in bytes (4)
/// 13 hashes root (32) │ 45 payer (20) │ 65 reservation (8)
/// 73 epoch (8) │ 81 quorum 0 │ 82 expiry in Unix seconds (8)
/// ```
/// Integers are big-endian. Every function reads calldata that the caller has found to be at least
/// `LENGTH` bytes long.
library DaHeader {
    /// @notice Bytes of a header.
    uint256 internal constant LENGTH = 90;
    /// @notice Rows of the extended matrix for each original row.
    uint256 internal constant EXPANSION = 4;
    /// @notice The only quorum there is.
    uint256 internal constant QUORUM = 0;

    /// @dev Version, layout, class and codec, the first four bytes.
    uint256 private constant FORMAT = 0x01000001;
    uint256 private constant ROWS_MAX = 256;
    uint256 private constant COLUMNS_MAX = 4096;
    uint256 private constant BYTES_PER_ELEMENT = 31;

    /// @notice Whether version, layout, class, codec and expansion are those of this library.
    function isSupported(bytes calldata header) internal pure returns (bool) {
        uint256 start = _first(header);
        return start >> 224 == FORMAT && uint8(start >> 184) == EXPANSION;
    }

    /// @notice Whether there are matrices of these rows and columns that hold this payload.
    function isShaped(bytes calldata header) internal pure returns (bool) {
        uint256 start = _first(header);
        uint256 rows_ = uint16(start >> 208);
        uint256 columns_ = uint16(start >> 192);
        uint256 length = uint32(start >> 152);
        unchecked {
            // Zero less one has all bits, but zero rows hold no payload; 16 bits each do not overflow.
            return rows_ & (rows_ - 1) == 0 && rows_ <= ROWS_MAX && columns_ <= COLUMNS_MAX && length != 0
                && length <= BYTES_PER_ELEMENT * rows_ * columns_;
        }
    }

    /// @notice Number of original rows, `R`.
    function rows(bytes calldata header) internal pure returns (uint16) {
        return uint16(_first(header) >> 208);
    }

    /// @notice Merkle root over the versioned hashes of the original rows.
    function hashesRoot(bytes calldata header) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            root := calldataload(add(header.offset, 13))
        }
    }

    /// @notice Epoch whose operators sign.
    function epoch(bytes calldata header) internal pure returns (uint64) {
        return uint64(_tail(header) >> 72);
    }

    /// @notice Quorum whose operators sign.
    function quorum(bytes calldata header) internal pure returns (uint8) {
        return uint8(_tail(header) >> 64);
    }

    /// @notice Unix seconds until which rows are kept.
    function expiry(bytes calldata header) internal pure returns (uint64) {
        return uint64(_tail(header));
    }

    /// @notice The header hash: keccak256 of its 90 bytes.
    function hash(bytes calldata header) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            calldatacopy(place, header.offset, LENGTH)
            result := keccak256(place, LENGTH)
        }
    }

    /// @dev Bytes 0 to 31.
    function _first(bytes calldata header) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(header.offset)
        }
    }

    /// @dev Bytes 58 to 89, the last 32.
    function _tail(bytes calldata header) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(header.offset, 58))
        }
    }
}
