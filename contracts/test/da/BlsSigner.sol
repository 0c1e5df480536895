// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G1Point, G2Point} from "../../src/da/Bls12381.sol";

/// @notice Signs with BLS through the multiplication precompiles. For tests: secrets lie open.
library BlsSigner {
    /// @notice Order of the groups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// @notice The 192 bytes of the key of a secret.
    function key(uint256 secret) internal view returns (bytes memory) {
        (bool done, bytes memory point) = address(0x0e).staticcall(abi.encode(generator(), secret));
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

    /// @notice The generator of G2.
    function generator() internal pure returns (G2Point memory) {
        return G2Point({
            x0High: bytes32(uint256(0x024aa2b2f08f0a91260805272dc51051)),
            x0Low: 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8,
            x1High: bytes32(uint256(0x13e02b6052719f607dacd3a088274f65)),
            x1Low: 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e,
            y0High: bytes32(uint256(0x0ce5d527727d6e118cc9cdc6da2e351a)),
            y0Low: 0xadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801,
            y1High: bytes32(uint256(0x0606c4a02ea734cc32acd2b02bc28b99)),
            y1Low: 0xcb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be
        });
    }
}
