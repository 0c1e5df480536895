// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Stands for a call of an ordinary application: a chain of hashes over calldata
/// and a few storage words, spread so that calls rarely touch the same word.
contract WorkLoop {
    mapping(uint256 => uint256) public cells;

    event Worked(address indexed caller, uint256 seed, bytes32 digest);

    function work(uint256 seed, uint256 hashes, uint256 writes) external {
        bytes32 digest = bytes32(seed);
        for (uint256 i = 0; i < hashes; i++) {
            digest = keccak256(abi.encode(digest, i));
        }
        for (uint256 i = 0; i < writes; i++) {
            cells[uint256(keccak256(abi.encode(digest, i))) % 4096] += 1;
        }
        emit Worked(msg.sender, seed, digest);
    }
}
