// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Hashes of past blocks and what a block's header says
library L1Header {
    /// @notice Neither BLOCKHASH nor the history contract of EIP-2935 knows the block: it is to
    /// come, or more than 8191 blocks ago.
    error BlockHashUnknown(uint256 number);
    /// @notice The header is not that of the block.
    error WrongHeader(uint256 number, bytes32 expected, bytes32 actual);

    /// @notice Blocks back to which hashes are known (EIP-2935).
    uint256 internal constant HISTORY = 8191;

    address private constant HISTORY_CONTRACT = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev Place of `mixHash`, RANDAO since the merge, among the fields of a header.
    uint256 private constant MIX_HASH = 13;

    /// @notice RANDAO of block `number`, from the RLP of its header.
    function prevRandao(uint256 number, bytes calldata header) internal view returns (bytes32) {
        bytes32 expected = hashOf(number);
        bytes32 actual = keccak256(header);
        if (expected != actual) revert WrongHeader(number, expected, actual);
        // It hashes to a block's hash, so it is a list with a length of two bytes, and its fields
        // are strings in the order of the protocol.
        uint256 place = 3;
        for (uint256 field = 0; field < MIX_HASH; ++field) {
            place += _itemLength(header, place);
        }
        return bytes32(header[place + 1:place + 33]);
    }

    /// @notice Hash of a past block.
    function hashOf(uint256 number) internal view returns (bytes32 result) {
        result = blockhash(number);
        if (result != 0) return result;
        if (number < block.number && block.number - number <= HISTORY) {
            (bool found, bytes memory answer) = HISTORY_CONTRACT.staticcall(abi.encode(number));
            if (found && answer.length == 32) result = bytes32(answer);
        }
        if (result == 0) revert BlockHashUnknown(number);
    }

    /// @dev Bytes of an RLP string with its prefix.
    function _itemLength(bytes calldata header, uint256 place) private pure returns (uint256) {
        uint256 prefix = uint8(header[place]);
        if (prefix < 0x80) return 1;
        if (prefix < 0xb8) return prefix - 0x7f;
        uint256 bytesOfLength = prefix - 0xb7;
        bytes32 length = bytes32(header[place + 1:place + 1 + bytesOfLength]);
        return 1 + bytesOfLength + (uint256(length) >> (256 - 8 * bytesOfLength));
    }
}
