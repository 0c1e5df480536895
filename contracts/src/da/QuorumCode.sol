// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G2Point} from "./Bls12381.sol";
import {ChunkCode} from "./ChunkCode.sol";

/// @title The snapshot of an epoch's quorum in one or two chunks of code
/// @notice
/// ```
/// first chunk:  negated aggregate key (192) │ head word │ up to 108 records
/// second chunk: border word │ the other records
/// record:       key (192: x.c0, x.c1, y.c0, y.c1) │ stake of all operators up to it (12) │ operator (20)
/// head word:    zero (12) │ zero (6) │ number of operators (2) │ total stake (12)
/// border word:  the last word of the first chunk again
/// ```
/// In front of every record thus stands a word that begins with the stake of all operators before
/// it: 256 bytes tell what the slots of an operator depend on. Operators stand in ascending order of
/// their addresses. Stakes are in wei.
library QuorumCode {
    /// @notice Operators in the first chunk.
    uint256 internal constant FIRST_RECORDS = 108;
    /// @notice Bytes of a key.
    uint256 internal constant KEY_LENGTH = 192;

    uint256 private constant RECORD_LENGTH = 224;
    /// @dev A record with the word in front of it.
    uint256 private constant BORDERED_LENGTH = 256;

    /// @notice Bytes of the first chunk of a quorum of `count`.
    function firstLength(uint256 count) internal pure returns (uint256) {
        uint256 records = count < FIRST_RECORDS ? count : FIRST_RECORDS;
        return RECORD_LENGTH * (1 + records);
    }

    /// @notice Bytes of the second chunk of a quorum of `count`; zero if there is none.
    function secondLength(uint256 count) internal pure returns (uint256) {
        return count <= FIRST_RECORDS ? 0 : 32 + RECORD_LENGTH * (count - FIRST_RECORDS);
    }

    /// @notice Copies key `index` of `keys` to memory at `place`.
    function copyKey(bytes calldata keys, uint256 index, uint256 place) internal pure returns (bytes32 keyHash) {
        assembly ("memory-safe") {
            calldatacopy(place, add(keys.offset, mul(index, KEY_LENGTH)), KEY_LENGTH)
            keyHash := keccak256(place, KEY_LENGTH)
        }
    }

    /// @notice Writes the word behind the key of the record in memory at `place`.
    function finishRecord(uint256 place, uint256 stakeUpTo, address operator) internal pure {
        writeBorder(place + KEY_LENGTH, stakeUpTo, operator);
    }

    /// @notice Writes the last word of a record to memory at `place`.
    function writeBorder(uint256 place, uint256 stakeUpTo, address operator) internal pure {
        assembly ("memory-safe") {
            mstore(place, or(shl(160, stakeUpTo), operator))
        }
    }

    /// @notice Writes aggregate key and head word to the first chunk, in memory at `place`.
    function writeHead(uint256 place, G2Point memory negatedKey, uint256 count, uint256 total) internal pure {
        bytes memory key = Bls12381.toBytes(negatedKey);
        assembly ("memory-safe") {
            mcopy(place, add(key, 0x20), KEY_LENGTH)
            mstore(add(place, KEY_LENGTH), or(shl(96, count), total))
        }
    }

    /// @notice Reads what stands in front of the records.
    /// @return count Number of operators.
    /// @return total Stake of all.
    /// @return negatedKey The negated sum of all keys.
    function head(address first) internal view returns (uint256 count, uint256 total, G2Point memory negatedKey) {
        uint256 place = _scratch();
        ChunkCode.copy(first, 0, RECORD_LENGTH, place);
        Bls12381.g2FromMemory(place, negatedKey);
        assembly ("memory-safe") {
            let word := mload(add(place, KEY_LENGTH))
            count := and(shr(96, word), 0xffff)
            total := and(word, 0xffffffffffffffffffffffff)
        }
    }

    /// @notice Reads number of operators and total stake alone.
    function size(address first) internal view returns (uint256 count, uint256 total) {
        uint256 place = _scratch();
        ChunkCode.copy(first, KEY_LENGTH, 32, place);
        assembly ("memory-safe") {
            let word := mload(place)
            count := and(shr(96, word), 0xffff)
            total := and(word, 0xffffffffffffffffffffffff)
        }
    }

    /// @notice Reads the stakes and the key of the operator whose record begins at `offset` of
    /// `chunk`; the key into `key`.
    /// @return stakeBefore Stake of all operators before it.
    /// @return stakeUpTo Stake of all operators up to it.
    function readRecord(address chunk, uint256 offset, G2Point memory key)
        internal
        view
        returns (uint256 stakeBefore, uint256 stakeUpTo)
    {
        uint256 place = _scratch();
        ChunkCode.copy(chunk, offset - 32, BORDERED_LENGTH, place);
        Bls12381.g2FromMemory(place + 32, key);
        assembly ("memory-safe") {
            stakeBefore := shr(160, mload(place))
            stakeUpTo := shr(160, mload(add(place, 0xe0)))
        }
    }

    /// @notice The operator whose record begins at `offset` of `chunk`.
    function operatorAt(address chunk, uint256 offset) internal view returns (address operator) {
        uint256 place = _scratch();
        ChunkCode.copy(chunk, offset + KEY_LENGTH, 32, place);
        assembly ("memory-safe") {
            operator := and(mload(place), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }

    /// @notice Where the record of operator `index` begins, in the first or the second chunk.
    function offsetOf(uint256 index) internal pure returns (bool second, uint256 offset) {
        unchecked {
            second = index >= FIRST_RECORDS;
            offset = second ? 32 + RECORD_LENGTH * (index - FIRST_RECORDS) : RECORD_LENGTH * (index + 1);
        }
    }

    /// @notice Whether `signers` has a bit for each of `count` operators, and none beyond them.
    function isBitmap(bytes calldata signers, uint256 count) internal pure returns (bool) {
        return signers.length == (count + 7) / 8 && _bits(signers) >> count == 0;
    }

    /// @notice The operators, bit `i` for operator `i`, that are not in a bitmap of `count`.
    function missing(bytes calldata signers, uint256 count) internal pure returns (uint256) {
        return ((1 << count) - 1) ^ _bits(signers);
    }

    /// @dev Up to 32 bytes, the first one lowest.
    function _bits(bytes calldata signers) private pure returns (uint256 bits) {
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, signers.length) { i := add(i, 1) } {
                bits := or(bits, shl(shl(3, i), byte(0, calldataload(add(signers.offset, i)))))
            }
        }
    }

    /// @dev Memory that the next allocation overwrites.
    function _scratch() private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
        }
    }
}
