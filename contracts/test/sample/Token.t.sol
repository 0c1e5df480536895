// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Token} from "../../src/sample/Token.sol";
import {VM} from "../Vm.sol";

contract TokenTest {
    uint256 internal constant CAP = 1_000 ether;
    bytes32 internal constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    Token internal token;

    function setUp() public {
        token = new Token("Sample", "SMPL", CAP, address(this));
    }

    function testFuzz_MintsUpToTheCap(address to, uint256 amount) public {
        VM.assume(to != address(0));
        if (amount > CAP) {
            VM.expectRevert(abi.encodeWithSelector(Token.CapExceeded.selector, amount, CAP));
        }
        token.mint(to, amount);
        VM.assertEq(token.balanceOf(to), amount > CAP ? 0 : amount);
    }

    function test_OnlyTheOwnerMints() public {
        VM.prank(address(0xBAD));
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(0xBAD)));
        token.mint(address(0xBAD), 1);
    }

    function test_PermitSetsTheAllowanceOfTheSigner() public {
        uint256 key = 0xA11CE;
        address owner = VM.addr(key);
        bytes32 message = keccak256(abi.encode(PERMIT, owner, address(this), 7 ether, 0, block.timestamp));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), message));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, digest);
        token.permit(owner, address(this), 7 ether, block.timestamp, v, r, s);
        VM.assertEq(token.allowance(owner, address(this)), 7 ether);
    }
}
