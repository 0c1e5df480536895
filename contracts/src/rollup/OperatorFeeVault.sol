// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Predeploys} from "./Predeploys.sol";

/// @title Receives the operator fees and passes them on to the base-fee vault
/// @custom:predeploy 0x420000000000000000000000000000000000001B
/// @notice Recipient, network and minimum are those that the OP specification fixes (Isthmus).
contract OperatorFeeVault {
    /// @notice The recipient refused the ether.
    error TransferFailed(address recipient, uint256 value);

    /// @notice Chain that the recipient is on.
    enum WithdrawalNetwork {
        L1,
        L2
    }

    /// @notice Emitted with every withdrawal, for readers of the older form.
    event Withdrawal(uint256 value, address to, address from);
    /// @notice Emitted with every withdrawal: wei, recipient, caller and the recipient's chain.
    event Withdrawal(uint256 value, address to, address from, WithdrawalNetwork withdrawalNetwork);

    /// @notice Balance in wei from which on a withdrawal is possible.
    uint256 public constant MIN_WITHDRAWAL_AMOUNT = 0;
    /// @notice Who receives the fees.
    address public constant RECIPIENT = Predeploys.BASE_FEE_VAULT;
    /// @notice Chain that the recipient is on.
    WithdrawalNetwork public constant WITHDRAWAL_NETWORK = WithdrawalNetwork.L2;

    /// @notice Wei withdrawn so far.
    uint256 public totalProcessed;

    receive() external payable {}

    /// @notice Sends the whole balance to the recipient. Anyone may call it.
    function withdraw() external returns (uint256 value) {
        value = address(this).balance;
        totalProcessed += value;
        emit Withdrawal(value, RECIPIENT, msg.sender);
        emit Withdrawal(value, RECIPIENT, msg.sender, WITHDRAWAL_NETWORK);
        (bool sent,) = RECIPIENT.call{value: value}("");
        if (!sent) revert TransferFailed(RECIPIENT, value);
    }

    /// @notice Who receives the fees.
    function recipient() external pure returns (address) {
        return RECIPIENT;
    }

    /// @notice Balance in wei from which on a withdrawal is possible.
    function minWithdrawalAmount() external pure returns (uint256) {
        return MIN_WITHDRAWAL_AMOUNT;
    }

    /// @notice Chain that the recipient is on.
    function withdrawalNetwork() external pure returns (WithdrawalNetwork) {
        return WITHDRAWAL_NETWORK;
    }

    /// @notice Semantic version.
    function version() external pure returns (string memory) {
        return "1.0.0";
    }
}
