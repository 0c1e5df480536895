// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// OpenZeppelin's token as published, plus a mint that serves many holders in
/// one transaction, so that preparing a run does not cost one per sender.
contract BenchToken is ERC20 {
    constructor() ERC20("Bench", "BENCH") {}

    function mintMany(address[] calldata holders, uint256 amount) external {
        for (uint256 i = 0; i < holders.length; i++) {
            _mint(holders[i], amount);
        }
    }
}
