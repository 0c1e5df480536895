// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {Operators} from "../../src/da/Operators.sol";
import {OperatorRegistry} from "../../src/da/OperatorRegistry.sol";
import {ParameterBounds, Parameters} from "../../src/da/Parameters.sol";
import {Epochs} from "../../src/da/Epochs.sol";
import {VM, bounded} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {DaFixture} from "./DaFixture.sol";

contract OperatorsTest is DaFixture {
    function setUp() public {
        _deploy();
    }

    receive() external payable {
        revert("no ether, please");
    }

    function test_RegistersAnOperator() public {
        bytes memory key = BlsSigner.key(_secret(0));
        _register(0, 3 ether);
        Operators.Operator memory operator = registry.operatorOf(_operator(0));
        VM.assertEq(operator.stake, 3 ether);
        VM.assertTrue(operator.state == Operators.State.Active);
        VM.assertEq(registry.endpointOf(_operator(0)), _endpoint(0));
        VM.assertEq(registry.keyOwner(keccak256(key)), _operator(0));
        VM.assertEq(registry.activeOperators(), 1);
        VM.assertEq(address(registry).balance, 3 ether);
    }

    function test_RefusesTheIdentityKey() public {
        _expectRefusal(
            0, new bytes(192), new bytes(96), STAKE_MIN, abi.encodeWithSelector(Operators.IdentityKey.selector)
        );
    }

    function test_RefusesAKeyOffTheCurve() public {
        bytes memory key = BlsSigner.key(_secret(0));
        key[191] ^= 0x01;
        bytes memory possession = _possession(0, key);
        _expectRefusal(0, key, possession, STAKE_MIN, abi.encodeWithSelector(Operators.NotAPoint.selector));
    }

    /// @dev (2, y) with y² = 8 + 4 (1 + i): a point of the twist outside the subgroup.
    function test_RefusesAKeyOutsideTheSubgroup() public {
        bytes memory key = OUTSIDE_SUBGROUP;
        (bool onCurve,) = address(0x0d).staticcall(bytes.concat(this.unpack(key), new bytes(256)));
        VM.assertTrue(onCurve);
        bytes memory possession = _possession(0, key);
        _expectRefusal(0, key, possession, STAKE_MIN, abi.encodeWithSelector(Operators.NotAPoint.selector));
    }

    /// @dev The key minus that of another operator would cancel it in a sum; its owner has no secret.
    function test_RefusesARogueKeyWithoutPossession() public {
        _register(0, STAKE_MIN);
        uint256 rogue = addmod(_secret(1), BlsSigner.ORDER - _secret(0), BlsSigner.ORDER);
        bytes memory key = BlsSigner.key(rogue);
        bytes memory possession = BlsSigner.prove(_secret(1), registry.possessionMessage(_operator(1), key));
        _expectNotProven(1, key, possession);
    }

    function test_RefusesTheProofOfAnotherOperator() public {
        bytes memory key = BlsSigner.key(_secret(0));
        _expectNotProven(1, key, _possession(0, key));
    }

    function test_RefusesASignatureAsProof() public {
        bytes memory key = BlsSigner.key(_secret(0));
        _expectNotProven(0, key, BlsSigner.sign(_secret(0), registry.possessionMessage(_operator(0), key)));
    }

    function test_RefusesTheIdentityAsProof() public {
        _expectNotProven(0, BlsSigner.key(_secret(0)), new bytes(96));
    }

    function test_RefusesAKeyThatIsTaken() public {
        _register(0, STAKE_MIN);
        bytes memory key = BlsSigner.key(_secret(0));
        bytes memory possession = BlsSigner.prove(_secret(0), registry.possessionMessage(_operator(1), key));
        bytes memory reason = abi.encodeWithSelector(Operators.KeyTaken.selector, keccak256(key), _operator(0));
        _expectRefusal(1, key, possession, STAKE_MIN, reason);
    }

    function test_RefusesAnOperatorTwice() public {
        _register(0, STAKE_MIN);
        bytes memory key = BlsSigner.key(_secret(1));
        bytes memory possession = BlsSigner.prove(_secret(1), registry.possessionMessage(_operator(0), key));
        _expectRefusal(0, key, possession, STAKE_MIN, _wrongState(0, Operators.State.Active));
    }

    function testFuzz_RefusesTooLittleStake(uint256 stake) public {
        stake = bounded(stake, 0, STAKE_MIN - 1);
        bytes memory key = BlsSigner.key(_secret(0));
        bytes memory possession = _possession(0, key);
        bytes memory reason = abi.encodeWithSelector(Operators.StakeTooLow.selector, stake, STAKE_MIN);
        _expectRefusal(0, key, possession, stake, reason);
    }

    function test_RefusesOtherLengths() public {
        bytes memory reason = abi.encodeWithSelector(Operators.InvalidPointLength.selector, 191, 96);
        _expectRefusal(0, new bytes(191), new bytes(96), STAKE_MIN, reason);
        reason = abi.encodeWithSelector(Operators.InvalidPointLength.selector, 192, 97);
        _expectRefusal(0, new bytes(192), new bytes(97), STAKE_MIN, reason);
    }

    function test_RefusesEndpointsWithoutOrWithTooManyBytes() public {
        _register(0, STAKE_MIN);
        _expectEndpointRefused("");
        _expectEndpointRefused(string(new bytes(129)));
        VM.prank(_operator(0));
        registry.updateEndpoint(string(new bytes(128)));
        VM.assertEq(bytes(registry.endpointOf(_operator(0))).length, 128);
    }

    function test_HoldsTwoHundredOperatorsAndNoMore() public {
        _registerAll(200);
        bytes memory key = BlsSigner.key(_secret(200));
        bytes memory reason = abi.encodeWithSelector(Operators.TooManyOperators.selector, 200);
        _expectRefusal(200, key, _possession(200, key), STAKE_MIN, reason);
    }

    function test_RaisesAStake() public {
        _register(0, STAKE_MIN);
        VM.deal(_operator(0), 5 ether);
        VM.prank(_operator(0));
        registry.increaseStake{value: 5 ether}();
        VM.assertEq(registry.operatorOf(_operator(0)).stake, STAKE_MIN + 5 ether);
    }

    function test_BoundsAStakeFromAbove() public {
        uint256 max = registry.STAKE_MAX();
        bytes memory key = BlsSigner.key(_secret(0));
        bytes memory possession = _possession(0, key);
        bytes memory reason = abi.encodeWithSelector(Operators.StakeTooHigh.selector, max + 1, max);
        _expectRefusal(0, key, possession, max + 1, reason);
        _register(0, max);
        VM.deal(_operator(0), 1);
        VM.prank(_operator(0));
        VM.expectRevert(reason);
        registry.increaseStake{value: 1}();
    }

    function test_OnlyActiveOperatorsAct() public {
        bytes memory reason = _wrongState(0, Operators.State.None);
        VM.startPrank(_operator(0));
        VM.expectRevert(reason);
        registry.increaseStake();
        VM.expectRevert(reason);
        registry.updateEndpoint("http://example.org");
        VM.expectRevert(reason);
        registry.requestExit();
        VM.expectRevert(reason);
        registry.withdraw(payable(_operator(0)));
        VM.stopPrank();
    }

    function test_PaysTheStakeOutAfterTheDelay() public {
        _register(0, STAKE_MIN);
        VM.prank(_operator(0));
        registry.requestExit();
        // It may be in the snapshot of the next epoch, whose certificates live for a while.
        uint256 release = GENESIS_TIME + 2 * EPOCH_LENGTH + CERTIFICATE_LIFETIME + 1;
        VM.assertEq(registry.operatorOf(_operator(0)).releaseTime, release);
        VM.assertEq(registry.activeOperators(), 0);
        VM.warp(release - 1);
        VM.prank(_operator(0));
        VM.expectRevert(abi.encodeWithSelector(Operators.WithdrawalTooEarly.selector, _operator(0), release));
        registry.withdraw(payable(_operator(0)));
        VM.warp(release);
        VM.prank(_operator(0));
        registry.withdraw(payable(address(0xbeef)));
        VM.assertEq(address(0xbeef).balance, STAKE_MIN);
        VM.assertEq(registry.endpointOf(_operator(0)), "");
        VM.prank(_operator(0));
        VM.expectRevert(_wrongState(0, Operators.State.None));
        registry.withdraw(payable(_operator(0)));
    }

    function test_KeepsTheStakeWhenTheRecipientRefuses() public {
        _register(0, STAKE_MIN);
        VM.startPrank(_operator(0));
        registry.requestExit();
        VM.warp(GENESIS_TIME + 365 days);
        VM.expectRevert(abi.encodeWithSelector(Operators.TransferFailed.selector, address(this), STAKE_MIN));
        registry.withdraw(payable(address(this)));
        VM.stopPrank();
        VM.assertEq(registry.operatorOf(_operator(0)).stake, STAKE_MIN);
    }

    function test_RegistersAgainWithTheSameOrAnotherKey() public {
        for (uint256 round = 0; round < 3; ++round) {
            uint256 secret = _secret(round / 2);
            bytes memory key = BlsSigner.key(secret);
            bytes memory possession = BlsSigner.prove(secret, registry.possessionMessage(_operator(0), key));
            VM.deal(_operator(0), STAKE_MIN);
            VM.startPrank(_operator(0));
            registry.register{value: STAKE_MIN}(key, possession, "http://example.org");
            registry.requestExit();
            VM.warp(registry.operatorOf(_operator(0)).releaseTime);
            registry.withdraw(payable(_operator(0)));
            VM.stopPrank();
        }
        VM.assertEq(registry.operatorOf(_operator(0)).generation, 3);
        VM.assertEq(address(registry).balance, 0);
    }

    function test_OnlyTheOwnerSets() public {
        Parameters memory parameters = _defaultParameters();
        VM.startPrank(address(1));
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(1)));
        registry.setParameters(parameters);
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(1)));
        registry.setRecorder(address(1), true);
        VM.stopPrank();
        parameters.signingWindow = 5;
        registry.setParameters(parameters);
        VM.assertEq(registry.parameters().signingWindow, 5);
    }

    function test_BoundsTheParameters() public {
        Parameters memory parameters = _defaultParameters();
        parameters.stakeMin = 0;
        _expectOutOfBounds(parameters, "stakeMin", 0, 1 gwei, 100_000 ether);
        parameters = _defaultParameters();
        parameters.operatorsMin = 0;
        _expectOutOfBounds(parameters, "operatorsMin", 0, 1, 100);
        parameters = _defaultParameters();
        parameters.signingRateMin = 6001;
        _expectOutOfBounds(parameters, "signingRateMin", 6001, 0, 6000);
        parameters = _defaultParameters();
        parameters.signingWindow = 17;
        _expectOutOfBounds(parameters, "signingWindow", 17, 1, 16);
        parameters = _defaultParameters();
        parameters.certificatesMin = 9;
        _expectOutOfBounds(parameters, "certificatesMin", 9, 10, 1_000_000);
        parameters = _defaultParameters();
        parameters.rejoinDelay = 91 days;
        _expectOutOfBounds(parameters, "rejoinDelay", 91 days, 0, 90 days);
    }

    function test_BoundsTheClock() public {
        Parameters memory parameters = _defaultParameters();
        VM.expectPartialRevert(Epochs.InvalidClock.selector);
        new OperatorRegistry(address(this), GENESIS_TIME, 1, 1, 1, parameters);
        VM.expectPartialRevert(Epochs.InvalidClock.selector);
        new OperatorRegistry(address(this), GENESIS_TIME, 1 days, 1 hours, 1, parameters);
    }

    function unpack(bytes calldata key) external pure returns (bytes memory result) {
        for (uint256 i = 0; i < 4; ++i) {
            result = bytes.concat(result, bytes16(0), key[48 * i:48 * i + 48]);
        }
    }

    function _possession(uint256 index, bytes memory key) private view returns (bytes memory) {
        return BlsSigner.prove(_secret(index), registry.possessionMessage(_operator(index), key));
    }

    function _wrongState(uint256 index, Operators.State state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Operators.WrongState.selector, _operator(index), state);
    }

    function _expectNotProven(uint256 index, bytes memory key, bytes memory possession) private {
        bytes memory reason =
            abi.encodeWithSelector(Operators.PossessionNotProven.selector, _operator(index), keccak256(key));
        _expectRefusal(index, key, possession, STAKE_MIN, reason);
    }

    function _expectRefusal(
        uint256 index,
        bytes memory key,
        bytes memory possession,
        uint256 stake,
        bytes memory reason
    ) private {
        VM.deal(_operator(index), stake);
        VM.prank(_operator(index));
        VM.expectRevert(reason);
        registry.register{value: stake}(key, possession, "http://example.org");
    }

    function _expectEndpointRefused(string memory endpoint) private {
        VM.prank(_operator(0));
        VM.expectRevert(abi.encodeWithSelector(Operators.InvalidEndpointLength.selector, bytes(endpoint).length, 128));
        registry.updateEndpoint(endpoint);
    }

    function _expectOutOfBounds(Parameters memory parameters, bytes32 name, uint256 value, uint256 min, uint256 max)
        private
    {
        VM.expectRevert(abi.encodeWithSelector(ParameterBounds.ParameterOutOfBounds.selector, name, value, min, max));
        registry.setParameters(parameters);
    }

    bytes private constant OUTSIDE_SUBGROUP = hex"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002"
        hex"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        hex"18c6b864ae17dc9da64203ffefb966306425a7bc6aeb7c75247438372716284a4173830420cd476ba1a365b95bfcec38"
        hex"172e93db764a8400a7d5071b6b6f5de0da2f0f4a063119abca014006b7c40a2cfe291a1924e65db0d6d0fcfbf3bf3d5c";
}
