// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorFeeVault} from "../../src/rollup/OperatorFeeVault.sol";
import {Predeploys} from "../../src/rollup/Predeploys.sol";
import {VM} from "../Vm.sol";

contract OperatorFeeVaultTest {
    event Withdrawal(uint256 value, address to, address from, OperatorFeeVault.WithdrawalNetwork withdrawalNetwork);

    OperatorFeeVault internal vault;

    function setUp() public {
        vault = new OperatorFeeVault();
    }

    function testFuzz_WithdrawalMovesTheBalanceToTheBaseFeeVault(uint96 first, uint96 second) public {
        VM.deal(address(vault), first);
        VM.assertEq(vault.withdraw(), first);
        VM.deal(address(vault), second);
        VM.expectEmit(true, true, true, true, address(vault));
        emit Withdrawal(second, Predeploys.BASE_FEE_VAULT, address(this), OperatorFeeVault.WithdrawalNetwork.L2);
        vault.withdraw();
        VM.assertEq(Predeploys.BASE_FEE_VAULT.balance, uint256(first) + second);
        VM.assertEq(vault.totalProcessed(), uint256(first) + second);
        VM.assertEq(address(vault).balance, 0);
    }

    function test_RecipientThatRefusesRevertsTheWithdrawal() public {
        // PUSH0 DUP1 REVERT
        VM.etch(Predeploys.BASE_FEE_VAULT, hex"5f80fd");
        VM.deal(address(vault), 5);
        VM.expectRevert(abi.encodeWithSelector(OperatorFeeVault.TransferFailed.selector, Predeploys.BASE_FEE_VAULT, 5));
        vault.withdraw();
        VM.assertEq(vault.totalProcessed(), 0);
    }

    function test_TermsAreThoseOfTheSpecification() public view {
        VM.assertEq(vault.recipient(), Predeploys.BASE_FEE_VAULT);
        VM.assertEq(vault.RECIPIENT(), Predeploys.BASE_FEE_VAULT);
        VM.assertEq(vault.minWithdrawalAmount() + vault.MIN_WITHDRAWAL_AMOUNT(), 0);
        VM.assertEq(uint256(vault.withdrawalNetwork()), uint256(OperatorFeeVault.WithdrawalNetwork.L2));
        VM.assertEq(uint256(vault.WITHDRAWAL_NETWORK()), 1);
    }
}
