// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @title Holds ether per depositor; upgraded by its owner through UUPS
/// @dev Runs behind an ERC1967Proxy. Its reverts are of the three kinds that a client decodes:
/// a custom error, a reason string and a panic.
contract Vault is Initializable, UUPSUpgradeable {
    /// @notice `caller` is not the owner.
    error NotOwner(address caller);

    event Deposited(address indexed depositor, uint256 amount, uint256 balance);
    event Withdrawn(address indexed depositor, uint256 amount);

    /// @notice Who may upgrade.
    address public owner;
    /// @notice What each depositor holds, in wei.
    mapping(address depositor => uint256 amount) public balanceOf;
    /// @notice Depositors in the order of their first deposit.
    address[] public depositors;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets the owner, once for each proxy.
    function initialize(address owner_) external initializer {
        owner = owner_;
    }

    /// @notice Adds the sent ether to the caller's balance.
    function deposit() external payable {
        if (balanceOf[msg.sender] == 0) depositors.push(msg.sender);
        balanceOf[msg.sender] += msg.value;
        emit Deposited(msg.sender, msg.value, balanceOf[msg.sender]);
    }

    /// @notice Sends `amount` wei of the caller's balance back.
    function withdraw(uint256 amount) external {
        require(balanceOf[msg.sender] >= amount, "Vault: balance too low");
        balanceOf[msg.sender] -= amount;
        (bool sent,) = msg.sender.call{value: amount}("");
        require(sent, "Vault: recipient refused");
        emit Withdrawn(msg.sender, amount);
    }

    /// @notice The mean balance, in wei; panics while nobody has deposited.
    function averageBalance() external view returns (uint256) {
        return address(this).balance / depositors.length;
    }

    /// @notice The version of this implementation.
    function version() external pure virtual returns (uint256) {
        return 1;
    }

    function _authorizeUpgrade(address) internal view override {
        if (msg.sender != owner) revert NotOwner(msg.sender);
    }
}

/// @title The implementation that a Vault is upgraded to
contract VaultV2 is Vault {
    /// @notice The wei that all depositors hold.
    function total() external view returns (uint256) {
        return address(this).balance;
    }

    /// @inheritdoc Vault
    function version() external pure override returns (uint256) {
        return 2;
    }
}
