// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {GameStatus, IDisputeGame} from "../../src/rollup/IDisputeGame.sol";
import {OutputGame} from "../../src/rollup/OutputGame.sol";
import {OutputRoles} from "../../src/rollup/OutputRoles.sol";
import {VM, bounded} from "../Vm.sol";
import {GameFixture, GameSearchResult} from "./GameFixture.sol";

/// @notice Takes no ether.
contract Refuser {
    function challenge(OutputGame game) external payable {
        game.challenge{value: msg.value}();
    }
}

/// @notice Claims again from within the payment.
contract ReentrantMalicious {
    OutputGame private game;
    bool public refused;

    function challenge(OutputGame game_) external payable {
        game = game_;
        game_.challenge{value: msg.value}();
    }

    receive() external payable {
        try game.claimCredit(address(this)) {}
        catch {
            refused = true;
        }
    }
}

contract OutputGameTest is GameFixture {
    bytes32 private constant ROOT = keccak256("root");

    function setUp() public {
        _deployGames();
        _setAnchor(10);
    }

    function testFuzz_SaysWhatWasProposed(bytes32 root, uint256 l2BlockNumber) public {
        l2BlockNumber = bounded(l2BlockNumber, 11, type(uint256).max);
        bytes32 parent = keccak256("parent");
        VM.setBlockhash(block.number - 1, parent);
        OutputGame game = _propose(root, l2BlockNumber);
        VM.assertEq(game.rootClaim(), root);
        VM.assertEq(game.l2BlockNumber(), l2BlockNumber);
        VM.assertEq(game.l2SequenceNumber(), l2BlockNumber);
        VM.assertEq(game.extraData(), abi.encode(l2BlockNumber));
        VM.assertEq(game.gameCreator(), PROPOSER);
        VM.assertEq(game.l1Head(), parent);
        VM.assertEq(game.gameType(), GAME_TYPE);
        VM.assertEq(game.createdAt(), block.timestamp);
        VM.assertEq(game.resolvedAt(), 0);
        VM.assertTrue(game.status() == GameStatus.IN_PROGRESS);
        VM.assertEq(address(game).balance, BOND);
        (uint32 gameType, bytes32 claim, bytes memory extraData) = game.gameData();
        VM.assertTrue(gameType == GAME_TYPE && claim == root);
        VM.assertEq(extraData, abi.encode(l2BlockNumber));
    }

    function test_FactoryFindsGames() public {
        _propose(ROOT, 11);
        _propose(keccak256("second"), 12);
        GameSearchResult[] memory found = factory.findLatestGames(GAME_TYPE, 1, 5);
        VM.assertEq(found.length, 2);
        VM.assertEq(found[0].extraData, abi.encode(12));
        VM.assertEq(found[1].rootClaim, ROOT);
    }

    function testFuzz_OnlyTheProposerProposes(address stranger) public {
        VM.assume(stranger != PROPOSER && stranger != address(0));
        VM.deal(stranger, BOND);
        VM.prank(stranger);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotProposer.selector, stranger, PROPOSER));
        factory.create{value: BOND}(GAME_TYPE, ROOT, abi.encode(11));
    }

    function test_NewProposerProposesAndTheOldOneDoesNot() public {
        roles.setProposer(CHALLENGER);
        VM.deal(PROPOSER, BOND);
        VM.prank(PROPOSER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotProposer.selector, PROPOSER, CHALLENGER));
        factory.create{value: BOND}(GAME_TYPE, ROOT, abi.encode(11));
        VM.deal(CHALLENGER, BOND);
        VM.prank(CHALLENGER);
        VM.assertEq(factory.create{value: BOND}(GAME_TYPE, ROOT, abi.encode(11)).gameCreator(), CHALLENGER);
    }

    function testFuzz_ProposesNothingUpToTheAnchor(uint256 l2BlockNumber) public {
        l2BlockNumber = bounded(l2BlockNumber, 0, 10);
        VM.deal(PROPOSER, BOND);
        VM.prank(PROPOSER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.BlockNotAfterAnchor.selector, l2BlockNumber, 10));
        factory.create{value: BOND}(GAME_TYPE, ROOT, abi.encode(l2BlockNumber));
    }

    function testFuzz_TakesOneWordOfExtraData(bytes memory extraData) public {
        VM.assume(extraData.length != 32);
        VM.deal(PROPOSER, BOND);
        VM.prank(PROPOSER);
        VM.expectPartialRevert(OutputGame.UnexpectedCalldataLength.selector);
        factory.create{value: BOND}(GAME_TYPE, ROOT, extraData);
    }

    function test_ProposesNothingWithoutAnchor() public {
        _deployGames();
        VM.deal(PROPOSER, BOND);
        VM.prank(PROPOSER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NoAnchor.selector, GAME_TYPE));
        factory.create{value: BOND}(GAME_TYPE, ROOT, abi.encode(11));
    }

    function test_IsInitializedOnceAndByTheFactory() public {
        OutputGame game = _propose(ROOT, 11);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotFactory.selector, address(this)));
        game.initialize();
        VM.prank(address(factory));
        VM.expectRevert(abi.encodeWithSelector(OutputGame.AlreadyInitialized.selector));
        game.initialize();
    }

    /// @dev What the clones delegate to is no game: nobody can put a bond into it.
    function test_ImplementationIsNoGame() public {
        OutputGame implementation =
            new OutputGame(GAME_TYPE, address(factory), anchors, roles, CHALLENGE_WINDOW, DECISION_WINDOW);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotFactory.selector, address(this)));
        implementation.initialize();
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotCreated.selector));
        implementation.challenge();
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotCreated.selector));
        implementation.resolve();
    }

    function testFuzz_UnchallengedStandsAfterTheWindow(uint256 time, address anyone) public {
        OutputGame game = _propose(ROOT, 11);
        uint256 end = game.challengeEnd();
        VM.warp(bounded(time, block.timestamp, end - 1));
        VM.expectRevert(abi.encodeWithSelector(OutputGame.TooEarly.selector, block.timestamp, end));
        game.resolve();
        VM.warp(bounded(time, end, end + 365 days));
        VM.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Resolved(GameStatus.DEFENDER_WINS);
        VM.prank(anyone);
        VM.assertTrue(game.resolve() == GameStatus.DEFENDER_WINS);
        VM.assertEq(game.resolvedAt(), block.timestamp);
        (bytes32 root, uint256 number) = anchors.anchors(GAME_TYPE);
        VM.assertEq(root, ROOT);
        VM.assertEq(number, 11);
        VM.assertEq(game.credit(PROPOSER), BOND);
        game.claimCredit(PROPOSER);
        VM.assertEq(PROPOSER.balance, BOND);
    }

    function test_EarlierGameLeavesTheAnchor() public {
        OutputGame first = _propose(ROOT, 11);
        OutputGame second = _propose(keccak256("second"), 12);
        VM.warp(first.challengeEnd());
        second.resolve();
        first.resolve();
        (bytes32 root, uint256 number) = anchors.anchors(GAME_TYPE);
        VM.assertEq(root, keccak256("second"));
        VM.assertEq(number, 12);
    }

    function testFuzz_ChallengedAndUndecidedIsBlocked(uint256 bond, uint256 time) public {
        bond = bounded(bond, BOND, type(uint96).max);
        OutputGame game = _propose(ROOT, 11);
        VM.warp(bounded(time, block.timestamp, game.challengeEnd() - 1));
        VM.expectEmit(true, true, true, true, address(game));
        emit OutputGame.Challenged(CHALLENGER, bond);
        _challenge(game, bond);
        uint256 end = game.decisionEnd();
        VM.warp(bounded(time, block.timestamp, end - 1));
        VM.expectRevert(abi.encodeWithSelector(OutputGame.TooEarly.selector, block.timestamp, end));
        game.resolve();
        VM.warp(end);
        VM.prank(ARBITER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.TooLate.selector, end, end));
        game.decide(GameStatus.DEFENDER_WINS);
        VM.assertTrue(game.resolve() == GameStatus.CHALLENGER_WINS);
        (bytes32 root,) = anchors.anchors(GAME_TYPE);
        VM.assertEq(root, GENESIS_ROOT);
        game.claimCredit(CHALLENGER);
        VM.assertEq(CHALLENGER.balance, BOND + bond);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NothingToClaim.selector, PROPOSER));
        game.claimCredit(PROPOSER);
    }

    function testFuzz_ArbiterDecides(uint256 bond, uint256 time, bool right) public {
        bond = bounded(bond, BOND, type(uint96).max);
        GameStatus verdict = right ? GameStatus.DEFENDER_WINS : GameStatus.CHALLENGER_WINS;
        address winner = right ? PROPOSER : CHALLENGER;
        OutputGame game = _propose(ROOT, 11);
        _challenge(game, bond);
        VM.warp(bounded(time, block.timestamp, game.decisionEnd() - 1));
        VM.expectEmit(true, true, true, true, address(game));
        emit OutputGame.Decided(ARBITER, verdict);
        VM.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Resolved(verdict);
        _decide(game, verdict);
        VM.assertTrue(game.status() == verdict);
        (, uint256 number) = anchors.anchors(GAME_TYPE);
        VM.assertEq(number, right ? 11 : 10);
        VM.expectEmit(true, true, true, true, address(game));
        emit OutputGame.BondsClaimed(winner, BOND + bond);
        game.claimCredit(winner);
        VM.assertEq(winner.balance, BOND + bond);
        VM.assertEq(address(game).balance, 0);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NothingToClaim.selector, winner));
        game.claimCredit(winner);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.AlreadyResolved.selector, verdict));
        game.resolve();
    }

    function testFuzz_OnlyTheArbiterDecides(address stranger) public {
        VM.assume(stranger != ARBITER);
        OutputGame game = _propose(ROOT, 11);
        _challenge(game, BOND);
        VM.prank(stranger);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotArbiter.selector, stranger, ARBITER));
        game.decide(GameStatus.DEFENDER_WINS);
    }

    function test_NewArbiterDecidesGamesInProgress() public {
        OutputGame game = _propose(ROOT, 11);
        _challenge(game, BOND);
        roles.setArbiter(address(0xa4b2));
        VM.prank(ARBITER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotArbiter.selector, ARBITER, address(0xa4b2)));
        game.decide(GameStatus.DEFENDER_WINS);
        VM.prank(address(0xa4b2));
        game.decide(GameStatus.CHALLENGER_WINS);
    }

    function test_ArbiterDecidesOnlyChallengesAndOnlyToAnEnd() public {
        OutputGame game = _propose(ROOT, 11);
        VM.prank(ARBITER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NotChallenged.selector));
        game.decide(GameStatus.CHALLENGER_WINS);
        _challenge(game, BOND);
        VM.prank(ARBITER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NoVerdict.selector, GameStatus.IN_PROGRESS));
        game.decide(GameStatus.IN_PROGRESS);
        _decide(game, GameStatus.CHALLENGER_WINS);
        VM.prank(ARBITER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.AlreadyResolved.selector, GameStatus.CHALLENGER_WINS));
        game.decide(GameStatus.DEFENDER_WINS);
    }

    function testFuzz_ChallengeNeedsAtLeastTheBond(uint256 bond) public {
        bond = bounded(bond, 0, BOND - 1);
        OutputGame game = _propose(ROOT, 11);
        VM.deal(CHALLENGER, bond);
        VM.prank(CHALLENGER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.BondOutOfRange.selector, bond, BOND, type(uint96).max));
        game.challenge{value: bond}();
    }

    function test_BondFitsItsField() public {
        OutputGame game = _propose(ROOT, 11);
        uint256 bond = uint256(type(uint96).max) + 1;
        VM.deal(CHALLENGER, bond);
        VM.prank(CHALLENGER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.BondOutOfRange.selector, bond, BOND, type(uint96).max));
        game.challenge{value: bond}();
    }

    function test_ChallengesOnceAndInTime() public {
        OutputGame game = _propose(ROOT, 11);
        uint256 end = game.challengeEnd();
        VM.warp(end);
        VM.deal(CHALLENGER, BOND);
        VM.prank(CHALLENGER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.TooLate.selector, end, end));
        game.challenge{value: BOND}();
        VM.warp(end - 1);
        _challenge(game, BOND);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.AlreadyChallenged.selector, CHALLENGER));
        game.challenge{value: BOND}();
        _decide(game, GameStatus.DEFENDER_WINS);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.AlreadyResolved.selector, GameStatus.DEFENDER_WINS));
        game.challenge{value: BOND}();
    }

    function test_NobodyIsPaidBeforeTheEnd() public {
        OutputGame game = _propose(ROOT, 11);
        _challenge(game, BOND);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NothingToClaim.selector, CHALLENGER));
        game.claimCredit(CHALLENGER);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.NothingToClaim.selector, PROPOSER));
        game.claimCredit(PROPOSER);
    }

    function test_WinnerThatRefusesEtherBlocksNothing() public {
        OutputGame game = _propose(ROOT, 11);
        Refuser refuser = new Refuser();
        refuser.challenge{value: BOND}(game);
        _decide(game, GameStatus.CHALLENGER_WINS);
        VM.expectRevert(abi.encodeWithSelector(OutputGame.TransferFailed.selector, address(refuser), 2 * BOND));
        game.claimCredit(address(refuser));
        VM.assertEq(address(game).balance, 2 * BOND);
        VM.assertEq(game.credit(address(refuser)), 2 * BOND);
    }

    function test_PaysOnceThoughTheWinnerReentersMalicious() public {
        OutputGame game = _propose(ROOT, 11);
        ReentrantMalicious winner = new ReentrantMalicious();
        winner.challenge{value: BOND}(game);
        _decide(game, GameStatus.CHALLENGER_WINS);
        game.claimCredit(address(winner));
        VM.assertTrue(winner.refused());
        VM.assertEq(address(winner).balance, 2 * BOND);
        VM.assertEq(address(game).balance, 0);
    }

    function testFuzz_OnlyTheOwnerSetsRoles(address stranger) public {
        VM.assume(stranger != address(this));
        bytes memory refusal = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger);
        VM.startPrank(stranger);
        VM.expectRevert(refusal);
        roles.setProposer(stranger);
        VM.expectRevert(refusal);
        roles.setArbiter(stranger);
        VM.stopPrank();
        VM.expectEmit(true, true, true, true, address(roles));
        emit OutputRoles.ProposerSet(stranger);
        roles.setProposer(stranger);
        VM.expectEmit(true, true, true, true, address(roles));
        emit OutputRoles.ArbiterSet(stranger);
        roles.setArbiter(stranger);
    }
}
