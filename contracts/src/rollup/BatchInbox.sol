// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attested, ICertificateVerifier, Status} from "../da/ICertificateVerifier.sol";
import {ISigningRecords} from "../da/ISigningRecords.sol";
import {RowOpening} from "../da/RowOpening.sol";
import {RowTree} from "../da/RowTree.sol";
import {Carrier, IBatchInbox} from "./IBatchInbox.sol";
import {IBatcherSource} from "./IBatcherSource.sol";

/// @title The batch inbox: the address to which the batcher sends, as a contract that checks
/// @notice Transactions of the batcher reach `fallback`:
/// ```
/// a blob transaction     frames are in the blobs; the calldata is empty
/// 0x00 ‖ frames          frames are in the calldata
/// 0x01 ‖ 0x01 ‖ certificate    frames are in the rows that the certificate is about
/// ```
/// Whatever else is sent reverts, and a certificate that is not valid does: a transaction that
/// reverted is no batch. Of every batch one word is kept,
///
/// ```
/// carrier (1) ‖ first 31 bytes of
///   calldata      keccak256(calldata)
///   blobs         keccak256(depth ‖ root over the versioned hashes)
///   certificate   keccak256(depth ‖ hashes root ‖ signersHash)
/// ```
///
/// with `depth` as a word and `signersHash = keccak256(epoch (8) ‖ bitmap of the signers)`. No selector
/// of this contract begins with a zero or a one byte.
/// @dev Certificates are not remembered: a batcher that sends one twice has two batches with the same
/// frames, and derivation drops a frame that it has.
contract BatchInbox is IBatchInbox {
    /// @notice The sender is not the batcher.
    error NotBatcher(address sender, address batcher);
    /// @notice The source names no address.
    error NoBatcherAddress(bytes32 batcherHash);
    /// @notice The calldata begins with no known bytes.
    error UnknownBatchFormat(bytes2 start);
    /// @notice The transaction has blobs, and so its calldata must be empty.
    error CalldataBesideBlobs(uint256 length);
    /// @notice The certificate is not valid.
    error InvalidCertificate(Status status);
    /// @notice There is no batch with that index.
    error NoSuchBatch(uint256 batch, uint256 count);
    /// @notice Epoch, signers or rows are not those of the certificate of this batch.
    error WrongSigners(uint256 batch);
    /// @notice The registry refused with so little gas that it may have refused for want of it.
    error TooLittleGas(uint256 gasLeft, uint256 min);

    /// @notice A batch with its frames in the calldata of the transaction.
    event CalldataBatchAppended(uint256 indexed batch, bytes32 dataHash);
    /// @notice A batch with its frames in the blobs of the transaction.
    event BlobBatchAppended(uint256 indexed batch, bytes32[] versionedHashes);
    /// @notice A batch with its frames in rows that the DA network keeps.
    event CertificateBatchAppended(uint256 indexed batch, bytes32 indexed headerHash, bytes32 signersHash);

    /// @notice The registry does not take who signed the certificate of a batch, for this reason.
    event SigningNotRecorded(uint256 indexed batch, bytes reason);

    /// @notice Who signed the certificate of a batch, as its header and bitmap say.
    struct Signers {
        /// @notice Epoch of the header.
        uint64 epoch;
        /// @notice The bitmap.
        bytes bitmap;
        /// @notice Root of the header.
        bytes32 hashesRoot;
        /// @notice Depth of its tree: the binary logarithm of the number of original rows.
        uint256 depth;
    }

    bytes1 private constant CALLDATA_FORMAT = 0x00;
    bytes2 private constant CERTIFICATE_FORMAT = 0x0101;
    uint256 private constant CERTIFICATE_OFFSET = 2;
    bytes1 private constant KZG_VERSION = 0x01;
    /// @dev More than the registry ever takes: 200 operators have 13 words of counters, which cost
    /// 300,000 when all are set for the first time.
    uint256 private constant RECORD_GAS = 1_000_000;

    /// @notice Says who the batcher is: the SystemConfig.
    IBatcherSource public immutable BATCHER_SOURCE;
    /// @notice Verifies certificates: the router.
    ICertificateVerifier public immutable VERIFIER;
    /// @notice Counts who signs: the registry.
    ISigningRecords public immutable SIGNING_RECORDS;

    /// @notice Seconds for which the batcher is not read again: after a change the old one can append
    /// for so long at most, until the new one appends or anyone calls `readBatcher`.
    uint256 public constant BATCHER_LIFETIME = 5 minutes;

    /// @dev What every batch writes, in one slot.
    struct Head {
        uint64 batchCount;
        /// Whom the source named last.
        address batcher;
        /// When it did, in Unix seconds.
        uint32 readTime;
    }

    Head private _head;
    /// @notice The first batch whose signers are not reported to the registry.
    uint256 public nextToReport;

    mapping(uint256 batch => bytes32) private _batches;

    constructor(IBatcherSource batcherSource, ICertificateVerifier verifier, ISigningRecords signingRecords) {
        BATCHER_SOURCE = batcherSource;
        VERIFIER = verifier;
        SIGNING_RECORDS = signingRecords;
    }

    /// @notice Appends a batch; see above.
    fallback() external {
        Head memory head = _head;
        if (msg.sender != head.batcher || block.timestamp > uint256(head.readTime) + BATCHER_LIFETIME) {
            _read(head);
            if (msg.sender != head.batcher) revert NotBatcher(msg.sender, head.batcher);
        }
        uint256 batch = head.batchCount;
        unchecked {
            head.batchCount = uint64(batch + 1);
        }
        _head = head;
        if (blobhash(0) != 0) _appendBlobs(batch);
        else if (msg.data.length != 0 && bytes1(msg.data) == CALLDATA_FORMAT) _appendCalldata(batch);
        else if (bytes2(msg.data) == CERTIFICATE_FORMAT) _appendCertificate(batch, msg.data[CERTIFICATE_OFFSET:]);
        else revert UnknownBatchFormat(bytes2(msg.data));
    }

    /// @notice Reads who the batcher is. Anyone may call it, after a change for example.
    function readBatcher() external {
        Head memory head = _head;
        _read(head);
        _head = head;
    }

    /// @notice Reports to the registry who signed the next certificates. Anyone may report, in the
    /// order of the batches and none left out, so that nobody chooses which certificates an
    /// operator's signing rate is made of. A report that the registry refuses is passed over: a
    /// certificate that another registry's quorum signed must not hold up all that follow.
    function reportSigners(Signers[] calldata signers) external {
        uint256 batch = nextToReport;
        for (uint256 i = 0; i < signers.length; ++i) {
            while (carrierOf(batch) != Carrier.Certificate) ++batch;
            bytes32 signersHash = keccak256(abi.encodePacked(signers[i].epoch, signers[i].bitmap));
            bytes32 record = _certificateRecord(signers[i].depth, signers[i].hashesRoot, signersHash);
            if (record != _batches[batch]) revert WrongSigners(batch);
            nextToReport = ++batch;
            _report(batch - 1, signers[i]);
        }
    }

    /// @notice Passes over up to `limit` batches without certificate. Only needed where they are more
    /// than a report has gas for.
    function passOver(uint256 limit) external {
        uint256 batch = nextToReport;
        uint256 count = _head.batchCount;
        uint256 end = count - batch < limit ? count : batch + limit;
        while (batch < end && carrierOf(batch) != Carrier.Certificate) ++batch;
        nextToReport = batch;
    }

    /// @inheritdoc IBatchInbox
    function verifyElement(
        uint256 batch,
        uint256 row,
        uint256 column,
        bytes32 element,
        bytes calldata commitment,
        bytes calldata opening,
        bytes32[] calldata proof
    ) external view returns (bool) {
        bytes32 versionedHash =
            (sha256(commitment) & ~bytes32(bytes1(0xff))) | bytes32(KZG_VERSION);
        if (!verifyRow(batch, row, versionedHash, proof)) return false;
        return RowOpening.verify(versionedHash, column, element, commitment, opening);
    }

    /// @inheritdoc IBatchInbox
    function batchCount() external view returns (uint256) {
        return _head.batchCount;
    }

    /// @notice Whether a batch has this calldata.
    function verifyCalldata(uint256 batch, bytes calldata data) external view returns (bool) {
        return carrierOf(batch) == Carrier.Calldata && _calldataRecord(keccak256(data)) == _batches[batch];
    }

    /// @inheritdoc IBatchInbox
    function verifyRow(uint256 batch, uint256 row, bytes32 versionedHash, bytes32[] calldata proof)
        public
        view
        returns (bool)
    {
        Carrier carrier = carrierOf(batch);
        // Places behind the last blob hold zero, which is no versioned hash.
        if (carrier == Carrier.Calldata || versionedHash[0] != KZG_VERSION) return false;
        bytes32 signersHash;
        if (carrier == Carrier.Certificate) {
            if (proof.length == 0) return false;
            signersHash = proof[proof.length - 1];
            proof = proof[:proof.length - 1];
        }
        (bytes32 root, bool inside) = RowTree.rootOf(versionedHash, row, proof);
        bytes32 record = carrier == Carrier.Blobs
            ? _blobRecord(proof.length, root)
            : _certificateRecord(proof.length, root, signersHash);
        return inside && record == _batches[batch];
    }

    /// @inheritdoc IBatchInbox
    function carrierOf(uint256 batch) public view returns (Carrier) {
        if (batch >= _head.batchCount) revert NoSuchBatch(batch, _head.batchCount);
        return Carrier(uint8(bytes1(_batches[batch])));
    }

    /// @dev Whoever reports chooses the gas, and must not be able to make the registry fail with it.
    function _report(uint256 batch, Signers calldata signers) private {
        uint256 gasLeft = gasleft();
        try SIGNING_RECORDS.recordSigning(signers.epoch, signers.bitmap) {}
        catch (bytes memory reason) {
            if (gasLeft < RECORD_GAS) revert TooLittleGas(gasLeft, RECORD_GAS);
            emit SigningNotRecorded(batch, reason);
        }
    }

    /// @dev Version 0 of the batcher hash is an address. The time fits until 2106.
    function _read(Head memory head) private view {
        bytes32 batcherHash = BATCHER_SOURCE.batcherHash();
        if (uint256(batcherHash) >> 160 != 0) revert NoBatcherAddress(batcherHash);
        head.batcher = address(uint160(uint256(batcherHash)));
        head.readTime = uint32(block.timestamp);
    }

    function _appendCalldata(uint256 batch) private {
        bytes32 dataHash = keccak256(msg.data);
        _batches[batch] = _calldataRecord(dataHash);
        emit CalldataBatchAppended(batch, dataHash);
    }

    function _appendBlobs(uint256 batch) private {
        if (msg.data.length != 0) revert CalldataBesideBlobs(msg.data.length);
        uint256 count = 1;
        while (blobhash(count) != 0) ++count;
        bytes32[] memory hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = blobhash(i);
        }
        emit BlobBatchAppended(batch, hashes);
        (bytes32 root, uint256 depth) = RowTree.rootOf(hashes);
        _batches[batch] = _blobRecord(depth, root);
    }

    function _appendCertificate(uint256 batch, bytes calldata certificate) private {
        (Status status, Attested memory attested) = VERIFIER.checkAndDecode(certificate);
        if (status != Status.Valid) revert InvalidCertificate(status);
        _batches[batch] = _certificateRecord(_depth(attested.rows), attested.hashesRoot, attested.signersHash);
        emit CertificateBatchAppended(batch, attested.headerHash, attested.signersHash);
    }

    function _calldataRecord(bytes32 dataHash) private pure returns (bytes32) {
        return _record(Carrier.Calldata, dataHash);
    }

    function _blobRecord(uint256 depth, bytes32 root) private pure returns (bytes32) {
        return _record(Carrier.Blobs, keccak256(abi.encode(depth, root)));
    }

    function _certificateRecord(uint256 depth, bytes32 root, bytes32 signersHash) private pure returns (bytes32) {
        bytes32 content;
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, depth)
            mstore(add(place, 0x20), root)
            mstore(add(place, 0x40), signersHash)
            content := keccak256(place, 0x60)
        }
        return _record(Carrier.Certificate, content);
    }

    /// @dev Two different contents with the same 31 bytes take about 2^124 hashes to find, as much as
    /// breaking the curve.
    function _record(Carrier carrier, bytes32 content) private pure returns (bytes32) {
        return bytes32(uint256(carrier) << 248 | uint256(content) >> 8);
    }

    /// @dev Binary logarithm of a power of two.
    function _depth(uint256 rows) private pure returns (uint256 depth) {
        assembly ("memory-safe") {
            depth := sub(255, clz(rows))
        }
    }
}
