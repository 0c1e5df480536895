// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G1Point, G2Point} from "../../src/da/Bls12381.sol";
import {VM, bounded} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";

/// @dev The expected points are those of py_ecc 8 (`hash_to_G1`, `multiply`).
contract Bls12381Test {
    bytes32 internal constant COUNTING = 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f;

    function test_HashesLikeOtherImplementations() public view {
        VM.assertEq(
            BlsSigner.pack(Bls12381.hashToSign(0)),
            hex"11c34d35ec1d9e09eaec1e97a5ad1b20410f09cc0a1474b24090bdfe96762d311ccbaf1ae2f72c475f0a8e6e4473e041"
            hex"0a42b26d63d3727a69bf3b3723286720d696a98d4bd15f44747be27b3dae3d0417cd9a079d88eb2e1930f51e46da989e"
        );
        VM.assertEq(
            BlsSigner.pack(Bls12381.hashToSign(COUNTING)),
            hex"16d676327d55b6632d4bb6b0d001e46621c47d25ecb89cf309808d8b88071226564aad9b5ba169bd27f8ef13fc2a6d9f"
            hex"06bed9983f93fa3d2e13cf938ff60e75ac9cea1d1efcc878ad939a63c2b9079ff147d33cd2e339bae60422bd9e856ae5"
        );
        VM.assertEq(
            BlsSigner.pack(Bls12381.hashToProve(0)),
            hex"136818a750521d9a5b708ae2f59b43e841d56e3b143f72f73e8e2ee75543627583ec8738ca1f25c52af701fc9242ada5"
            hex"138ecca34bee075d29ddf17d8cd32fa2133fb8bcd5a15501930f4c63f6929c07148222d1cddcccf53361e4571f1bb79d"
        );
        VM.assertEq(
            BlsSigner.pack(Bls12381.hashToProve(COUNTING)),
            hex"07b9f3f4eb7dea9bc27f68facb1a27aac7efb17ec5ca365b0e38b5ad29fa4471d5ad69d9428470fb8bda4f02bd52e179"
            hex"12e8647a5d526e208944bba840a78e53d31bcc7e8806b4d3f3183a430b6954800d7c4eb9d1b46aba7fe24a1a52003e28"
        );
    }

    function test_KeysAreThoseOfOtherImplementations() public view {
        VM.assertEq(
            BlsSigner.key(12345),
            hex"037ece3ecc512226a1e56fbe0b33aab2080ab467d14aadeff5dcd8adc6613b926bc97601a4a1f1287793757b10d68a93"
            hex"049d5b3d40fe475b145eebf53d97981bde5a64dea2964807f82561e709e804fee3ecfb5356631b2dedbe82d3d1dad0bb"
            hex"049ec434fee230231794c2d0e669746d30369264f8fc112901cf11cbe1de802f369ef761ebe1a045caba36891aab6e1c"
            hex"02309a7a5c05622be1dbfbd4cd08505f3337a43e4feb76ac0fec48e015d9c5a4dc1eedf095fee3bdc4b3732c4cfd1b5b"
        );
    }

    function testFuzz_VerifiesWhatItsKeySigned(uint256 secret, uint256 other, bytes32 message) public view {
        secret = bounded(secret, 1, BlsSigner.ORDER - 1);
        other = bounded(other, 1, BlsSigner.ORDER - 1);
        G1Point memory hashed = Bls12381.hashToSign(message);
        (bool points, bool valid) = this.verify(BlsSigner.sign(secret, message), hashed, BlsSigner.key(secret));
        VM.assertTrue(points && valid);
        (points, valid) = this.verify(BlsSigner.sign(other, message), hashed, BlsSigner.key(secret));
        VM.assertTrue(points);
        VM.assertTrue(valid == (other == secret));
    }

    function testFuzz_AddsAndNegatesLikeMultiplication(uint256 left, uint256 right) public view {
        left = bounded(left, 0, BlsSigner.ORDER - 1);
        right = bounded(right, 0, BlsSigner.ORDER - 1);
        G2Point memory sum = this.point(BlsSigner.key(left));
        Bls12381.addTo(sum, this.point(BlsSigner.key(right)));
        VM.assertEq(Bls12381.toBytes(sum), BlsSigner.key(addmod(left, right, BlsSigner.ORDER)));
        Bls12381.negate(sum);
        Bls12381.addTo(sum, this.point(BlsSigner.key(addmod(left, right, BlsSigner.ORDER))));
        VM.assertTrue(Bls12381.isInfinity(sum));
        Bls12381.negate(sum);
        VM.assertTrue(Bls12381.isInfinity(sum));
    }

    function test_RevertsWithTooLittleGas() public {
        G1Point memory hashed = Bls12381.hashToSign(0);
        bytes memory call = abi.encodeCall(this.verify, (BlsSigner.sign(1, 0), hashed, BlsSigner.key(1)));
        (bool success, bytes memory reason) = address(this).call{gas: 100_000}(call);
        VM.assertFalse(success);
        VM.assertEq(bytes32(bytes4(reason)), bytes32(Bls12381.TooLittleGas.selector));
    }

    function verify(bytes calldata signature, G1Point memory hashed, bytes calldata key)
        external
        view
        returns (bool points, bool valid)
    {
        G2Point memory negated = Bls12381.g2FromCalldata(key);
        Bls12381.negate(negated);
        return Bls12381.verify(Bls12381.g1FromCalldata(signature), hashed, Bls12381.placeOf(negated));
    }

    function point(bytes calldata packed) external pure returns (G2Point memory) {
        return Bls12381.g2FromCalldata(packed);
    }
}
