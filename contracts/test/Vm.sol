// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice The forge cheat codes that tests and scripts here use.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function assertEq(address left, address right) external pure;
    function assertEq(bytes32 left, bytes32 right) external pure;
    function assertEq(string calldata left, string calldata right) external pure;
    function assertEq(uint256 left, uint256 right) external pure;
    function assume(bool condition) external pure;
    function envOr(string calldata name, bytes32 fallback_) external view returns (bytes32);
    function deal(address account, uint256 balance) external;
    function etch(address account, bytes calldata code) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectRevert(bytes calldata revertData) external;
    function fee(uint256 baseFee) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function startBroadcast() external;
    function stopBroadcast() external;
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
