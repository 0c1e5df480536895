// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {BatchAccount} from "../src/sample/BatchAccount.sol";
import {Collectible} from "../src/sample/Collectible.sol";
import {Token} from "../src/sample/Token.sol";
import {Vault, VaultV2} from "../src/sample/Vault.sol";
import {VM} from "../test/Vm.sol";

/// @notice Deploys the sample contracts, uses them and upgrades the vault: eleven transactions.
/// @dev `SALT` in the environment is the CREATE2 salt of the account code.
contract DeploySample {
    function run()
        external
        returns (Token token, Collectible collectible, Vault vault, VaultV2 implementation, BatchAccount account)
    {
        address owner = msg.sender;
        VM.startBroadcast();
        token = new Token("Sample", "SMPL", 1_000_000 ether, owner);
        collectible = new Collectible(owner);
        Vault first = new Vault();
        vault = Vault(address(new ERC1967Proxy(address(first), abi.encodeCall(Vault.initialize, (owner)))));
        account = new BatchAccount{salt: VM.envOr("SALT", bytes32(0))}();

        token.mint(owner, 1_000 ether);
        require(token.transfer(address(0xBEEF), 250 ether), "transfer failed");
        collectible.mint(owner, "ipfs://one");
        vault.deposit{value: 1 ether}();

        implementation = new VaultV2();
        vault.upgradeToAndCall(address(implementation), "");
        VM.stopBroadcast();
    }
}
