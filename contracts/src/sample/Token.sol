// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title An ERC-20 with permit, an owner who mints, and a cap
/// @notice The first contract that the client scripts deploy.
contract Token is ERC20, ERC20Permit, Ownable {
    /// @notice A mint would bring the supply to `supply`, above `cap`.
    error CapExceeded(uint256 supply, uint256 cap);

    /// @notice The largest supply, in base units.
    uint256 public immutable cap;

    constructor(string memory name_, string memory symbol_, uint256 cap_, address owner_)
        ERC20(name_, symbol_)
        ERC20Permit(name_)
        Ownable(owner_)
    {
        cap = cap_;
    }

    /// @notice Creates `amount` base units for `to`.
    function mint(address to, uint256 amount) external onlyOwner {
        uint256 supply = totalSupply() + amount;
        if (supply > cap) revert CapExceeded(supply, cap);
        _mint(to, amount);
    }
}
