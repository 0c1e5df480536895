// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IBatchInbox} from "../rollup/IBatchInbox.sol";

/// @title A contract on L1 that uses what is in a batch
/// @notice Anyone brings it 31 bytes of a batch with the proof that they are there; it remembers them.
contract ElementReader {
    /// @notice The bytes are not at that place of the batch.
    error NotInBatch(uint256 batch, uint256 row, uint256 column, bytes31 payload);

    /// @notice Bytes of a batch are known now.
    event ElementRead(uint256 indexed batch, uint256 indexed row, uint256 indexed column, bytes31 payload);

    /// @notice What batches are asked of.
    IBatchInbox public immutable INBOX;

    /// @notice The bytes at a place of a batch, once they were read.
    mapping(uint256 batch => mapping(uint256 row => mapping(uint256 column => bytes31))) public payloads;

    constructor(IBatchInbox inbox) {
        INBOX = inbox;
    }

    /// @notice Reads 31 bytes at a place of a batch.
    /// @param commitment KZG commitment of the row, 48 bytes.
    /// @param opening KZG proof of the element, 48 bytes.
    /// @param proof As `IBatchInbox.verifyRow` takes it.
    function read(
        uint256 batch,
        uint256 row,
        uint256 column,
        bytes31 payload,
        bytes calldata commitment,
        bytes calldata opening,
        bytes32[] calldata proof
    ) external {
        // A field element is a zero byte and the payload.
        bytes32 element = bytes32(payload) >> 8;
        if (!INBOX.verifyElement(batch, row, column, element, commitment, opening, proof)) {
            revert NotInBatch(batch, row, column, payload);
        }
        payloads[batch][row][column] = payload;
        emit ElementRead(batch, row, column, payload);
    }
}
