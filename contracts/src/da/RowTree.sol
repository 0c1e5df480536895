// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The Merkle tree over the versioned hashes of rows
/// @notice Binary, node = keccak256(left ‖ right), the hashes themselves as leaves. The root says
/// something together with its depth only, since a node could pass for a leaf without it.
library RowTree {
    /// @notice Root of the tree in which `leaf` is at `index` with the siblings of `path`, lowest
    /// first.
    /// @return root The root.
    /// @return inside Whether a tree of that depth has a leaf at `index`.
    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 root, bool inside)
    {
        root = leaf;
        for (uint256 level = 0; level < path.length; ++level) {
            root = index & 1 == 0 ? node(root, path[level]) : node(path[level], root);
            index >>= 1;
        }
        inside = index == 0;
    }

    /// @notice Root and depth of the lowest tree that holds `leaves`, with zeros behind them.
    /// Overwrites `leaves`. There must be at least one.
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32 root, uint256 depth) {
        uint256 count = leaves.length;
        bytes32 empty;
        while (count > 1) {
            uint256 pairs = (count + 1) / 2;
            for (uint256 i = 0; i < pairs; ++i) {
                leaves[i] = node(leaves[2 * i], 2 * i + 1 < count ? leaves[2 * i + 1] : empty);
            }
            empty = node(empty, empty);
            count = pairs;
            ++depth;
        }
        root = leaves[0];
    }

    /// @notice The node above two others.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            result := keccak256(0, 0x40)
        }
    }
}
