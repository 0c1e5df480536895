// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G1Point, G2Point} from "../../src/da/Bls12381.sol";

/// @notice Signs with BLS through the multiplication precompiles. For tests: secrets lie open.
library BlsSigner {
    /// @notice Order of the groups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// @notice The 192 bytes of the key of a secret.
    function key(uint256 secret) internal view returns (bytes memory) {
        (bool done, bytes memory point) = address(0x0e).staticcall(abi.encode(Bls12381.g2Generator(), secret));
        require(done, "G2MSM");
        return Bls12381.toBytes(abi.decode(point, (G2Point)));
    }

    /// @notice The 96 bytes of a signature.
    function sign(uint256 secret, bytes32 message) internal view returns (bytes memory) {
        return multiply(Bls12381.hashToSign(message), secret);
    }

    /// @notice The 96 bytes of a proof of possession.
    function prove(uint256 secret, bytes32 message) internal view returns (bytes memory) {
        return multiply(Bls12381.hashToProve(message), secret);
    }

    /// @notice The 96 bytes of a multiple of a point.
    function multiply(G1Point memory point, uint256 scalar) internal view returns (bytes memory) {
        (bool done, bytes memory result) = address(0x0c).staticcall(abi.encode(point, scalar));
        require(done, "G1MSM");
        return pack(abi.decode(result, (G1Point)));
    }

    /// @notice The 96 bytes of a point, padding dropped.
    function pack(G1Point memory point) internal pure returns (bytes memory) {
        return abi.encodePacked(
            bytes16(uint128(uint256(point.xHigh))), point.xLow, bytes16(uint128(uint256(point.yHigh))), point.yLow
        );
    }
}
