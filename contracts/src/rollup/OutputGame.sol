// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {GameStatus, IDisputeGame} from "./IDisputeGame.sol";
import {IAnchorStateRegistry} from "./IAnchorStateRegistry.sol";
import {OutputRoles} from "./OutputRoles.sol";

/// @title A proposed output root, its challenge and its end
/// @notice One clone for each proposal, made by OP's `DisputeGameFactory`.
/// ```
/// created ── nobody challenges in the challenge window ──────────────► DEFENDER_WINS, by anyone
///    └─ challenged ─┬─ the arbiter decides in the decision window ───► as decided
///                   └─ the arbiter is silent ────────────────────────► CHALLENGER_WINS, by anyone
/// ```
/// The winner gets both bonds and fetches them. Silence ends for the challenger because a withdrawal that
/// is blocked can be proven again against the next proposal, and one that was wrong cannot be undone.
///
/// What is trusted, until fault proofs take the arbiter's place:
/// - somebody watches: a wrong root that nobody challenges in its window stands;
/// - the arbiter, about challenged roots: together with the proposer it can pass a wrong one, alone it
///   can block a right one. The guardian of the portal can still forbid a game that ended wrongly, as
///   long as the portal's finality delay lasts;
/// - the proposer, for liveness: nobody else proposes, and without proposals nothing is withdrawn.
///   The owner of the roles can replace it;
/// - the bond, against noise: challenging a right root costs it, and blocks that root until the
///   arbiter decides. A bond of zero makes that free.
/// @dev Arguments of the clone follow the calldata of each call:
/// `creator (20) ‖ root claim (32) ‖ L1 head (32) ‖ extra data (32) ‖ length (2)`. The extra data is the
/// number of the L2 block, as in OP's own games.
contract OutputGame is IDisputeGame {
    /// @notice The caller is not the factory.
    error NotFactory(address sender);
    /// @notice The contract is no game: the factory has not created it.
    error NotCreated();
    /// @notice The game has been initialized.
    error AlreadyInitialized();
    /// @notice The extra data is not one word.
    error UnexpectedCalldataLength(uint256 actual, uint256 expected);
    /// @notice The creator is not the proposer.
    error NotProposer(address creator, address proposer);
    /// @notice The registry has no anchor of this game type.
    error NoAnchor(uint32 gameType);
    /// @notice The block is not after the anchor.
    error BlockNotAfterAnchor(uint256 l2BlockNumber, uint256 anchor);
    /// @notice The game has ended.
    error AlreadyResolved(GameStatus status);
    /// @notice Somebody else has challenged already.
    error AlreadyChallenged(address challenger);
    /// @notice Nobody has challenged.
    error NotChallenged();
    /// @notice It was possible only before a time.
    error TooLate(uint256 time, uint256 end);
    /// @notice It is possible only from a time on.
    error TooEarly(uint256 time, uint256 start);
    /// @notice The bond is too small, or too large.
    error BondOutOfRange(uint256 bond, uint256 min, uint256 max);
    /// @notice The caller is not the arbiter.
    error NotArbiter(address sender, address arbiter);
    /// @notice A decision ends the game.
    error NoVerdict(GameStatus verdict);
    /// @notice The account has no bond to fetch.
    error NothingToClaim(address account);
    /// @notice The account did not take the ether.
    error TransferFailed(address account, uint256 amount);

    /// @notice Somebody put a bond against the root claim.
    event Challenged(address indexed challenger, uint256 bond);
    /// @notice The arbiter decided.
    event Decided(address indexed arbiter, GameStatus indexed verdict);
    /// @notice The winner was paid.
    event BondsClaimed(address indexed winner, uint256 amount);

    /// @dev 20 + 32 + 32 + 32 + 2.
    uint256 private constant ARGUMENTS_LENGTH = 118;
    uint256 private constant SELECTOR_LENGTH = 4;

    /// @notice Semantic version.
    string public constant version = "1.0.0";

    /// @notice Number of this kind of game.
    uint32 private immutable GAME_TYPE;
    /// @notice The factory, the only one that initializes games.
    address public immutable FACTORY;
    /// @notice Knows the latest root that stood.
    IAnchorStateRegistry public immutable ANCHOR_STATE_REGISTRY;
    /// @notice Names proposer and arbiter.
    OutputRoles public immutable ROLES;
    /// @notice Seconds from the creation in which a game can be challenged.
    uint64 public immutable CHALLENGE_WINDOW;
    /// @notice Seconds after the challenge window in which the arbiter can decide.
    uint64 public immutable DECISION_WINDOW;

    /// @inheritdoc IDisputeGame
    uint64 public createdAt;
    /// @inheritdoc IDisputeGame
    uint64 public resolvedAt;
    /// @inheritdoc IDisputeGame
    GameStatus public status;
    /// @notice Whether the winner has been paid.
    bool public paid;
    /// @notice Bond of the proposer in wei.
    uint96 public proposerBond;
    /// @notice Who challenged; zero before.
    address public challenger;
    /// @notice Bond of the challenger in wei.
    uint96 public challengerBond;

    constructor(
        uint32 gameType_,
        address factory,
        IAnchorStateRegistry anchorStateRegistry,
        OutputRoles roles,
        uint64 challengeWindow,
        uint64 decisionWindow
    ) {
        GAME_TYPE = gameType_;
        FACTORY = factory;
        ANCHOR_STATE_REGISTRY = anchorStateRegistry;
        ROLES = roles;
        CHALLENGE_WINDOW = challengeWindow;
        DECISION_WINDOW = decisionWindow;
    }

    /// @inheritdoc IDisputeGame
    /// @dev With more or less extra data the same claim could be made under several names.
    function initialize() external payable {
        if (msg.sender != FACTORY) revert NotFactory(msg.sender);
        if (createdAt != 0) revert AlreadyInitialized();
        uint256 expected = SELECTOR_LENGTH + ARGUMENTS_LENGTH;
        if (msg.data.length != expected) revert UnexpectedCalldataLength(msg.data.length, expected);
        address proposer = ROLES.proposer();
        if (gameCreator() != proposer) revert NotProposer(gameCreator(), proposer);
        (bytes32 root, uint256 anchor) = ANCHOR_STATE_REGISTRY.anchors(GAME_TYPE);
        if (root == 0) revert NoAnchor(GAME_TYPE);
        if (l2BlockNumber() <= anchor) revert BlockNotAfterAnchor(l2BlockNumber(), anchor);
        createdAt = uint64(block.timestamp);
        proposerBond = _bond(0);
    }

    /// @notice Says with a bond, not below the proposer's, that the root claim is wrong. The first to do
    /// so is the challenger.
    function challenge() external payable {
        _requireInProgress();
        if (challenger != address(0)) revert AlreadyChallenged(challenger);
        uint256 end = challengeEnd();
        if (block.timestamp >= end) revert TooLate(block.timestamp, end);
        challenger = msg.sender;
        challengerBond = _bond(proposerBond);
        emit Challenged(msg.sender, msg.value);
    }

    /// @notice Ends a challenged game as the arbiter says.
    function decide(GameStatus verdict) external {
        _requireInProgress();
        address arbiter = ROLES.arbiter();
        if (msg.sender != arbiter) revert NotArbiter(msg.sender, arbiter);
        if (challenger == address(0)) revert NotChallenged();
        if (verdict == GameStatus.IN_PROGRESS) revert NoVerdict(verdict);
        uint256 end = decisionEnd();
        if (block.timestamp >= end) revert TooLate(block.timestamp, end);
        emit Decided(msg.sender, verdict);
        _end(verdict);
    }

    /// @inheritdoc IDisputeGame
    /// @notice Anyone may end a game whose time is over.
    function resolve() external returns (GameStatus) {
        _requireInProgress();
        bool unchallenged = challenger == address(0);
        uint256 start = unchallenged ? challengeEnd() : decisionEnd();
        if (block.timestamp < start) revert TooEarly(block.timestamp, start);
        _end(unchallenged ? GameStatus.DEFENDER_WINS : GameStatus.CHALLENGER_WINS);
        return status;
    }

    /// @notice Pays the bonds to the winner. Anyone may call it.
    function claimCredit(address account) external {
        uint256 amount = credit(account);
        if (amount == 0) revert NothingToClaim(account);
        paid = true;
        emit BondsClaimed(account, amount);
        (bool sent,) = account.call{value: amount}("");
        if (!sent) revert TransferFailed(account, amount);
    }

    /// @inheritdoc IDisputeGame
    function gameData() external view returns (uint32, bytes32, bytes memory) {
        return (GAME_TYPE, rootClaim(), extraData());
    }

    /// @inheritdoc IDisputeGame
    function gameType() external view returns (uint32) {
        return GAME_TYPE;
    }

    /// @inheritdoc IDisputeGame
    function l1Head() external pure returns (bytes32) {
        return bytes32(_arguments()[52:84]);
    }

    /// @notice Number of the L2 block, under the name that newer clients ask for.
    function l2SequenceNumber() external pure returns (uint256) {
        return l2BlockNumber();
    }

    /// @notice Wei that the account can have paid out.
    function credit(address account) public view returns (uint256) {
        if (status == GameStatus.IN_PROGRESS || paid) return 0;
        address winner = status == GameStatus.DEFENDER_WINS ? gameCreator() : challenger;
        return account == winner ? uint256(proposerBond) + challengerBond : 0;
    }

    /// @notice From when on nobody can challenge, in Unix seconds.
    function challengeEnd() public view returns (uint256) {
        return uint256(createdAt) + CHALLENGE_WINDOW;
    }

    /// @notice From when on the arbiter cannot decide, in Unix seconds.
    function decisionEnd() public view returns (uint256) {
        return challengeEnd() + DECISION_WINDOW;
    }

    /// @inheritdoc IDisputeGame
    function gameCreator() public pure returns (address) {
        return address(bytes20(_arguments()[:20]));
    }

    /// @inheritdoc IDisputeGame
    function rootClaim() public pure returns (bytes32) {
        return bytes32(_arguments()[20:52]);
    }

    /// @inheritdoc IDisputeGame
    function extraData() public pure returns (bytes memory) {
        return _arguments()[84:116];
    }

    /// @notice Number of the L2 block whose output root is claimed.
    function l2BlockNumber() public pure returns (uint256) {
        return uint256(bytes32(_arguments()[84:116]));
    }

    /// @dev The registry asks this game back whether it was won.
    function _end(GameStatus result) private {
        status = result;
        resolvedAt = uint64(block.timestamp);
        emit Resolved(result);
        if (result == GameStatus.DEFENDER_WINS) ANCHOR_STATE_REGISTRY.tryUpdateAnchorState();
    }

    function _bond(uint256 min) private view returns (uint96) {
        if (msg.value < min || msg.value > type(uint96).max) {
            revert BondOutOfRange(msg.value, min, type(uint96).max);
        }
        return uint96(msg.value);
    }

    function _requireInProgress() private view {
        if (createdAt == 0) revert NotCreated();
        if (status != GameStatus.IN_PROGRESS) revert AlreadyResolved(status);
    }

    function _arguments() private pure returns (bytes calldata) {
        return msg.data[msg.data.length - ARGUMENTS_LENGTH:];
    }
}
