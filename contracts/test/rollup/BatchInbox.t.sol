// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {CertificateVerifierRouter} from "../../src/da/CertificateVerifierRouter.sol";
import {Status} from "../../src/da/ICertificateVerifier.sol";
import {RowTree} from "../../src/da/RowTree.sol";
import {SigningRate} from "../../src/da/SigningRate.sol";
import {BatchInbox} from "../../src/rollup/BatchInbox.sol";
import {Carrier} from "../../src/rollup/IBatchInbox.sol";
import {IBatcherSource} from "../../src/rollup/IBatcherSource.sol";
import {VM, bounded} from "../Vm.sol";
import {DaFixture} from "../da/DaFixture.sol";

contract ChangingBatcher is IBatcherSource {
    bytes32 public batcherHash;

    function set(bytes32 batcherHash_) external {
        batcherHash = batcherHash_;
    }
}

contract BatchInboxTest is DaFixture {
    uint256 internal constant OPERATORS = 8;
    address internal constant BATCHER = address(0xba7c4e5);

    /// @dev Of a row whose first hundred elements are the hashes of "element i" without their last
    /// byte; commitment and openings by c-kzg 2.1 with the setup of Ethereum.
    bytes internal constant COMMITMENT =
        hex"a25bc912ac880ba6445be063aed8e6b2be200232cd0202a3724f9202549b22d415bcc33f39ccfc86f747c46a6d104bb0";
    bytes32 internal constant ROW_HASH = 0x011e28bc5153256e3425a8d1ed6f32147c3a7a015578786465a77c7b6eda0047;

    BatchInbox internal inbox;
    ChangingBatcher internal source;

    function setUp() public {
        _deploy();
        _quorum(OPERATORS);
        source = new ChangingBatcher();
        source.set(_hashOf(BATCHER));
        CertificateVerifierRouter router = new CertificateVerifierRouter(address(this), registry, verifier);
        inbox = new BatchInbox(source, router, registry);
        registry.setRecorder(address(inbox), true);
    }

    function testFuzz_RemembersCalldata(bytes memory frames, bytes memory other) public {
        frames = bytes.concat(hex"00", frames);
        VM.expectEmit(true, true, true, true, address(inbox));
        emit BatchInbox.CalldataBatchAppended(0, keccak256(frames));
        _send(frames);
        VM.assertEq(inbox.batchCount(), 1);
        VM.assertTrue(inbox.carrierOf(0) == Carrier.Calldata);
        VM.assertTrue(inbox.verifyCalldata(0, frames));
        VM.assertTrue(inbox.verifyCalldata(0, other) == (keccak256(other) == keccak256(frames)));
        VM.assertFalse(inbox.verifyRow(0, 0, ROW_HASH, new bytes32[](0)));
    }

    function testFuzz_RemembersBlobsInTheirOrder(uint256 count, bytes32 seed) public {
        bytes32[] memory hashes = _hashes(bounded(count, 1, 9), seed);
        VM.blobhashes(hashes);
        VM.expectEmit(true, true, true, true, address(inbox));
        emit BatchInbox.BlobBatchAppended(0, hashes);
        _send("");
        VM.assertTrue(inbox.carrierOf(0) == Carrier.Blobs);
        for (uint256 i = 0; i < hashes.length; ++i) {
            bytes32[] memory path = _path(hashes, i);
            VM.assertTrue(inbox.verifyRow(0, i, hashes[i], path));
            VM.assertFalse(inbox.verifyRow(0, i + (1 << path.length), hashes[i], path));
            if (hashes.length > 1) VM.assertFalse(inbox.verifyRow(0, i ^ 1, hashes[i], path));
            VM.assertFalse(inbox.verifyRow(0, i, hashes[i] ^ bytes32(uint256(1)), path));
        }
        bytes32[] memory behind = _path(hashes, hashes.length);
        VM.assertFalse(inbox.verifyRow(0, hashes.length, 0, behind));
        VM.assertFalse(inbox.verifyCalldata(0, ""));
    }

    function testFuzz_RemembersCertifiedRows(uint256 rowsLog, bytes32 seed) public {
        bytes32[] memory hashes = _hashes(1 << bounded(rowsLog, 0, 5), seed);
        (Header memory header, bytes memory certificate) = _certify(hashes, _all(OPERATORS));
        bytes32 signersHash = _signersHash(header, _all(OPERATORS));
        VM.expectEmit(true, true, true, true, address(inbox));
        emit BatchInbox.CertificateBatchAppended(0, keccak256(_encode(header)), signersHash);
        _send(bytes.concat(hex"0101", certificate));
        VM.assertTrue(inbox.carrierOf(0) == Carrier.Certificate);
        uint256 row = uint256(seed) % hashes.length;
        bytes32[] memory path = _append(_path(hashes, row), signersHash);
        VM.assertTrue(inbox.verifyRow(0, row, hashes[row], path));
        VM.assertFalse(inbox.verifyRow(0, row + hashes.length, hashes[row], path));
        VM.assertFalse(inbox.verifyRow(0, row, hashes[row] ^ bytes32(uint256(1)), path));
        VM.assertFalse(inbox.verifyRow(0, row, hashes[row], _path(hashes, row)));
        VM.assertFalse(inbox.verifyRow(0, row, hashes[row], new bytes32[](0)));
        path[path.length - 1] ^= bytes32(uint256(1));
        VM.assertFalse(inbox.verifyRow(0, row, hashes[row], path));
    }

    /// @dev A node that happens to begin like a versioned hash is no row: the depth is part of the record.
    function test_ANodeIsNoRow() public {
        bytes32[] memory hashes = _hashes(4, "node");
        bytes32 left;
        // About 256 tries until the node begins with 0x01.
        for (uint256 i = 0; left[0] != 0x01; ++i) {
            hashes[1] = bytes32(uint256(0x01) << 248 | i);
            left = RowTree.node(hashes[0], hashes[1]);
        }
        (Header memory header, bytes memory certificate) = _certify(hashes, _all(OPERATORS));
        _send(bytes.concat(hex"0101", certificate));
        bytes32[] memory path = new bytes32[](2);
        path[0] = RowTree.node(hashes[2], hashes[3]);
        path[1] = _signersHash(header, _all(OPERATORS));
        VM.assertFalse(inbox.verifyRow(0, 0, left, path));
    }

    function test_RefusesInvalidCertificatesWithTheirStatus() public {
        (Header memory header, bytes memory certificate) = _certify(_hashes(4, 0), 0x0f);
        _expectRefusal(certificate, Status.TooFewSlots);
        header.epoch += 1;
        _expectRefusal(_certificate(header, OPERATORS, _all(OPERATORS)), Status.UnknownEpoch);
        _expectRefusal("", Status.Malformed);
        (header, certificate) = _certify(_hashes(4, 0), _all(OPERATORS));
        header.payer = address(1);
        bytes memory signature = _aggregate(_digest(header), _all(OPERATORS) ^ 1);
        _expectRefusal(_assemble(header, signature, OPERATORS, _all(OPERATORS)), Status.WrongSignature);
        VM.assertEq(inbox.batchCount(), 0);
        // A certificate that was sent twice is two batches.
        _send(bytes.concat(hex"0101", certificate));
        _send(bytes.concat(hex"0101", certificate));
        VM.assertEq(inbox.batchCount(), 2);
    }

    function testFuzz_RefusesOtherFormats(bytes2 start, bytes memory rest) public {
        VM.assume(start[0] != 0x00 && start != 0x0101);
        bytes memory data = bytes.concat(start, rest);
        VM.assume(!_isSelector(bytes4(data)));
        _expectRevert(data, abi.encodeWithSelector(BatchInbox.UnknownBatchFormat.selector, start));
    }

    function test_RefusesEmptyAndMixedTransactions() public {
        _expectRevert("", abi.encodeWithSelector(BatchInbox.UnknownBatchFormat.selector, bytes2(0)));
        VM.blobhashes(_hashes(1, 0));
        _expectRevert(hex"00", abi.encodeWithSelector(BatchInbox.CalldataBesideBlobs.selector, 1));
    }

    function testFuzz_RefusesEverybodyButTheBatcher(address sender) public {
        VM.assume(sender != BATCHER);
        VM.prank(sender);
        (bool success, bytes memory reason) = address(inbox).call(hex"00");
        VM.assertFalse(success);
        VM.assertEq(reason, abi.encodeWithSelector(BatchInbox.NotBatcher.selector, sender, BATCHER));
    }

    function test_TakesNoEther() public {
        VM.deal(BATCHER, 1);
        VM.prank(BATCHER);
        (bool success,) = address(inbox).call{value: 1}(hex"00");
        VM.assertFalse(success);
    }

    function test_ANewBatcherActsAtOnceAndEndsTheOldOne() public {
        _send(hex"00");
        source.set(_hashOf(address(0xbee)));
        VM.prank(address(0xbee));
        (bool success,) = address(inbox).call(hex"00");
        VM.assertTrue(success);
        _expectRevert(hex"00", abi.encodeWithSelector(BatchInbox.NotBatcher.selector, BATCHER, address(0xbee)));
    }

    function test_AnOldBatcherEndsWithTheLifetime() public {
        _send(hex"00");
        source.set(_hashOf(address(0xbee)));
        VM.warp(block.timestamp + inbox.BATCHER_LIFETIME());
        _send(hex"00");
        VM.warp(block.timestamp + 1);
        _expectRevert(hex"00", abi.encodeWithSelector(BatchInbox.NotBatcher.selector, BATCHER, address(0xbee)));
    }

    function test_AnybodyEndsAnOldBatcherAtOnce() public {
        _send(hex"00");
        source.set(_hashOf(address(0xbee)));
        inbox.readBatcher();
        _expectRevert(hex"00", abi.encodeWithSelector(BatchInbox.NotBatcher.selector, BATCHER, address(0xbee)));
        VM.assertEq(inbox.batchCount(), 1);
    }

    function test_RefusesABatcherThatIsNoAddress() public {
        bytes32 hash = bytes32(uint256(1) << 248 | uint160(BATCHER));
        source.set(hash);
        _expectRevert(hex"00", abi.encodeWithSelector(BatchInbox.NoBatcherAddress.selector, hash));
    }

    function test_VerifiesElementsOfBlobsAndOfCertifiedRows() public {
        bytes32[] memory hashes = _hashes(4, "rows");
        hashes[2] = ROW_HASH;
        VM.blobhashes(hashes);
        _send("");
        VM.blobhashes(new bytes32[](0));
        (Header memory header, bytes memory certificate) = _certify(hashes, _all(OPERATORS));
        _send(bytes.concat(hex"0101", certificate));
        bytes32[] memory path = _path(hashes, 2);
        _assertElements(0, 2, path);
        _assertElements(1, 2, _append(path, _signersHash(header, _all(OPERATORS))));
        VM.assertFalse(_verifies(0, 1, 37, path));
    }

    function test_RefusesElementsElsewhereAndOtherPoints() public {
        VM.blobhashes(_single());
        _send("");
        bytes32[] memory none = new bytes32[](0);
        bytes memory proof = _opening(37);
        bytes32 element = _element(37);
        VM.assertTrue(inbox.verifyElement(0, 0, 37, element, COMMITMENT, proof, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 36, element, COMMITMENT, proof, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 4096 + 37, element, COMMITMENT, proof, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 37, element ^ bytes32(uint256(1)), COMMITMENT, proof, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 37, bytes32(type(uint256).max), COMMITMENT, proof, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 37, element, COMMITMENT, COMMITMENT, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 37, element, bytes.concat(COMMITMENT, hex"00"), proof, none));
        VM.assertFalse(inbox.verifyElement(0, 0, 37, element, COMMITMENT, bytes.concat(proof, hex"00"), none));
    }

    function test_KnowsNoBatchThatThereIsNot() public {
        _send(hex"00");
        bytes memory reason = abi.encodeWithSelector(BatchInbox.NoSuchBatch.selector, 1, 1);
        VM.expectRevert(reason);
        inbox.carrierOf(1);
        VM.expectRevert(reason);
        inbox.verifyRow(1, 0, ROW_HASH, new bytes32[](0));
        VM.expectRevert(reason);
        inbox.verifyCalldata(1, "");
    }

    function test_ReportsSignersInTheOrderOfTheBatches() public {
        bytes32[] memory hashes = _hashes(4, 0);
        (Header memory header, bytes memory certificate) = _certify(hashes, _all(OPERATORS));
        (, bytes memory fewer) = _certify(hashes, _all(OPERATORS) ^ 5);
        _send(hex"00");
        _send(bytes.concat(hex"0101", certificate));
        _send(hex"00");
        _send(bytes.concat(hex"0101", fewer));
        BatchInbox.Signers[] memory reports = new BatchInbox.Signers[](2);
        reports[0] = BatchInbox.Signers(header.epoch, _bitmap(OPERATORS, _all(OPERATORS)), header.hashesRoot, 2);
        reports[1] = BatchInbox.Signers(header.epoch, _bitmap(OPERATORS, _all(OPERATORS) ^ 5), header.hashesRoot, 2);
        // Leaving out the first certificate, where all signed, is not possible.
        BatchInbox.Signers[] memory second = new BatchInbox.Signers[](1);
        second[0] = reports[1];
        VM.expectRevert(abi.encodeWithSelector(BatchInbox.WrongSigners.selector, 1));
        inbox.reportSigners(second);
        inbox.reportSigners(reports);
        VM.assertEq(inbox.nextToReport(), 4);
        VM.assertEq(registry.certificatesOf(header.epoch), 2);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            VM.assertEq(registry.missesOf(header.epoch, i), i == 0 || i == 2 ? 1 : 0);
        }
        VM.expectRevert(abi.encodeWithSelector(BatchInbox.NoSuchBatch.selector, 4, 4));
        inbox.reportSigners(second);
    }

    function test_PassesOverBatchesWithoutCertificateOnly() public {
        for (uint256 i = 0; i < 5; ++i) {
            _send(hex"00");
        }
        (, bytes memory certificate) = _certify(_hashes(4, 0), _all(OPERATORS));
        _send(bytes.concat(hex"0101", certificate));
        inbox.passOver(3);
        VM.assertEq(inbox.nextToReport(), 3);
        inbox.passOver(type(uint256).max);
        VM.assertEq(inbox.nextToReport(), 5);
        inbox.passOver(1);
        VM.assertEq(inbox.nextToReport(), 5);
    }

    /// @dev The certificate behind the one that the registry refuses is counted.
    function test_PassesOverWhatTheRegistryRefuses() public {
        BatchInbox.Signers[] memory reports = _certifyOne();
        registry.setRecorder(address(inbox), false);
        VM.expectEmit(true, true, true, true, address(inbox));
        bytes memory reason = abi.encodeWithSelector(SigningRate.NotRecorder.selector, address(inbox));
        emit BatchInbox.SigningNotRecorded(0, reason);
        inbox.reportSigners(reports);
        VM.assertEq(inbox.nextToReport(), 1);
        VM.assertEq(registry.certificatesOf(reports[0].epoch), 0);
        registry.setRecorder(address(inbox), true);
        _certifyOne();
        inbox.reportSigners(reports);
        VM.assertEq(inbox.nextToReport(), 2);
        VM.assertEq(registry.certificatesOf(reports[0].epoch), 1);
    }

    /// @dev Else an operator could have the certificates passed over that it did not sign.
    function test_NobodyHasAReportPassedOverForWantOfGas() public {
        BatchInbox.Signers[] memory reports = _certifyOne();
        bytes memory call = abi.encodeCall(inbox.reportSigners, (reports));
        bytes4 starved = BatchInbox.TooLittleGas.selector;
        for (uint256 gas = 20_000; inbox.nextToReport() == 0; gas += 500) {
            VM.assertEq(registry.certificatesOf(reports[0].epoch), 0);
            (bool success,) = address(inbox).call{gas: gas}(call);
            VM.assertTrue(success == (inbox.nextToReport() == 1));
        }
        VM.assertEq(registry.certificatesOf(reports[0].epoch), 1);
        // A registry that refuses for another reason is passed over with enough gas only.
        registry.setRecorder(address(inbox), false);
        call = abi.encodeCall(inbox.reportSigners, (_certifyOne()));
        (bool passed, bytes memory why) = address(inbox).call{gas: 500_000}(call);
        VM.assertFalse(passed);
        VM.assertTrue(bytes4(why) == starved);
        (passed,) = address(inbox).call{gas: 1_200_000}(call);
        VM.assertTrue(passed);
        VM.assertEq(inbox.nextToReport(), 2);
    }

    /// @dev What the batcher sends begins with a zero or a one byte and must reach the fallback.
    function test_NoSelectorBeginsLikeABatch() public pure {
        bytes4[] memory selectors = _selectors();
        for (uint256 i = 0; i < selectors.length; ++i) {
            VM.assertTrue(uint8(selectors[i][0]) > 1);
        }
    }

    function _selectors() private pure returns (bytes4[] memory list) {
        list = new bytes4[](13);
        list[0] = BatchInbox.batchCount.selector;
        list[1] = BatchInbox.carrierOf.selector;
        list[2] = BatchInbox.verifyRow.selector;
        list[3] = BatchInbox.verifyElement.selector;
        list[4] = BatchInbox.verifyCalldata.selector;
        list[5] = BatchInbox.reportSigners.selector;
        list[6] = BatchInbox.passOver.selector;
        list[7] = BatchInbox.readBatcher.selector;
        list[8] = bytes4(keccak256("nextToReport()"));
        list[9] = bytes4(keccak256("BATCHER_LIFETIME()"));
        list[10] = bytes4(keccak256("BATCHER_SOURCE()"));
        list[11] = bytes4(keccak256("VERIFIER()"));
        list[12] = bytes4(keccak256("SIGNING_RECORDS()"));
    }

    function _isSelector(bytes4 start) private pure returns (bool) {
        bytes4[] memory selectors = _selectors();
        for (uint256 i = 0; i < selectors.length; ++i) {
            if (selectors[i] == start) return true;
        }
        return false;
    }

    function _send(bytes memory data) private {
        VM.prank(BATCHER);
        (bool success, bytes memory reason) = address(inbox).call(data);
        VM.assertEq(reason, "");
        VM.assertTrue(success);
    }

    function _expectRevert(bytes memory data, bytes memory expected) private {
        VM.prank(BATCHER);
        (bool success, bytes memory reason) = address(inbox).call(data);
        VM.assertFalse(success);
        VM.assertEq(reason, expected);
    }

    function _expectRefusal(bytes memory certificate, Status status) private {
        bytes memory reason = abi.encodeWithSelector(BatchInbox.InvalidCertificate.selector, status);
        _expectRevert(bytes.concat(hex"0101", certificate), reason);
    }

    /// @dev Appends a certificate of one row that all signed; returns its report.
    function _certifyOne() private returns (BatchInbox.Signers[] memory reports) {
        (Header memory header, bytes memory certificate) = _certify(_hashes(1, 0), _all(OPERATORS));
        _send(bytes.concat(hex"0101", certificate));
        reports = new BatchInbox.Signers[](1);
        reports[0] = BatchInbox.Signers(header.epoch, _bitmap(OPERATORS, _all(OPERATORS)), header.hashesRoot, 0);
    }

    function _certify(bytes32[] memory hashes, uint256 signers)
        private
        view
        returns (Header memory header, bytes memory certificate)
    {
        header = _header(uint16(hashes.length));
        header.hashesRoot = _root(hashes);
        certificate = _certificate(header, OPERATORS, signers);
    }

    function _signersHash(Header memory header, uint256 signers) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(header.epoch, _bitmap(OPERATORS, signers)));
    }

    function _assertElements(uint256 batch, uint256 row, bytes32[] memory path) private view {
        VM.assertTrue(_verifies(batch, row, 0, path));
        VM.assertTrue(_verifies(batch, row, 1, path));
        VM.assertTrue(_verifies(batch, row, 37, path));
        VM.assertTrue(_verifies(batch, row, 100, path));
        VM.assertTrue(_verifies(batch, row, 4095, path));
    }

    function _verifies(uint256 batch, uint256 row, uint256 column, bytes32[] memory path) private view returns (bool) {
        return inbox.verifyElement(batch, row, column, _element(column), COMMITMENT, _opening(column), path);
    }

    function _element(uint256 column) private pure returns (bytes32) {
        if (column >= 100) return 0;
        return sha256(abi.encodePacked("element ", VM.toString(column))) >> 8;
    }

    function _opening(uint256 column) private pure returns (bytes memory) {
        if (column == 0) {
            return hex"9572fa210c52dca23ad1aa7d329b73367144fd07028ca44e356a7b49a5428daa6489cb83c790ac0b38b30ef744852d28";
        }
        if (column == 1) {
            return hex"92c5be915a1baac9f405c1372ee9397c5e85953c71f6079e19cbf1faeedb79a6bf85dfab59c9b874fcab9ac9c3567462";
        }
        if (column == 37) {
            return hex"a7406b9ce7ecb251279b41b08ca129ebc9de8e3a4c57029de337ce5e8dab602105256e453151accc6660241fa476cdd8";
        }
        if (column == 100) {
            return hex"89325441591b8658213a77aacc18bf28331960c64cbd9d008518f7501e4b4fd2a539ee23aae79768c816c1c1b77c6af6";
        }
        return hex"aab4e33976ae6ef302e49d76adbf0579a35d54ed24926cc951f3ab1af221acd358090beb639dc1ceb2b020c530110fb4";
    }

    function _single() private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](1);
        hashes[0] = ROW_HASH;
    }

    function _hashes(uint256 count, bytes32 seed) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = keccak256(abi.encode(seed, i)) >> 8 | bytes32(bytes1(0x01));
        }
    }

    /// @dev A reference: leaves filled up with zeros to a power of two, level by level.
    function _level(bytes32[] memory leaves, uint256 height) private pure returns (bytes32[] memory level) {
        uint256 width = 1;
        while (width < leaves.length) width *= 2;
        level = new bytes32[](width);
        for (uint256 i = 0; i < leaves.length; ++i) {
            level[i] = leaves[i];
        }
        for (; height > 0; --height) {
            bytes32[] memory above = new bytes32[](level.length / 2);
            for (uint256 i = 0; i < above.length; ++i) {
                above[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            }
            level = above;
        }
    }

    function _depth(bytes32[] memory leaves) private pure returns (uint256 depth) {
        while (1 << depth < leaves.length) ++depth;
    }

    function _root(bytes32[] memory leaves) private pure returns (bytes32) {
        return _level(leaves, _depth(leaves))[0];
    }

    function _path(bytes32[] memory leaves, uint256 index) private pure returns (bytes32[] memory path) {
        uint256 depth = _depth(leaves);
        path = new bytes32[](depth);
        if (index >= 1 << depth) return path;
        for (uint256 height = 0; height < depth; ++height) {
            path[height] = _level(leaves, height)[(index >> height) ^ 1];
        }
    }

    function _append(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }

    function _hashOf(address batcher) private pure returns (bytes32) {
        return bytes32(uint256(uint160(batcher)));
    }
}
