// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Vault, VaultV2} from "../../src/sample/Vault.sol";
import {VM} from "../Vm.sol";

contract VaultTest {
    Vault internal vault;

    receive() external payable {}

    function setUp() public {
        bytes memory call = abi.encodeCall(Vault.initialize, (address(this)));
        vault = Vault(address(new ERC1967Proxy(address(new Vault()), call)));
    }

    function testFuzz_WithdrawReturnsWhatWasDeposited(uint96 amount) public {
        VM.deal(address(this), amount);
        vault.deposit{value: amount}();
        VM.assertEq(vault.balanceOf(address(this)), amount);
        vault.withdraw(amount);
        VM.assertEq(address(this).balance, amount);
    }

    function test_WithdrawAboveTheBalanceReverts() public {
        VM.expectRevert(abi.encodeWithSignature("Error(string)", "Vault: balance too low"));
        vault.withdraw(1);
    }

    function test_AverageOfNobodyPanics() public {
        VM.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x12));
        vault.averageBalance();
    }

    function test_UpgradeKeepsBalances() public {
        VM.deal(address(this), 2 ether);
        vault.deposit{value: 2 ether}();
        vault.upgradeToAndCall(address(new VaultV2()), "");
        VM.assertEq(vault.version(), 2);
        VM.assertEq(vault.balanceOf(address(this)), 2 ether);
        VM.assertEq(VaultV2(address(vault)).total(), 2 ether);
    }

    function test_OnlyTheOwnerUpgrades() public {
        address next = address(new VaultV2());
        VM.prank(address(0xBAD));
        VM.expectRevert(abi.encodeWithSelector(Vault.NotOwner.selector, address(0xBAD)));
        vault.upgradeToAndCall(next, "");
    }

    function test_InitializesOnce() public {
        VM.expectRevert(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        vault.initialize(address(0xBAD));
    }
}
