// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What carries a batch.
enum Carrier {
    /// Frames in the calldata.
    Calldata,
    /// Frames in the blobs of the transaction.
    Blobs,
    /// Frames in the rows of a matrix that the DA network keeps.
    Certificate
}

/// @title What other contracts on L1 ask the batch inbox
interface IBatchInbox {
    /// @notice Number of batches; their indices begin with zero.
    function batchCount() external view returns (uint256);

    /// @notice What carries a batch.
    function carrierOf(uint256 batch) external view returns (Carrier);

    /// @notice Whether `versionedHash` is that of row `row` of a batch: of a blob, or of an original
    /// row of a matrix.
    /// @param proof For blobs the siblings in the tree over the versioned hashes, filled up with zeros
    /// to a power of two; for a certificate the siblings in the tree of the header and then the
    /// `signersHash` of the event. Lowest sibling first.
    function verifyRow(uint256 batch, uint256 row, bytes32 versionedHash, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice Whether `element` is at `column` of row `row` of a batch.
    /// @param element Field element, 32 bytes; 31 payload bytes behind a zero byte in a certified row.
    /// @param commitment KZG commitment of the row, 48 bytes.
    /// @param opening KZG proof of the element, 48 bytes.
    /// @param proof As for `verifyRow`.
    function verifyElement(
        uint256 batch,
        uint256 row,
        uint256 column,
        bytes32 element,
        bytes calldata commitment,
        bytes calldata opening,
        bytes32[] calldata proof
    ) external view returns (bool);
}
