// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Operators} from "../../src/da/Operators.sol";
import {OperatorRegistry} from "../../src/da/OperatorRegistry.sol";
import {VM, bounded} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {DaFixture} from "./DaFixture.sol";

/// @notice Does to a registry what accounts and time can do to it, in any order.
contract RegistryActor is DaFixture {
    uint256 public constant ACCOUNTS = 8;

    /// @notice Hash of the code of each snapshot as it was when it was taken.
    mapping(uint64 epoch => bytes32) public codeHashes;
    uint64[] public epochs;
    /// @notice How often each action succeeded.
    mapping(bytes4 action => uint256) public successes;

    bytes[] private _keysOf;
    bytes[] private _possessions;

    constructor(OperatorRegistry registry_) {
        registry = registry_;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            bytes memory key = BlsSigner.key(_secret(i));
            _keysOf.push(key);
            _possessions.push(BlsSigner.prove(_secret(i), registry.possessionMessage(_operator(i), key)));
        }
    }

    function register(uint256 account, uint256 stake) external {
        account = bounded(account, 0, ACCOUNTS - 1);
        stake = bounded(stake, 0, 1000 ether);
        _act(account, stake, abi.encodeCall(registry.register, (_keysOf[account], _possessions[account], "http://a")));
    }

    function increaseStake(uint256 account, uint256 stake) external {
        _act(bounded(account, 0, ACCOUNTS - 1), bounded(stake, 0, 10 ether), abi.encodeCall(registry.increaseStake, ()));
    }

    function requestExit(uint256 account) external {
        _act(bounded(account, 0, ACCOUNTS - 1), 0, abi.encodeCall(registry.requestExit, ()));
    }

    function withdraw(uint256 account) external {
        _act(bounded(account, 0, ACCOUNTS - 1), 0, abi.encodeCall(registry.withdraw, (payable(address(0xbeef)))));
    }

    function eject(uint256 account) external {
        _act(0, 0, abi.encodeCall(registry.eject, (_operator(bounded(account, 0, ACCOUNTS - 1)))));
    }

    function recordSigning(uint256 signers) external {
        uint64 epoch = registry.currentEpoch();
        if (codeHashes[epoch] == 0) return;
        (uint256 count,) = registry.quorumSize(epoch);
        registry.recordSigning(epoch, _bitmap(count, signers & _all(count)));
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + bounded(time, 1, 10 days));
    }

    function takeSnapshot(bool next) external {
        uint64 epoch = registry.currentEpoch() + (next ? 1 : 0);
        address[] memory operators = new address[](registry.activeOperators());
        bytes memory keys;
        uint256 count = 0;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            if (registry.operatorOf(_operator(i)).state != Operators.State.Active) continue;
            operators[count++] = _operator(i);
            keys = bytes.concat(keys, _keysOf[i]);
        }
        _act(0, 0, abi.encodeCall(registry.snapshot, (epoch, operators, keys)));
        (address first,,) = registry.quorum(epoch);
        if (first == address(0) || codeHashes[epoch] != 0) return;
        codeHashes[epoch] = first.codehash;
        epochs.push(epoch);
    }

    function epochCount() external view returns (uint256) {
        return epochs.length;
    }

    /// @dev What must not succeed reverts, and the invariants see that nothing changed.
    function _act(uint256 account, uint256 value, bytes memory call) private {
        VM.deal(_operator(account), value);
        VM.prank(_operator(account));
        (bool success,) = address(registry).call{value: value}(call);
        if (success) ++successes[bytes4(call)];
    }
}

/// forge-config: default.invariant.runs = 24
/// forge-config: default.invariant.depth = 60
contract RegistryInvariants is DaFixture {
    RegistryActor internal actor;

    function setUp() public {
        _deploy();
        actor = new RegistryActor(registry);
        registry.setRecorder(address(actor), true);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function invariant_StakesAreTheBalance() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < actor.ACCOUNTS(); ++i) {
            sum += registry.operatorOf(_operator(i)).stake;
        }
        VM.assertEq(sum, address(registry).balance);
    }

    function invariant_EveryAccountIsInOneState() public view {
        uint256 active = 0;
        for (uint256 i = 0; i < actor.ACCOUNTS(); ++i) {
            Operators.Operator memory operator = registry.operatorOf(_operator(i));
            bool hasStake = operator.stake >= STAKE_MIN;
            VM.assertTrue(hasStake == (operator.state != Operators.State.None), "stake without state");
            if (operator.state == Operators.State.Active) {
                ++active;
                VM.assertEq(operator.releaseTime, 0);
            } else if (hasStake) {
                VM.assertTrue(operator.releaseTime != 0, "leaves without a time");
            }
        }
        VM.assertEq(registry.activeOperators(), active);
    }

    function invariant_SnapshotsNeverChange() public view {
        for (uint256 i = 0; i < actor.epochCount(); ++i) {
            uint64 epoch = actor.epochs(i);
            (address first,,) = registry.quorum(epoch);
            VM.assertEq(first.codehash, actor.codeHashes(epoch));
            (uint256 count, uint256 total) = registry.quorumSize(epoch);
            uint256 sum = 0;
            for (uint256 j = 0; j < count; ++j) {
                sum += registry.members(epoch)[j].stake;
            }
            VM.assertEq(sum, total);
        }
    }
}
