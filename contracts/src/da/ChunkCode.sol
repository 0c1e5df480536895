// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Bytes kept as the code of a contract of their own
/// @notice Written once, readable from everywhere, changed by nobody: the code starts with STOP, so
/// a call does nothing and the contract cannot be destroyed. Reading 32 bytes costs 3 gas after the
/// first access; a storage slot costs 2100.
library ChunkCode {
    /// @notice The chunk could not be deployed: a contract has up to 24,576 bytes (EIP-170), the STOP
    /// among them.
    error ChunkNotStored(uint256 length);

    /// @dev PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: ten bytes that return what
    /// follows them.
    uint256 private constant LOADER = 0x61000080600a5f395ff3;
    uint256 private constant LOADER_LENGTH = 10;

    /// @notice Stores `length` bytes of memory from `place`. Overwrites the 32 bytes in front of them
    /// and puts them back.
    function store(uint256 place, uint256 length) internal returns (address chunk) {
        // The loader and the STOP stand right in front of the data.
        uint256 prefix = ((LOADER | ((length + 1) << 56)) << 8);
        assembly ("memory-safe") {
            let saved := mload(sub(place, 0x20))
            mstore(sub(place, 0x20), prefix)
            let total := add(add(LOADER_LENGTH, 1), length)
            chunk := create(0, sub(place, add(LOADER_LENGTH, 1)), total)
            mstore(sub(place, 0x20), saved)
        }
        if (chunk == address(0)) revert ChunkNotStored(length);
    }

    /// @notice Copies `length` bytes of the chunk from `offset` on to memory at `place`. Beyond the end
    /// of the chunk there are zeros.
    function copy(address chunk, uint256 offset, uint256 length, uint256 place) internal view {
        assembly ("memory-safe") {
            extcodecopy(chunk, place, add(offset, 1), length)
        }
    }
}
