// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnchorStateRegistry} from "../../src/rollup/IAnchorStateRegistry.sol";
import {GameStatus} from "../../src/rollup/IDisputeGame.sol";
import {OutputGame} from "../../src/rollup/OutputGame.sol";
import {VM, bounded} from "../Vm.sol";
import {GameFixture, IFactory} from "./GameFixture.sol";

/// @notice Does to games what accounts and time can do to them, in any order, and keeps its own books.
contract GameActor is GameFixture {
    OutputGame[] public games;
    /// @notice Wei put into a game.
    mapping(OutputGame game => uint256) public paidIn;
    /// @notice Wei that came out of it.
    mapping(OutputGame game => uint256) public paidOut;
    mapping(OutputGame game => bool) public isChallenged;
    mapping(OutputGame game => GameStatus) public verdicts;
    /// @notice How each game was seen to end; an end must not change.
    mapping(OutputGame game => GameStatus) public ends;
    uint256 public challenges;
    uint256 public decisions;
    uint256 public silences;
    uint256 public defences;

    constructor(IFactory factory_, IAnchorStateRegistry anchors_) {
        factory = factory_;
        anchors = anchors_;
    }

    function propose(bytes32 root, uint256 ahead) external {
        (, uint256 anchor) = anchors.anchors(GAME_TYPE);
        OutputGame game = _propose(root, anchor + bounded(ahead, 1, 20));
        games.push(game);
        paidIn[game] = BOND;
    }

    function challenge(uint256 which, uint256 bond) external {
        if (games.length == 0) return;
        OutputGame game = _game(which);
        bond = bounded(bond, BOND / 2, 3 * BOND);
        VM.deal(CHALLENGER, bond);
        VM.prank(CHALLENGER);
        try game.challenge{value: bond}() {
            paidIn[game] += bond;
            isChallenged[game] = true;
            ++challenges;
        } catch {}
    }

    function decide(uint256 which, uint8 verdict, bool arbiter) external {
        if (games.length == 0) return;
        OutputGame game = _game(which);
        VM.prank(arbiter ? ARBITER : CHALLENGER);
        try game.decide(GameStatus(verdict % 3)) {
            verdicts[game] = GameStatus(verdict % 3);
            ++decisions;
        } catch {}
        _look(game);
    }

    function resolve(uint256 which) external {
        if (games.length == 0) return;
        OutputGame game = _game(which);
        try game.resolve() {
            if (isChallenged[game]) ++silences;
            else ++defences;
        } catch {}
        _look(game);
    }

    function claim(uint256 which, bool proposer) external {
        if (games.length == 0) return;
        OutputGame game = _game(which);
        address account = proposer ? PROPOSER : CHALLENGER;
        uint256 before = account.balance;
        try game.claimCredit(account) {
            paidOut[game] += account.balance - before;
        } catch {}
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + bounded(time, 1, CHALLENGE_WINDOW));
    }

    function gameCount() external view returns (uint256) {
        return games.length;
    }

    /// @dev The latest are the ones where something can happen.
    function _game(uint256 which) private view returns (OutputGame) {
        uint256 count = games.length;
        return games[count - 1 - bounded(which, 0, count < 4 ? count - 1 : 3)];
    }

    function _look(OutputGame game) private {
        if (ends[game] == GameStatus.IN_PROGRESS) ends[game] = game.status();
    }
}

/// forge-config: default.invariant.runs = 24
/// forge-config: default.invariant.depth = 80
contract OutputGameInvariants is GameFixture {
    GameActor internal actor;

    function setUp() public {
        _deployGames();
        _setAnchor(0);
        actor = new GameActor(factory, anchors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function invariant_BondsAreConserved() public view {
        for (uint256 i = 0; i < actor.gameCount(); ++i) {
            OutputGame game = actor.games(i);
            VM.assertEq(address(game).balance + actor.paidOut(game), actor.paidIn(game));
            uint256 credit = game.credit(PROPOSER) + game.credit(CHALLENGER);
            bool ended = game.status() != GameStatus.IN_PROGRESS;
            VM.assertEq(credit, ended && !game.paid() ? actor.paidIn(game) : 0);
        }
    }

    /// @notice A challenged game stands only by the arbiter's word.
    function invariant_NoChallengedGameStandsUndecided() public view {
        for (uint256 i = 0; i < actor.gameCount(); ++i) {
            OutputGame game = actor.games(i);
            if (game.status() != GameStatus.DEFENDER_WINS || !actor.isChallenged(game)) continue;
            VM.assertTrue(actor.verdicts(game) == GameStatus.DEFENDER_WINS, "stands undecided");
        }
    }

    function invariant_UnchallengedGamesEndForTheProposerAfterTheWindow() public view {
        for (uint256 i = 0; i < actor.gameCount(); ++i) {
            OutputGame game = actor.games(i);
            if (actor.isChallenged(game) || game.status() == GameStatus.IN_PROGRESS) continue;
            VM.assertTrue(game.status() == GameStatus.DEFENDER_WINS, "lost without a challenge");
            VM.assertTrue(game.resolvedAt() >= game.challengeEnd(), "stands before its window is over");
        }
    }

    function invariant_AnEndIsAnEnd() public view {
        for (uint256 i = 0; i < actor.gameCount(); ++i) {
            OutputGame game = actor.games(i);
            VM.assertTrue(game.status() == actor.ends(game), "changed after its end");
            VM.assertTrue((game.resolvedAt() == 0) == (game.status() == GameStatus.IN_PROGRESS), "end without a time");
        }
    }

    function invariant_TheAnchorIsTheHighestBlockThatStands() public view {
        uint256 expected = 0;
        for (uint256 i = 0; i < actor.gameCount(); ++i) {
            OutputGame game = actor.games(i);
            if (game.status() != GameStatus.DEFENDER_WINS) continue;
            uint256 number = game.l2BlockNumber();
            if (number > expected) expected = number;
        }
        (, uint256 anchor) = anchors.anchors(GAME_TYPE);
        VM.assertEq(anchor, expected);
    }

    /// @dev The random walk must be one that reaches every end at least somewhere.
    function test_ActorReachesEveryEnd() public {
        actor.propose(keccak256("stands"), 1);
        actor.wait(CHALLENGE_WINDOW);
        actor.resolve(0);
        actor.propose(keccak256("decided"), 1);
        actor.challenge(0, BOND);
        actor.decide(0, uint8(GameStatus.DEFENDER_WINS), true);
        actor.propose(keccak256("blocked"), 1);
        actor.challenge(0, BOND);
        actor.wait(CHALLENGE_WINDOW);
        actor.wait(DECISION_WINDOW);
        actor.resolve(0);
        actor.claim(0, false);
        VM.assertEq(actor.defences(), 1);
        VM.assertEq(actor.challenges(), 2);
        VM.assertEq(actor.decisions(), 1);
        VM.assertEq(actor.silences(), 1);
        VM.assertEq(actor.paidOut(actor.games(2)), 2 * BOND);
        invariant_BondsAreConserved();
        invariant_TheAnchorIsTheHighestBlockThatStands();
    }
}
