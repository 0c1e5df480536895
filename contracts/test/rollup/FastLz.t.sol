// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FastLz} from "../../src/rollup/FastLz.sol";
import {VM} from "../Vm.sol";

/// @dev The same measure with bounds-checked arrays, statement by statement as the execution client
/// has it.
library PlainFastLz {
    function compressedLength(bytes memory data) internal pure returns (uint256 size) {
        uint256[8192] memory table;
        uint256 limit = data.length < 13 ? 0 : data.length - 13;
        uint256 anchor = 0;
        uint256 position = 2;
        while (position < limit) {
            uint256 found;
            while (true) {
                uint256 sequence = _triple(data, position);
                found = table[_hash(sequence)];
                table[_hash(sequence)] = position;
                uint256 distance = position - found;
                if (position >= limit) break;
                position += 1;
                if (distance < 8192 && sequence == _triple(data, found)) break;
            }
            if (position >= limit) break;
            position -= 1;
            if (position > anchor) size = _literals(position - anchor, size);
            uint256 matched = _compare(data, found + 3, position + 3, limit + 9);
            size = _match(matched, size);
            position += matched;
            table[_hash(_triple(data, position))] = position;
            position += 1;
            table[_hash(_triple(data, position))] = position;
            position += 1;
            anchor = position;
        }
        return _literals(data.length - anchor, size);
    }

    function _literals(uint256 run, uint256 size) private pure returns (uint256) {
        size += 0x21 * (run / 0x20);
        return run % 0x20 == 0 ? size : size + (run % 0x20) + 1;
    }

    function _match(uint256 length, uint256 size) private pure returns (uint256) {
        length -= 1;
        size += 3 * (length / 262);
        return length % 262 >= 6 ? size + 3 : size + 2;
    }

    function _compare(bytes memory data, uint256 left, uint256 right, uint256 end)
        private
        pure
        returns (uint256 position)
    {
        uint256 most = end - right;
        while (position < most) {
            if (data[left + position] != data[right + position]) most = 0;
            position += 1;
        }
    }

    function _triple(bytes memory data, uint256 position) private pure returns (uint256) {
        return uint256(uint8(data[position])) + (uint256(uint8(data[position + 1])) << 8)
            + (uint256(uint8(data[position + 2])) << 16);
    }

    function _hash(uint256 sequence) private pure returns (uint256) {
        return ((sequence * 2654435769) >> 19) & 0x1fff;
    }
}

contract FastLzTest {
    function testFuzz_LengthOfRandomDataEqualsThePlainOne(bytes memory data) public pure {
        VM.assertEq(FastLz.compressedLength(data), PlainFastLz.compressedLength(data));
    }

    /// @dev Transactions repeat themselves: pieces copied from before, with some bytes changed.
    function testFuzz_LengthOfRepetitiveDataEqualsThePlainOne(uint256 seed, uint16 length, uint8 alphabet) public pure {
        bytes memory data = _repetitive(seed, uint256(length) % 3000, uint256(alphabet) + 1);
        VM.assertEq(FastLz.compressedLength(data), PlainFastLz.compressedLength(data));
    }

    function test_MatchesReachBackOneWindowAndNoFurther() public pure {
        for (uint256 distance = 8180; distance < 8200; ++distance) {
            bytes memory data = new bytes(distance + 40);
            for (uint256 position; position < data.length; ++position) {
                data[position] = keccak256(abi.encode(position < distance ? position : position - distance))[0];
            }
            VM.assertEq(FastLz.compressedLength(data), PlainFastLz.compressedLength(data));
        }
    }

    function test_LengthsAreThoseOfTheExecutionClient() public pure {
        VM.assertEq(FastLz.compressedLength(""), 0);
        VM.assertEq(FastLz.compressedLength(hex"facade"), 4);
        VM.assertEq(FastLz.compressedLength(new bytes(1000)), 21);
        bytes memory fortyTwos = new bytes(1000);
        for (uint256 position; position < fortyTwos.length; ++position) {
            fortyTwos[position] = 0x2a;
        }
        VM.assertEq(FastLz.compressedLength(fortyTwos), 21);
        VM.assertEq(FastLz.compressedLength(_CONTRACT_CALL), 202);
    }

    function test_DirtyFreeMemoryDoesNotCount() public pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let position := 0 } lt(position, 0x10000) { position := add(position, 0x20) } {
                mstore(add(free, position), not(0))
            }
        }
        VM.assertEq(FastLz.compressedLength(_CONTRACT_CALL), 202);
    }

    function _repetitive(uint256 seed, uint256 length, uint256 alphabet) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 position; position < length;) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 run = seed % 40 + 1;
            bool copy = (seed >> 8) % 2 == 0 && position > 0;
            uint256 from = copy ? (seed >> 16) % position : 0;
            for (uint256 i; i < run && position < length; ++i) {
                data[position] = copy ? data[from + i] : bytes32((seed >> (i * 5)) % alphabet)[31];
                ++position;
            }
        }
    }

    /// @dev A signed contract call, with its length a vector of the execution client's own tests.
    bytes private constant _CONTRACT_CALL = hex"02f901550a758302df1483be21b88304743f94f80e51afb613d764fa61751affd3313c190a86bb870151bd62fd12adb8"
        hex"e41ef24f3f000000000000000000000000000000000000000000000000000000000000006e0000000000000000000000"
        hex"00af88d065e77c8cc2239327c5edb3a432268e5831000000000000000000000000000000000000000000000000000000"
        hex"000003c1e500000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        hex"0000000000000000000000000000000000000000a0000000000000000000000000000000000000000000000000000000"
        hex"00000000148c89ed219d02f1a5be012c689b4f5b731827bebe000000000000000000000000c001a033fd89cb37c31b2c"
        hex"ba46b6466e040c61fc9b2a3675a7f5f493ebd5ad77c497f8a07cdf65680e238392693019b4092f610222e71b7cec0644"
        hex"9cb922b93b6a12744e";
}
