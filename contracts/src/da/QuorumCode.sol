// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G2Point} from "./Bls12381.sol";
import {ChunkCode} from "./ChunkCode.sol";

/// @title The snapshot of an epoch's quorum in one or two chunks of code
/// @notice
/// ```
/// first chunk:  negated aggregate key (192) │ head word │ up to 108 records │ hash of the second chunk (32)
/// second chunk: border word │ the other records
/// record:       key (192: x.c0, x.c1, y.c0, y.c1) │ stake of all operators up to it (12) │ operator (20)
/// head word:    zero (12) │ zero (6) │ number of operators (2) │ total stake (12)
/// border word:  the last word of the first chunk again
/// ```
/// In front of every record thus stands a word that begins with the stake of all operators before
/// it: 256 bytes tell what the slots of an operator depend on. Operators stand in ascending order of
/// their addresses. Stakes are in wei. The keccak256 of the second chunk stands in the first where there is a
/// second, so that the code hash of the first names the whole snapshot.
library QuorumCode {
    /// @notice Operators in the first chunk.
    uint256 internal constant FIRST_RECORDS = 108;
    /// @notice Bytes of a key.
    uint256 internal constant KEY_LENGTH = 192;

    uint256 private constant RECORD_LENGTH = 224;
    /// @dev A record with the word in front of it.
    uint256 private constant BORDERED_LENGTH = 256;

    /// @dev Behind the records of a full first chunk.
    uint256 private constant SECOND_HASH_OFFSET = RECORD_LENGTH * (1 + FIRST_RECORDS);

    /// @dev The lower half of every unit of 2, 4, 8 and 16 bytes.
    uint256 private constant BYTES_OF_2 = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant BYTES_OF_4 = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    uint256 private constant BYTES_OF_8 = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant BYTES_OF_16 = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;

    /// @notice What the slots of an operator follow from beside its stake. With `border(C) =
    /// (slots · C + offset) / total` they are those from the border at the stake before it to the one
    /// at the stake up to it: each count is within one of the exact share, and is the exact share on
    /// average over seeds.
    struct Shares {
        /// @notice Number of slots.
        uint256 slots;
        /// @notice Seed modulo the total stake.
        uint256 offset;
        /// @notice Stake of all operators.
        uint256 total;
    }

    /// @notice Bytes of the first chunk of a quorum of `count`.
    function firstLength(uint256 count) internal pure returns (uint256) {
        if (count <= FIRST_RECORDS) return RECORD_LENGTH * (1 + count);
        return SECOND_HASH_OFFSET + 32;
    }

    /// @notice Bytes of the second chunk of a quorum of `count`; zero if there is none.
    function secondLength(uint256 count) internal pure returns (uint256) {
        return count <= FIRST_RECORDS ? 0 : 32 + RECORD_LENGTH * (count - FIRST_RECORDS);
    }

    /// @notice Writes the hash of the second chunk to the first, in memory at `place`.
    function writeSecondHash(uint256 place, bytes memory second) internal pure {
        bytes32 secondHash = keccak256(second);
        uint256 offset = SECOND_HASH_OFFSET;
        assembly ("memory-safe") {
            mstore(add(place, offset), secondHash)
        }
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

    /// @notice Room for `subtract`, allocated.
    function allocate() internal pure returns (uint256 buffer) {
        assembly ("memory-safe") {
            buffer := mload(0x40)
            mstore(0x40, add(buffer, 0x300))
        }
    }

    /// @notice Reads what stands in front of the records; the negated sum of all keys goes to memory
    /// at `buffer`.
    /// @return count Number of operators.
    /// @return total Stake of all.
    function head(address first, uint256 buffer) internal view returns (uint256 count, uint256 total) {
        uint256 place = buffer + 512;
        ChunkCode.copy(first, 0, RECORD_LENGTH, place);
        Bls12381.g2FromMemory(place, buffer);
        return _sizeAt(place + KEY_LENGTH);
    }

    /// @notice Reads number of operators and total stake alone.
    function size(address first) internal view returns (uint256 count, uint256 total) {
        uint256 place = _scratch();
        ChunkCode.copy(first, KEY_LENGTH, 32, place);
        return _sizeAt(place);
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
        Bls12381.g2FromMemory(place + 32, Bls12381.placeOf(key));
        assembly ("memory-safe") {
            stakeBefore := shr(160, mload(place))
            stakeUpTo := shr(160, mload(add(place, 0xe0)))
        }
    }

    /// @notice Takes the keys of operators out of an aggregate.
    /// @dev In assembly because it runs for every operator that did not sign, at half the gas.
    /// @param chunk First or second chunk, as `second` says.
    /// @param bits The operators, bit `i` for record `i` of this chunk.
    /// @param buffer Memory of 768 bytes: the negated sum in 256 bytes, and room.
    /// @return held Slots of these operators.
    function subtract(address chunk, bool second, uint256 bits, Shares memory shares, uint256 buffer)
        internal
        view
        returns (uint256 held)
    {
        // Code offset of the word in front of record 0, behind the STOP.
        uint256 base = second ? 1 : 1 + KEY_LENGTH;
        bool added = true;
        assembly ("memory-safe") {
            // The key goes behind the sum, padded; the record is read to behind both.
            calldatacopy(add(buffer, 0x100), calldatasize(), 0x100)
            let slots := mload(shares)
            let offset := mload(add(shares, 0x20))
            let total := mload(add(shares, 0x40))
            for {} bits {} {
                let index := sub(255, clz(bits))
                bits := xor(bits, shl(index, 1))
                extcodecopy(chunk, add(buffer, 0x200), add(base, mul(RECORD_LENGTH, index)), BORDERED_LENGTH)
                // Both borders: stake up to it, stake before it.
                let end := div(add(mul(slots, shr(160, mload(add(buffer, 0x2e0)))), offset), total)
                let start := div(add(mul(slots, shr(160, mload(add(buffer, 0x200)))), offset), total)
                held := add(held, sub(end, start))
                mcopy(add(buffer, 0x110), add(buffer, 0x220), 0x30)
                mcopy(add(buffer, 0x150), add(buffer, 0x250), 0x30)
                mcopy(add(buffer, 0x190), add(buffer, 0x280), 0x30)
                mcopy(add(buffer, 0x1d0), add(buffer, 0x2b0), 0x30)
                if iszero(staticcall(600, 0x0d, buffer, 0x200, buffer, 0x100)) {
                    added := 0
                    break
                }
            }
        }
        if (!added) revert Bls12381.TooLittleGas(gasleft(), 600);
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

    /// @notice Reads the bitmap of a quorum of `count`, the first byte lowest.
    /// @return valid Whether it has a bit for each operator, and none set beyond them.
    /// @return missing The operators not in it: bit `i` for operator `i`.
    function readBitmap(bytes calldata signers, uint256 count) internal pure returns (bool valid, uint256 missing) {
        uint256 length = signers.length;
        uint256 bits;
        unchecked {
            // A snapshot has at most 200 operators.
            if (length != (count + 7) / 8) return (false, 0);
        }
        assembly ("memory-safe") {
            // What stands behind the bitmap is shifted out.
            let shift := sub(256, shl(3, length))
            bits := shr(shift, calldataload(signers.offset))
            bits := shl(shift, bits)
        }
        missing = ((1 << count) - 1) ^ _reverseBytes(bits);
        valid = missing >> count == 0;
    }

    /// @dev Takes the head word apart.
    function _sizeAt(uint256 place) private pure returns (uint256 count, uint256 total) {
        assembly ("memory-safe") {
            let word := mload(place)
            count := and(shr(96, word), 0xffff)
            total := and(word, 0xffffffffffffffffffffffff)
        }
    }

    /// @dev The 32 bytes in the opposite order.
    function _reverseBytes(uint256 word) private pure returns (uint256) {
        word = (word >> 8 & BYTES_OF_2) | (word & BYTES_OF_2) << 8;
        word = (word >> 16 & BYTES_OF_4) | (word & BYTES_OF_4) << 16;
        word = (word >> 32 & BYTES_OF_8) | (word & BYTES_OF_8) << 32;
        word = (word >> 64 & BYTES_OF_16) | (word & BYTES_OF_16) << 64;
        return word >> 128 | word << 128;
    }

    /// @dev Memory that the next allocation overwrites.
    function _scratch() private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
        }
    }
}
