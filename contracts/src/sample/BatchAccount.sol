// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Code that an EOA delegates to (EIP-7702) to send several calls in one transaction
contract BatchAccount {
    /// @notice Someone other than the account itself asked for a batch.
    error NotSelf(address caller);
    /// @notice Call `index` failed with `reason`.
    error CallFailed(uint256 index, bytes reason);

    event BatchExecuted(address indexed account, uint256 calls);

    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    /// @notice Sends `calls` in order; one failure reverts all.
    function execute(Call[] calldata calls) external payable {
        if (msg.sender != address(this)) revert NotSelf(msg.sender);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory reason) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!ok) revert CallFailed(i, reason);
        }
        emit BatchExecuted(address(this), calls.length);
    }

    receive() external payable {}
}
