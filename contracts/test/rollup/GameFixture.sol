// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAnchorStateRegistry} from "../../src/rollup/IAnchorStateRegistry.sol";
import {GameStatus} from "../../src/rollup/IDisputeGame.sol";
import {OutputGame} from "../../src/rollup/OutputGame.sol";
import {OutputRoles} from "../../src/rollup/OutputRoles.sol";
import {VM} from "../Vm.sol";

struct OutputRoot {
    bytes32 root;
    uint256 l2BlockNumber;
}

struct StartingAnchorRoot {
    uint32 gameType;
    OutputRoot outputRoot;
}

struct GameSearchResult {
    uint256 index;
    bytes32 metadata;
    uint64 timestamp;
    bytes32 rootClaim;
    bytes extraData;
}

/// @notice What tests call of OP's contracts.
interface IFactory {
    function initialize(address owner) external;
    function setImplementation(uint32 gameType, address implementation) external;
    function setInitBond(uint32 gameType, uint256 bond) external;
    function create(uint32 gameType, bytes32 rootClaim, bytes calldata extraData) external payable returns (OutputGame);
    function gameCount() external view returns (uint256);
    function findLatestGames(uint32 gameType, uint256 start, uint256 count)
        external
        view
        returns (GameSearchResult[] memory);
}

interface IRegistryProxy {
    function initialize(StartingAnchorRoot[] calldata anchors) external;
}

interface IUpgradeable {
    function upgradeTo(address implementation) external;
}

/// @notice OP's own factory and anchor registry behind their proxies, and our game registered.
abstract contract GameFixture {
    uint32 internal constant GAME_TYPE = 0x43;
    uint64 internal constant CHALLENGE_WINDOW = 100;
    uint64 internal constant DECISION_WINDOW = 50;
    uint256 internal constant BOND = 1 ether;
    bytes32 internal constant GENESIS_ROOT = keccak256("genesis");
    address internal constant PROPOSER = address(0x9109);
    address internal constant CHALLENGER = address(0xc4a11e);
    address internal constant ARBITER = address(0xa4b1);

    IFactory internal factory;
    IAnchorStateRegistry internal anchors;
    OutputRoles internal roles;

    function _deployGames() internal {
        VM.warp(1_800_000_000);
        VM.roll(1000);
        factory = IFactory(_proxied("DisputeGameFactory", ""));
        anchors = IAnchorStateRegistry(_proxied("AnchorStateRegistry", abi.encode(factory)));
        roles = new OutputRoles(address(this), PROPOSER, ARBITER);
        OutputGame game = new OutputGame(GAME_TYPE, address(factory), anchors, roles, CHALLENGE_WINDOW, DECISION_WINDOW);
        factory.initialize(address(this));
        factory.setImplementation(GAME_TYPE, address(game));
        factory.setInitBond(GAME_TYPE, BOND);
    }

    function _setAnchor(uint256 l2BlockNumber) internal {
        StartingAnchorRoot[] memory starting = new StartingAnchorRoot[](1);
        starting[0] = StartingAnchorRoot(GAME_TYPE, OutputRoot(GENESIS_ROOT, l2BlockNumber));
        IRegistryProxy(address(anchors)).initialize(starting);
    }

    function _propose(bytes32 root, uint256 l2BlockNumber) internal returns (OutputGame) {
        VM.deal(PROPOSER, BOND);
        VM.prank(PROPOSER);
        return factory.create{value: BOND}(GAME_TYPE, root, abi.encode(l2BlockNumber));
    }

    function _challenge(OutputGame game, uint256 bond) internal {
        VM.deal(CHALLENGER, bond);
        VM.prank(CHALLENGER);
        game.challenge{value: bond}();
    }

    function _decide(OutputGame game, GameStatus verdict) internal {
        VM.prank(ARBITER);
        game.decide(verdict);
    }

    function _proxied(string memory name, bytes memory arguments) private returns (address proxy) {
        proxy = _create("Proxy", abi.encode(address(this)));
        IUpgradeable(proxy).upgradeTo(_create(name, arguments));
    }

    function _create(string memory name, bytes memory arguments) private returns (address created) {
        string memory file = VM.readFile(string.concat("artifacts/bridge/", name, ".json"));
        bytes memory initCode = bytes.concat(VM.parseJsonBytes(file, ".initCode"), arguments);
        assembly ("memory-safe") {
            created := create(0, add(initCode, 0x20), mload(initCode))
        }
        VM.assertTrue(created != address(0), name);
    }
}
