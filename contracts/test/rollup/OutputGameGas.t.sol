// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {GameStatus} from "../../src/rollup/IDisputeGame.sol";
import {OutputGame} from "../../src/rollup/OutputGame.sol";
import {VM} from "../Vm.sol";
import {GameFixture} from "./GameFixture.sol";

/// @notice What whole transactions cost: each call here is one, with cold access and intrinsic gas.
contract OutputGameGasTest is GameFixture {
    OutputGame private game;

    function setUp() public {
        _deployGames();
        _setAnchor(10);
        game = _propose(keccak256("first"), 11);
    }

    /// forge-config: default.isolate = true
    function test_Proposal() public {
        _propose(keccak256("second"), 12);
        _record("proposal", 220_000);
    }

    /// forge-config: default.isolate = true
    function test_Challenge() public {
        _challenge(game, BOND);
        _record("challenge", 55_000);
    }

    /// forge-config: default.isolate = true
    function test_Decision() public {
        _challenge(game, BOND);
        _decide(game, GameStatus.DEFENDER_WINS);
        _record("decision for the proposer", 82_000);
    }

    /// forge-config: default.isolate = true
    function test_Resolution() public {
        VM.warp(game.challengeEnd());
        game.resolve();
        _record("resolution", 75_000);
        game.claimCredit(PROPOSER);
        _record("payment of the bond", 70_000);
    }

    function _record(string memory name, uint256 max) private {
        uint256 gas = VM.lastCallGas().gasTotalUsed;
        VM.assertLe(gas, max, name);
        VM.snapshotValue("output-game", name, gas);
    }
}
