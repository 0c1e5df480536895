// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attested, Status} from "../../src/da/ICertificateVerifier.sol";
import {Operators} from "../../src/da/Operators.sol";
import {VM, bounded} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {DaFixture} from "./DaFixture.sol";

contract CertificateVerifierTest is DaFixture {
    uint256 internal constant OPERATORS = 12;
    /// @dev With one row there are as many slots as operators here, one each.
    uint16 internal constant ROWS = 1;
    uint256 internal constant HEADER_LENGTH = 90;
    /// @dev A certificate that is valid takes less; refused points must not take more.
    uint256 internal constant GAS_MAX = 400_000;

    function setUp() public {
        _deploy();
        _quorum(OPERATORS);
    }

    function test_AcceptsWhatEverybodySigned() public view {
        _assertStatus(_signed(_header(ROWS), _all(OPERATORS)), Status.Valid);
    }

    function testFuzz_AcceptsAnyTwoThirds(uint256 seed) public view {
        _assertStatus(_signed(_header(ROWS), _all(OPERATORS) ^ _some(seed, OPERATORS / 3)), Status.Valid);
    }

    function testFuzz_RefusesOneSlotBelowTheThreshold(uint256 seed) public view {
        uint256 missing = _some(seed, OPERATORS / 3 + 1);
        _assertStatus(_signed(_header(ROWS), _all(OPERATORS) ^ missing), Status.TooFewSlots);
    }

    function test_DecodesWhatTheHeaderSays() public view {
        Header memory header = _header(64);
        bytes memory certificate = _signed(header, _all(OPERATORS));
        (Status status, Attested memory said) = verifier.checkAndDecode(certificate);
        _assertEqual(status, Status.Valid);
        VM.assertEq(said.headerHash, keccak256(_encode(header)));
        VM.assertEq(said.hashesRoot, header.hashesRoot);
        VM.assertEq(said.rows, 64);
        VM.assertEq(said.epoch, header.epoch);
        bytes memory bitmap = _bitmap(OPERATORS, _all(OPERATORS));
        VM.assertEq(said.signersHash, keccak256(abi.encodePacked(header.epoch, bitmap)));
    }

    function test_DecodesNothingOfAnInvalidCertificate() public view {
        (Status status, Attested memory said) = verifier.checkAndDecode(_signed(_header(ROWS), 1));
        _assertEqual(status, Status.TooFewSlots);
        Attested memory nothing;
        VM.assertEq(keccak256(abi.encode(said)), keccak256(abi.encode(nothing)));
    }

    function testFuzz_RefusesOtherLengths(uint256 length) public view {
        bytes memory certificate = _signed(_header(ROWS), _all(OPERATORS));
        uint256 right = certificate.length;
        length = bounded(length, 0, 3 * right);
        if (length == right) ++length;
        _assertStatus(_resized(certificate, length), Status.Malformed);
    }

    function testFuzz_RefusesStrayBits(uint256 place) public view {
        place = bounded(place, OPERATORS, 15);
        bytes memory signature = _aggregate(_digest(_header(ROWS)), _all(OPERATORS));
        uint256 signers = _all(OPERATORS) | 1 << place;
        _assertStatus(_assemble(_header(ROWS), signature, OPERATORS, signers), Status.Malformed);
    }

    function test_RefusesOtherFormats() public view {
        for (uint256 field = 0; field < 5; ++field) {
            Header memory header = _header(ROWS);
            if (field == 0) header.version = 2;
            if (field == 1) header.layout_ = 1;
            if (field == 2) header.class_ = 1;
            if (field == 3) header.codec = 0;
            if (field == 4) header.expansion = 3;
            _assertStatus(_signed(header, _all(OPERATORS)), Status.Unsupported);
        }
    }

    function testFuzz_RefusesImpossibleShapes(uint16 rows, uint16 columns, uint32 length) public view {
        Header memory header = _header(ROWS);
        (header.rows, header.columns, header.payloadLength) = (rows, columns, length);
        bool possible = rows != 0 && rows <= 256 && (rows & (rows - 1)) == 0 && columns != 0 && columns <= 4096
            && length != 0 && length <= uint256(31) * rows * columns;
        _assertStatus(_signed(header, _all(OPERATORS)), possible ? Status.Valid : Status.ImpossibleShape);
    }

    function test_ShapesAtTheirLimits() public view {
        Header memory header = _header(256);
        _assertStatus(_signed(header, _all(OPERATORS)), Status.Valid);
        header.payloadLength += 1;
        _assertStatus(_signed(header, _all(OPERATORS)), Status.ImpossibleShape);
        (header.rows, header.columns, header.payloadLength) = (1, 1, 1);
        _assertStatus(_signed(header, _all(OPERATORS)), Status.Valid);
        header.columns = 0;
        _assertStatus(_signed(header, _all(OPERATORS)), Status.ImpossibleShape);
        (header.rows, header.columns) = (512, 1);
        _assertStatus(_signed(header, _all(OPERATORS)), Status.ImpossibleShape);
    }

    function testFuzz_RefusesOtherQuorums(uint8 quorum) public view {
        VM.assume(quorum != 0);
        Header memory header = _header(ROWS);
        header.quorum = quorum;
        _assertStatus(_signed(header, _all(OPERATORS)), Status.UnknownQuorum);
    }

    function testFuzz_RefusesEpochsWithoutSnapshot(uint64 epoch) public view {
        Header memory header = _header(ROWS);
        VM.assume(epoch != header.epoch);
        header.epoch = epoch;
        _assertStatus(_signed(header, _all(OPERATORS)), Status.UnknownEpoch);
    }

    function test_RefusesAnEpochUntilItsSeedIsDrawn() public {
        uint64 next = registry.currentEpoch() + 1;
        _snapshot(next, OPERATORS);
        Header memory header = _header(ROWS);
        header.epoch = next;
        bytes memory early = _signed(header, _all(OPERATORS));
        _assertStatus(early, Status.UnknownEpoch);
        _drawSeed(next, keccak256("later"));
        _assertStatus(_signed(header, _all(OPERATORS)), Status.Valid);
        // Nobody can have known the seed.
        _assertStatus(early, Status.WrongSignature);
    }

    function test_ExpiresAfterTheSecondOfItsExpiry() public {
        Header memory header = _header(ROWS);
        bytes memory certificate = _signed(header, _all(OPERATORS));
        VM.warp(header.expiry);
        _assertStatus(certificate, Status.Valid);
        VM.warp(header.expiry + 1);
        _assertStatus(certificate, Status.Expired);
    }

    /// @dev Otherwise the keys of operators that were paid out long ago could certify for ever.
    function test_ExpiresWithTheLifetimeOfItsEpoch() public {
        Header memory header = _header(ROWS);
        header.expiry = type(uint64).max;
        bytes memory certificate = _signed(header, _all(OPERATORS));
        uint256 end = registry.certificatesEnd(header.epoch);
        VM.warp(end);
        _assertStatus(certificate, Status.Valid);
        VM.warp(end + 1);
        _assertStatus(certificate, Status.Expired);
    }

    /// @dev The last second of the certificates and the first of the stake are two.
    function test_PaysNoStakeOutWhileACertificateIsValid() public {
        _snapshot(1, OPERATORS);
        _drawSeed(1, keccak256("randao"));
        VM.prank(_operator(0));
        registry.requestExit();
        Header memory header = _header(ROWS);
        (header.epoch, header.expiry) = (1, type(uint64).max);
        bytes memory certificate = _signed(header, _all(OPERATORS));
        uint256 end = registry.certificatesEnd(1);
        VM.warp(end);
        _assertStatus(certificate, Status.Valid);
        VM.prank(_operator(0));
        VM.expectRevert(abi.encodeWithSelector(Operators.WithdrawalTooEarly.selector, _operator(0), end + 1));
        registry.withdraw(payable(_operator(0)));
        VM.warp(end + 1);
        _assertStatus(certificate, Status.Expired);
        VM.prank(_operator(0));
        registry.withdraw(payable(_operator(0)));
        VM.assertEq(_operator(0).balance, STAKE_MIN);
    }

    function test_RefusesSignaturesForAnotherChainRegistryEpochOrHeader() public {
        Header memory header = _header(ROWS);
        bytes32 seed = _seed(header.epoch);
        _assertWrong(header, _digestFor(header, block.chainid + 1, address(registry), seed));
        _assertWrong(header, _digestFor(header, block.chainid, address(this), seed));
        Header memory other = _header(ROWS);
        other.epoch += 1;
        _assertWrong(header, _digestFor(other, block.chainid, address(registry), seed));
        other = _header(ROWS);
        other.reservation += 1;
        _assertWrong(header, _digest(other));
        // The certificate itself does not move to another chain either.
        bytes memory certificate = _signed(header, _all(OPERATORS));
        VM.chainId(block.chainid + 1);
        _assertStatus(certificate, Status.WrongSignature);
    }

    /// @dev What the operators of an epoch sign is for one assignment of rows: that of its seed.
    function testFuzz_RefusesSignaturesForAnotherSeed(bytes32 seed) public view {
        Header memory header = _header(ROWS);
        VM.assume(seed != _seed(header.epoch));
        _assertWrong(header, _digestFor(header, block.chainid, address(registry), seed));
    }

    function testFuzz_RefusesEveryOtherHeader(uint256 bit) public view {
        bytes memory certificate = _signed(_header(ROWS), _all(OPERATORS));
        bit = bounded(bit, 0, HEADER_LENGTH * 8 - 1);
        certificate[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        VM.assertFalse(verifier.check(certificate) == Status.Valid);
    }

    function test_RefusesSignaturesOfOtherOperators() public view {
        Header memory header = _header(ROWS);
        bytes memory signature = _aggregate(_digest(header), _all(OPERATORS) ^ 1);
        _assertStatus(_assemble(header, signature, OPERATORS, _all(OPERATORS)), Status.WrongSignature);
        _assertStatus(_assemble(header, signature, OPERATORS, _all(OPERATORS) ^ 2), Status.WrongSignature);
        _assertStatus(_assemble(header, signature, OPERATORS, _all(OPERATORS) ^ 1), Status.Valid);
    }

    function test_RefusesAProofOfPossessionAsSignature() public view {
        Header memory header = _header(ROWS);
        uint256 secret = 0;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            secret = addmod(secret, _secret(i), BlsSigner.ORDER);
        }
        bytes memory proof = BlsSigner.prove(secret, _digest(header));
        _assertStatus(_assemble(header, proof, OPERATORS, _all(OPERATORS)), Status.WrongSignature);
    }

    function test_RefusesTheIdentityAsSignature() public view {
        bytes memory certificate = _assemble(_header(ROWS), new bytes(96), OPERATORS, _all(OPERATORS));
        _assertStatus(certificate, Status.WrongSignature);
    }

    function test_RefusesPointsOffTheCurve() public view {
        bytes memory signature = _aggregate(_digest(_header(ROWS)), _all(OPERATORS));
        signature[95] ^= 0x01;
        _assertNotAPoint(signature);
    }

    /// @dev (4, y) is on the curve y² = x³ + 4 = 68, and outside the subgroup of signatures.
    function test_RefusesPointsOutsideTheSubgroup() public view {
        bytes memory x = abi.encodePacked(new bytes(47), hex"04");
        bytes memory y =
            hex"0a989badd40d6212b33cffc3f3763e9bc760f988c9926b26da9dd85e928483446346b8ed00e1de5d5ea93e354abe706c";
        (bool onCurve,) = address(0x0b).staticcall(bytes.concat(_padded(x), _padded(y), new bytes(128)));
        VM.assertTrue(onCurve, "the test needs a point of the curve");
        _assertNotAPoint(bytes.concat(x, y));
    }

    function test_RefusesCoordinatesAboveTheModulus() public view {
        _assertNotAPoint(bytes.concat(new bytes(48), _modulus()));
        _assertNotAPoint(abi.encodePacked(type(uint256).max, type(uint256).max, type(uint256).max));
    }

    /// @dev Whatever comes: an answer, and no more gas than a good certificate takes twice over.
    function testFuzz_NeverReverts(bytes calldata anything) public view {
        _assertAnswers(anything);
    }

    function testFuzz_NeverRevertsOnAlteredCertificates(uint256 place, bytes32 noise, uint256 length) public view {
        bytes memory certificate = _signed(_header(ROWS), _all(OPERATORS));
        place = bounded(place, 0, certificate.length - 1);
        for (uint256 i = 0; i < 32 && place + i < certificate.length; ++i) {
            certificate[place + i] = noise[i];
        }
        _assertAnswers(certificate);
        _assertAnswers(_resized(certificate, bounded(length, 0, 2 * certificate.length)));
    }

    /// @dev Too little gas must not pass for a bad certificate, nor for a good one.
    function testFuzz_TooLittleGasIsNoAnswer(uint256 gas) public view {
        bytes memory call = abi.encodeCall(verifier.check, (_signed(_header(ROWS), _all(OPERATORS) ^ 1)));
        gas = bounded(gas, 1000, 200_000);
        (bool success, bytes memory answer) = address(verifier).staticcall{gas: gas}(call);
        if (success) VM.assertEq(abi.decode(answer, (uint256)), uint256(Status.Valid));
    }

    function _signed(Header memory header, uint256 signers) private view returns (bytes memory) {
        return _certificate(header, OPERATORS, signers);
    }

    function _assertStatus(bytes memory certificate, Status expected) private view {
        _assertEqual(verifier.check(certificate), expected);
    }

    function _assertEqual(Status actual, Status expected) private pure {
        VM.assertEq(uint256(actual), uint256(expected), "status");
    }

    function _assertWrong(Header memory header, bytes32 digest) private view {
        bytes memory signature = _aggregate(digest, _all(OPERATORS));
        _assertStatus(_assemble(header, signature, OPERATORS, _all(OPERATORS)), Status.WrongSignature);
    }

    function _assertNotAPoint(bytes memory signature) private view {
        bytes memory certificate = _assemble(_header(ROWS), signature, OPERATORS, _all(OPERATORS));
        _assertStatus(certificate, Status.SignatureNotAPoint);
        _assertAnswers(certificate);
    }

    function _assertAnswers(bytes memory certificate) private view {
        bytes memory call = abi.encodeCall(verifier.check, (certificate));
        (bool success, bytes memory answer) = address(verifier).staticcall{gas: GAS_MAX}(call);
        VM.assertTrue(success, "reverted");
        VM.assertEq(answer.length, 32);
        VM.assertLe(abi.decode(answer, (uint256)), uint256(type(Status).max), "status");
    }

    /// @dev `count` of the operators, chosen by a seed.
    function _some(uint256 seed, uint256 count) private pure returns (uint256 chosen) {
        for (uint256 i = 0; count > 0; ++i) {
            uint256 bit = 1 << (uint256(keccak256(abi.encode(seed, i))) % OPERATORS);
            if (chosen & bit != 0) continue;
            chosen |= bit;
            --count;
        }
    }

    function _resized(bytes memory data, uint256 length) private pure returns (bytes memory result) {
        result = new bytes(length);
        for (uint256 i = 0; i < length && i < data.length; ++i) {
            result[i] = data[i];
        }
    }

    function _padded(bytes memory coordinate) private pure returns (bytes memory) {
        return bytes.concat(bytes16(0), coordinate);
    }

    function _modulus() private pure returns (bytes memory) {
        return hex"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    }
}
