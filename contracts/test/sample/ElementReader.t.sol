// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateVerifier} from "../../src/da/ICertificateVerifier.sol";
import {ISigningRecords} from "../../src/da/ISigningRecords.sol";
import {BatchInbox} from "../../src/rollup/BatchInbox.sol";
import {IBatcherSource} from "../../src/rollup/IBatcherSource.sol";
import {ElementReader} from "../../src/sample/ElementReader.sol";
import {VM} from "../Vm.sol";

contract ElementReaderTest is IBatcherSource {
    /// @dev Of a blob whose first hundred elements are the hashes of "element i" without their last
    /// byte; commitment and opening of element 37 by c-kzg 2.1 with the setup of Ethereum.
    bytes32 private constant BLOB_HASH = 0x011e28bc5153256e3425a8d1ed6f32147c3a7a015578786465a77c7b6eda0047;
    bytes private constant COMMITMENT =
        hex"a25bc912ac880ba6445be063aed8e6b2be200232cd0202a3724f9202549b22d415bcc33f39ccfc86f747c46a6d104bb0";
    bytes private constant OPENING =
        hex"a7406b9ce7ecb251279b41b08ca129ebc9de8e3a4c57029de337ce5e8dab602105256e453151accc6660241fa476cdd8";
    uint256 private constant COLUMN = 37;

    BatchInbox private inbox;
    ElementReader private reader;

    function setUp() public {
        inbox = new BatchInbox(this, ICertificateVerifier(address(0)), ISigningRecords(address(0)));
        reader = new ElementReader(inbox);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = BLOB_HASH;
        VM.blobhashes(hashes);
        (bool success,) = address(inbox).call("");
        VM.assertTrue(success);
    }

    function batcherHash() external view returns (bytes32) {
        return bytes32(uint256(uint160(address(this))));
    }

    function test_ReadsWhatIsInTheBatch() public {
        bytes31 payload = _payload();
        VM.expectEmit(true, true, true, true, address(reader));
        emit ElementReader.ElementRead(0, 0, COLUMN, payload);
        reader.read(0, 0, COLUMN, payload, COMMITMENT, OPENING, new bytes32[](0));
        VM.assertEq(bytes32(reader.payloads(0, 0, COLUMN)), bytes32(payload));
    }

    function testFuzz_ReadsNothingElse(bytes31 payload, uint256 column) public {
        VM.assume(payload != _payload() || column != COLUMN);
        VM.expectRevert(abi.encodeWithSelector(ElementReader.NotInBatch.selector, 0, 0, column, payload));
        reader.read(0, 0, column, payload, COMMITMENT, OPENING, new bytes32[](0));
        VM.assertEq(bytes32(reader.payloads(0, 0, column)), bytes32(0));
    }

    function test_ReadsNoBatchThatThereIsNot() public {
        bytes31 payload = _payload();
        VM.expectRevert(abi.encodeWithSelector(BatchInbox.NoSuchBatch.selector, 1, 1));
        reader.read(1, 0, COLUMN, payload, COMMITMENT, OPENING, new bytes32[](0));
    }

    function _payload() private pure returns (bytes31) {
        return bytes31(sha256(abi.encodePacked("element ", VM.toString(COLUMN))));
    }
}
