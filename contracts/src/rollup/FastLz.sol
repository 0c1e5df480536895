// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Length of data after FastLZ (level 1) compression
/// @notice The measure by which the protocol prices transaction data since Fjord. Nothing is
/// compressed: only the length that the compressor would reach is computed.
/// @dev Must agree with the execution client to the byte. Matches begin before the last 13 bytes,
/// lie at most 8191 bytes back and are found by a table of 8192 positions, one for each hash of
/// three bytes. A run of literals costs one byte for every 32; a match costs two bytes, or three
/// from nine bytes on, and is split every 262 bytes.
library FastLz {
    uint256 private constant TABLE_SLOTS = 8192;
    /// @dev Four bytes a slot, and room for the word that reads or writes the last one.
    uint256 private constant TABLE_BYTES = TABLE_SLOTS * 4 + 32;
    uint256 private constant WINDOW = 8192;
    uint256 private constant MATCH_MARGIN = 13;
    uint256 private constant HASH_FACTOR = 2654435769;

    /// @notice Bytes that `data` has once compressed.
    function compressedLength(bytes memory data) internal pure returns (uint256 size) {
        uint256 length = data.length;
        uint256 limit = length < MATCH_MARGIN ? 0 : length - MATCH_MARGIN;
        uint256 base = _start(data);
        uint256 table = _newTable();
        uint256 anchor;
        uint256 position = 2;
        // No sum below can exceed a few times the length of data that lies in memory.
        unchecked {
            while (position < limit) {
                uint256 found;
                (position, found) = _nextMatch(base, table, position, limit);
                if (position >= limit) break;
                size += _literals(position - anchor);
                uint256 matched = _matchLength(base + found + 3, base + position + 3, limit + 6 - position);
                size += _matches(matched);
                position += matched;
                _swap(table, _load3(base + position), position);
                ++position;
                _swap(table, _load3(base + position), position);
                ++position;
                anchor = position;
            }
            size += _literals(length - anchor);
        }
    }

    /// @dev The first position from `position` on whose three bytes occurred before, and where. Returns
    /// `limit` or more where there is none.
    function _nextMatch(uint256 base, uint256 table, uint256 position, uint256 limit)
        private
        pure
        returns (uint256, uint256)
    {
        unchecked {
            for (; position < limit; ++position) {
                uint256 triple = _load3(base + position);
                uint256 earlier = _swap(table, triple, position);
                if (position - earlier < WINDOW && triple == _load3(base + earlier)) {
                    // The position before the limit is looked up but starts no match.
                    return (position + 1 < limit ? position : limit, earlier);
                }
            }
        }
        return (limit, 0);
    }

    /// @dev Equal bytes at `left` and `right`, at most `most`, plus one where they differ earlier.
    function _matchLength(uint256 left, uint256 right, uint256 most) private pure returns (uint256 matched) {
        unchecked {
            while (matched + 32 <= most && _load32(left + matched) == _load32(right + matched)) matched += 32;
            while (matched < most) {
                bool equal = _load1(left + matched) == _load1(right + matched);
                ++matched;
                if (!equal) break;
            }
        }
    }

    /// @dev Bytes that a run of literals takes.
    function _literals(uint256 run) private pure returns (uint256) {
        unchecked {
            return run + (run + 31) / 32;
        }
    }

    /// @dev Bytes that a match takes.
    function _matches(uint256 matched) private pure returns (uint256) {
        unchecked {
            uint256 beyond = matched - 1;
            uint256 full = beyond / 262;
            return full + full + full + (beyond % 262 >= 6 ? 3 : 2);
        }
    }

    function _start(bytes memory data) private pure returns (uint256 base) {
        assembly ("memory-safe") {
            base := add(data, 0x20)
        }
    }

    /// @dev A table of zeros behind the free memory pointer, which stays where it is.
    function _newTable() private pure returns (uint256 table) {
        uint256 size = TABLE_BYTES;
        assembly ("memory-safe") {
            table := mload(0x40)
            mstore(0x40, add(table, size))
            // Beyond the end of the calldata there are only zeros.
            calldatacopy(table, calldatasize(), size)
        }
    }

    /// @dev Puts `position` into the slot of the three bytes and returns what was there.
    function _swap(uint256 table, uint256 triple, uint256 position) private pure returns (uint256 earlier) {
        uint256 factor = HASH_FACTOR;
        uint256 mask = TABLE_SLOTS - 1;
        assembly ("memory-safe") {
            // The hash takes the three bytes in little-endian order.
            let little := or(or(shr(16, triple), and(triple, 0xff00)), shl(16, and(triple, 0xff)))
            let slot := add(table, shl(2, and(shr(19, mul(little, factor)), mask)))
            let word := mload(slot)
            earlier := shr(224, word)
            mstore(slot, xor(word, shl(224, xor(earlier, position))))
        }
    }

    function _load1(uint256 pointer) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(pointer))
        }
    }

    function _load3(uint256 pointer) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(232, mload(pointer))
        }
    }

    function _load32(uint256 pointer) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(pointer)
        }
    }
}
