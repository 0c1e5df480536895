// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice A point of G1 as EIP-2537 encodes it: each coordinate in 64 bytes, big-endian. Infinity
/// is all zero.
struct G1Point {
    bytes32 xHigh;
    bytes32 xLow;
    bytes32 yHigh;
    bytes32 yLow;
}

/// @notice A point of G2 as EIP-2537 encodes it: `c0` before `c1`. Infinity is all zero.
struct G2Point {
    bytes32 x0High;
    bytes32 x0Low;
    bytes32 x1High;
    bytes32 x1Low;
    bytes32 y0High;
    bytes32 y0Low;
    bytes32 y1High;
    bytes32 y1Low;
}

/// @title BLS signatures on BLS12-381 with signatures in G1 and keys in G2, by the precompiles
/// @notice EIP-2537 for the curve; RFC 9380 for hashing, with SHA-256 (0x02) and MODEXP (0x05).
/// @dev A precompile that refuses its input consumes all gas that it was given, so each call gets
/// exactly its price: a hostile point costs no more than a good one. What a call without enough gas
/// would do cannot be told from a refusal, so too little gas always reverts with `TooLittleGas`
/// and never becomes an answer. Prices as of Osaka (EIP-2537, EIP-7883).
library Bls12381 {
    /// @notice Less gas was left than the precompile takes.
    error TooLittleGas(uint256 left, uint256 needed);

    uint256 private constant PAIRING_OF_TWO_GAS = 102_900;
    /// @dev What must be left so that 63/64 of it (EIP-150) are the price, and the call's own cost.
    uint256 private constant PAIRING_OF_TWO_NEEDED = PAIRING_OF_TWO_GAS * 64 / 63 + 2000;

    uint256 private constant P_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    /// @dev The generator of G2.
    uint256 private constant G2_X0_HIGH = 0x024aa2b2f08f0a91260805272dc51051;
    uint256 private constant G2_X0_LOW = 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8;
    uint256 private constant G2_X1_HIGH = 0x13e02b6052719f607dacd3a088274f65;
    uint256 private constant G2_X1_LOW = 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e;
    uint256 private constant G2_Y0_HIGH = 0x0ce5d527727d6e118cc9cdc6da2e351a;
    uint256 private constant G2_Y0_LOW = 0xadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801;
    uint256 private constant G2_Y1_HIGH = 0x0606c4a02ea734cc32acd2b02bc28b99;
    uint256 private constant G2_Y1_LOW = 0xcb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be;

    /// @dev Domain separation tags: the first 32 bytes, then the rest with the length byte behind.
    bytes32 private constant SIGNATURE_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_S";
    bytes32 private constant POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_S";
    bytes12 private constant TAG_END = "SWU_RO_POP_\x2b";

    /// @notice The point of G1 that a signature of `message` multiplies.
    function hashToSign(bytes32 message) internal view returns (G1Point memory) {
        return _hashToG1(message, SIGNATURE_TAG);
    }

    /// @notice The point of G1 that a proof of possession over `message` multiplies.
    function hashToProve(bytes32 message) internal view returns (G1Point memory) {
        return _hashToG1(message, POSSESSION_TAG);
    }

    /// @notice Whether `signature` is that of `hashed` under the key whose negation is in the 256
    /// bytes of memory at `negatedKey`.
    /// @dev e(signature, g2) · e(hashed, -key) = 1. The pairing checks curve, subgroup and
    /// canonicity of every point.
    /// @return points Whether all points are of their groups; without it `valid` says nothing.
    /// @return valid Whether the equation holds.
    function verify(G1Point memory signature, G1Point memory hashed, uint256 negatedKey)
        internal
        view
        returns (bool points, bool valid)
    {
        if (gasleft() < PAIRING_OF_TWO_NEEDED) revert TooLittleGas(gasleft(), PAIRING_OF_TWO_NEEDED);
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, signature, 0x80)
            mstore(add(input, 0x80), G2_X0_HIGH)
            mstore(add(input, 0xa0), G2_X0_LOW)
            mstore(add(input, 0xc0), G2_X1_HIGH)
            mstore(add(input, 0xe0), G2_X1_LOW)
            mstore(add(input, 0x100), G2_Y0_HIGH)
            mstore(add(input, 0x120), G2_Y0_LOW)
            mstore(add(input, 0x140), G2_Y1_HIGH)
            mstore(add(input, 0x160), G2_Y1_LOW)
            mcopy(add(input, 0x180), hashed, 0x80)
            mcopy(add(input, 0x200), negatedKey, 0x100)
            points := staticcall(PAIRING_OF_TWO_GAS, 0x0f, input, 0x300, 0, 0x20)
            valid := and(points, mload(0))
        }
    }

    /// @notice Adds `term` to `sum` in place. Both must be points of the curve: ADD does not check
    /// the subgroup, and a point off the curve reverts.
    function addTo(G2Point memory sum, G2Point memory term) internal view {
        bool added;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, sum, 0x100)
            mcopy(add(input, 0x100), term, 0x100)
            added := staticcall(600, 0x0d, input, 0x200, sum, 0x100)
        }
        if (!added) revert TooLittleGas(gasleft(), 600);
    }

    /// @notice Negates a point in place.
    function negate(G2Point memory point) internal pure {
        (point.y0High, point.y0Low) = _negate(point.y0High, point.y0Low);
        (point.y1High, point.y1Low) = _negate(point.y1High, point.y1Low);
    }

    /// @notice Whether the point is infinity.
    function isInfinity(G1Point memory point) internal pure returns (bool) {
        return point.xHigh | point.xLow | point.yHigh | point.yLow == 0;
    }

    /// @notice Whether the point is infinity.
    function isInfinity(G2Point memory point) internal pure returns (bool) {
        bytes32 x = point.x0High | point.x0Low | point.x1High | point.x1Low;
        return x | point.y0High | point.y0Low | point.y1High | point.y1Low == 0;
    }

    /// @notice A point of G1 from 96 bytes, x ‖ y, without padding.
    function g1FromCalldata(bytes calldata packed) internal pure returns (G1Point memory point) {
        assembly ("memory-safe") {
            let place := packed.offset
            mstore(point, shr(128, calldataload(place)))
            mstore(add(point, 0x20), calldataload(add(place, 0x10)))
            mstore(add(point, 0x40), shr(128, calldataload(add(place, 0x30))))
            mstore(add(point, 0x60), calldataload(add(place, 0x40)))
        }
    }

    /// @notice A point of G2 from 192 bytes, x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, without padding.
    function g2FromCalldata(bytes calldata packed) internal pure returns (G2Point memory point) {
        uint256 place;
        assembly ("memory-safe") {
            place := mload(0x40)
            calldatacopy(place, packed.offset, 0xc0)
        }
        g2FromMemory(place, placeOf(point));
    }

    /// @notice The point of G2 in the 256 bytes of memory from `place`.
    function g2In(uint256 place) internal pure returns (G2Point memory point) {
        assembly ("memory-safe") {
            point := place
        }
    }

    /// @notice Where a point is in memory.
    function placeOf(G2Point memory point) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := point
        }
    }

    /// @notice A point of G2 from 192 bytes of memory at `place`, x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1, without
    /// padding, to 256 bytes of memory at `point`, which must not overlap them.
    function g2FromMemory(uint256 place, uint256 point) internal pure {
        assembly ("memory-safe") {
            mstore(point, shr(128, mload(place)))
            mstore(add(point, 0x20), mload(add(place, 0x10)))
            mstore(add(point, 0x40), shr(128, mload(add(place, 0x30))))
            mstore(add(point, 0x60), mload(add(place, 0x40)))
            mstore(add(point, 0x80), shr(128, mload(add(place, 0x60))))
            mstore(add(point, 0xa0), mload(add(place, 0x70)))
            mstore(add(point, 0xc0), shr(128, mload(add(place, 0x90))))
            mstore(add(point, 0xe0), mload(add(place, 0xa0)))
        }
    }

    /// @notice The 192 bytes of a point of G2, in the order of `g2FromMemory`.
    function toBytes(G2Point memory point) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(bytes16(uint128(uint256(point.x0High))), point.x0Low),
            abi.encodePacked(bytes16(uint128(uint256(point.x1High))), point.x1Low),
            abi.encodePacked(bytes16(uint128(uint256(point.y0High))), point.y0Low),
            abi.encodePacked(bytes16(uint128(uint256(point.y1High))), point.y1Low)
        );
    }

    /// @dev hash_to_curve of RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_: two field elements,
    /// each mapped with its cofactor cleared (0x10), and the sum of both points.
    function _hashToG1(bytes32 message, bytes32 tag) private view returns (G1Point memory point) {
        (bool done, uint256 uniform) = _expandMessage(message, tag);
        assembly ("memory-safe") {
            let input := add(uniform, 0x80)
            // MODEXP: lengths of base, exponent and modulus; base, exponent 1, modulus p.
            mstore(input, 64)
            mstore(add(input, 0x20), 1)
            mstore(add(input, 0x40), 48)
            mcopy(add(input, 0x60), uniform, 0x40)
            mstore8(add(input, 0xa0), 1)
            mstore(add(input, 0xa1), shl(128, P_HIGH))
            mstore(add(input, 0xb1), P_LOW)
            // The remainder of 48 bytes goes behind 16 zero bytes.
            let element := add(input, 0x100)
            mstore(element, 0)
            done := and(done, staticcall(gas(), 0x05, input, 0xd1, add(element, 0x10), 0x30))
            done := and(done, staticcall(5500, 0x10, element, 0x40, add(input, 0x140), 0x80))
            mcopy(add(input, 0x60), add(uniform, 0x40), 0x40)
            done := and(done, staticcall(gas(), 0x05, input, 0xd1, add(element, 0x10), 0x30))
            done := and(done, staticcall(5500, 0x10, element, 0x40, add(input, 0x1c0), 0x80))
            done := and(done, staticcall(375, 0x0b, add(input, 0x140), 0x100, point, 0x80))
        }
        if (!done) revert TooLittleGas(gasleft(), 5500);
    }

    /// @dev expand_message_xmd of RFC 9380 with SHA-256 to 128 bytes, in free memory at `uniform`.
    function _expandMessage(bytes32 message, bytes32 tag) private view returns (bool done, uint256 uniform) {
        bytes12 tagEnd = TAG_END;
        assembly ("memory-safe") {
            let input := mload(0x40)
            uniform := add(input, 0xc0)
            // b_0: one block of zeros, the message, the length 128, a zero byte, the tag.
            mstore(input, 0)
            mstore(add(input, 0x20), 0)
            mstore(add(input, 0x40), message)
            mstore(add(input, 0x60), shl(232, 0x008000))
            mstore(add(input, 0x63), tag)
            mstore(add(input, 0x83), tagEnd)
            done := staticcall(gas(), 0x02, input, 0x8f, 0, 0x20)
            let first := mload(0)
            // b_i: b_0 xor b_(i-1), the byte i, the tag.
            mstore(input, first)
            mstore8(add(input, 0x20), 1)
            mstore(add(input, 0x21), tag)
            mstore(add(input, 0x41), tagEnd)
            done := and(done, staticcall(gas(), 0x02, input, 0x4d, uniform, 0x20))
            mstore(input, xor(first, mload(uniform)))
            mstore8(add(input, 0x20), 2)
            done := and(done, staticcall(gas(), 0x02, input, 0x4d, add(uniform, 0x20), 0x20))
            mstore(input, xor(first, mload(add(uniform, 0x20))))
            mstore8(add(input, 0x20), 3)
            done := and(done, staticcall(gas(), 0x02, input, 0x4d, add(uniform, 0x40), 0x20))
            mstore(input, xor(first, mload(add(uniform, 0x40))))
            mstore8(add(input, 0x20), 4)
            done := and(done, staticcall(gas(), 0x02, input, 0x4d, add(uniform, 0x60), 0x20))
        }
    }

    /// @dev p - value, and zero for zero, whose negation is itself.
    function _negate(bytes32 high, bytes32 low) private pure returns (bytes32, bytes32) {
        if (high | low == 0) return (high, low);
        unchecked {
            uint256 borrow = uint256(low) > P_LOW ? 1 : 0;
            return (bytes32(P_HIGH - uint256(high) - borrow), bytes32(P_LOW - uint256(low)));
        }
    }
}
