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
    /// @dev 8192 slots of four bytes, and room for the word that reads or writes the last one.
    uint256 private constant TABLE_BYTES = 0x8020;
    uint256 private constant SLOT_OFFSET_MASK = 0x7ffc;
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
                _remember(base, table, position++);
                _remember(base, table, position++);
                anchor = position;
            }
            size += _literals(length - anchor);
        }
    }

    /// @dev The first position from `position` on whose three bytes occurred before, and where. Returns
    /// `limit` where there is none. Every byte of data passes here, hence one piece of assembly.
    function _nextMatch(uint256 base, uint256 table, uint256 position, uint256 limit)
        private
        pure
        returns (uint256 next, uint256 earlier)
    {
        assembly ("memory-safe") {
            // The hash takes three bytes in little-endian order: the next byte enters at the top.
            let ahead := add(base, 2)
            let first := mload(add(base, position))
            let little := or(shl(8, byte(0, first)), shl(16, byte(1, first)))
            for { next := position } lt(next, limit) { next := add(next, 1) } {
                little := or(shr(8, little), shl(16, byte(0, mload(add(ahead, next)))))
                // The low two bits of an offset in the table are the place within a slot.
                let slot := add(table, and(shr(17, mul(little, HASH_FACTOR)), SLOT_OFFSET_MASK))
                let word := mload(slot)
                earlier := shr(224, word)
                mstore(slot, xor(word, shl(224, xor(earlier, next))))
                if lt(sub(next, earlier), WINDOW) {
                    if iszero(shr(232, xor(mload(add(base, next)), mload(add(base, earlier))))) { break }
                }
            }
            // The position before the limit is looked up but starts no match.
            if eq(add(next, 1), limit) { next := limit }
        }
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

    /// @dev A table of zeros in memory of its own.
    function _newTable() private pure returns (uint256 table) {
        assembly ("memory-safe") {
            table := mload(0x40)
            mstore(0x40, add(table, TABLE_BYTES))
            // Beyond the end of the calldata there are only zeros.
            calldatacopy(table, calldatasize(), TABLE_BYTES)
        }
    }

    /// @dev Puts `position` into the slot of the three bytes that are there.
    function _remember(uint256 base, uint256 table, uint256 position) private pure {
        assembly ("memory-safe") {
            let triple := shr(232, mload(add(base, position)))
            let little := or(or(shr(16, triple), and(triple, 0xff00)), shl(16, and(triple, 0xff)))
            let slot := add(table, and(shr(17, mul(little, HASH_FACTOR)), SLOT_OFFSET_MASK))
            mstore(slot, or(shr(32, shl(32, mload(slot))), shl(224, position)))
        }
    }

    function _load1(uint256 pointer) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(pointer))
        }
    }

    function _load32(uint256 pointer) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(pointer)
        }
    }
}
