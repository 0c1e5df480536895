// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Operators} from "../../src/da/Operators.sol";
import {Parameters} from "../../src/da/Parameters.sol";
import {SigningRate} from "../../src/da/SigningRate.sol";
import {Snapshots} from "../../src/da/Snapshots.sol";
import {VM} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {DaFixture} from "./DaFixture.sol";

contract SigningRateTest is DaFixture {
    uint256 internal constant OPERATORS = 20;

    function setUp() public {
        _deploy();
        _quorum(OPERATORS);
        registry.setRecorder(address(this), true);
    }

    function testFuzz_CountsWhoDidNotSign(uint256[8] calldata bitmaps) public {
        for (uint256 i = 0; i < bitmaps.length; ++i) {
            _record(0, bitmaps[i] & _all(OPERATORS));
        }
        VM.assertEq(registry.certificatesOf(0), bitmaps.length);
        VM.warp(GENESIS_TIME + EPOCH_LENGTH);
        for (uint256 operator = 0; operator < OPERATORS; ++operator) {
            uint256 misses = 0;
            for (uint256 i = 0; i < bitmaps.length; ++i) {
                if (bitmaps[i] >> operator & 1 == 0) ++misses;
            }
            VM.assertEq(registry.missesOf(0, operator), misses);
            (uint256 certificates, uint256 signed) = registry.signingRate(_operator(operator));
            VM.assertEq(certificates, bitmaps.length);
            VM.assertEq(signed, bitmaps.length - misses);
        }
    }

    function test_EjectsASilentOperatorFromTheNextSnapshotOn() public {
        _recordTimes(10, _all(OPERATORS) ^ (1 << 17));
        _nextEpoch();
        registry.eject(_operator(17));
        Operators.Operator memory operator = registry.operatorOf(_operator(17));
        VM.assertTrue(operator.state == Operators.State.Ejected);
        VM.assertEq(operator.rejoinTime, block.timestamp + 7 days);
        VM.assertEq(operator.releaseTime, registry.certificatesEnd(2) + 1);
        VM.assertEq(registry.activeOperators(), OPERATORS - 1);
        VM.assertEq(registry.members(0).length, OPERATORS);
        (address[] memory operators, bytes memory keys) = (_operators(OPERATORS), _keys(OPERATORS));
        VM.expectPartialRevert(Snapshots.WrongOperatorCount.selector);
        registry.snapshot(2, operators, keys);
        VM.expectRevert(abi.encodeWithSelector(Operators.WrongState.selector, _operator(17), Operators.State.Ejected));
        registry.eject(_operator(17));
    }

    /// @dev At exactly the minimum of one half it stays.
    function test_KeepsAnOperatorAtTheMinimum() public {
        _recordTimes(10, _all(OPERATORS) ^ 1);
        _recordTimes(10, _all(OPERATORS));
        _nextEpoch();
        VM.expectRevert(abi.encodeWithSelector(SigningRate.SignsEnough.selector, _operator(0), 20, 10));
        registry.eject(_operator(0));
        _recordTimes(1, _all(OPERATORS) ^ 1);
        registry.eject(_operator(0));
    }

    function test_NeedsEnoughCertificates() public {
        _recordTimes(9, _all(OPERATORS) ^ 1);
        _nextEpoch();
        VM.expectRevert(abi.encodeWithSelector(SigningRate.SignsEnough.selector, _operator(0), 9, 0));
        registry.eject(_operator(0));
    }

    function test_LooksBackOneWindowAndNoFurther() public {
        _recordTimes(10, _all(OPERATORS) ^ 1);
        VM.warp(GENESIS_TIME + 3 * EPOCH_LENGTH);
        (uint256 certificates, uint256 signed) = registry.signingRate(_operator(0));
        VM.assertEq(certificates, 10);
        VM.assertEq(signed, 0);
        VM.warp(GENESIS_TIME + 4 * EPOCH_LENGTH);
        (certificates, signed) = registry.signingRate(_operator(0));
        VM.assertEq(certificates, 0);
    }

    function test_CountsOnlyEpochsThatTheOperatorWasIn() public {
        _recordTimes(10, _all(OPERATORS));
        _register(OPERATORS, STAKE_MIN);
        (uint256 certificates,) = registry.signingRate(_operator(OPERATORS));
        VM.assertEq(certificates, 0);
        _snapshot(1, OPERATORS + 1);
        registry.recordSigning(1, _bitmap(OPERATORS + 1, _all(OPERATORS)));
        VM.warp(GENESIS_TIME + 2 * EPOCH_LENGTH);
        uint256 signed;
        (certificates, signed) = registry.signingRate(_operator(OPERATORS));
        VM.assertEq(certificates, 1);
        VM.assertEq(signed, 0);
        (certificates, signed) = registry.signingRate(_operator(0));
        VM.assertEq(certificates, 11);
        VM.assertEq(signed, 11);
    }

    function test_RegistersAgainAfterTheDelay() public {
        _recordTimes(10, _all(OPERATORS) ^ 1);
        _nextEpoch();
        registry.eject(_operator(0));
        VM.startPrank(_operator(0));
        VM.warp(registry.operatorOf(_operator(0)).releaseTime);
        registry.withdraw(payable(_operator(0)));
        VM.stopPrank();
        _register(0, STAKE_MIN);
        VM.assertEq(registry.activeOperators(), OPERATORS);
    }

    function test_RefusesToRegisterBeforeTheDelay() public {
        Parameters memory parameters = _defaultParameters();
        parameters.rejoinDelay = 60 days;
        registry.setParameters(parameters);
        _recordTimes(10, _all(OPERATORS) ^ 1);
        _nextEpoch();
        registry.eject(_operator(0));
        uint256 rejoin = registry.operatorOf(_operator(0)).rejoinTime;
        uint256 release = registry.operatorOf(_operator(0)).releaseTime;
        VM.warp(release);
        VM.prank(_operator(0));
        registry.withdraw(payable(_operator(0)));
        VM.warp(rejoin - 1);
        bytes memory key = BlsSigner.key(_secret(0));
        bytes memory possession = BlsSigner.prove(_secret(0), registry.possessionMessage(_operator(0), key));
        VM.prank(_operator(0));
        VM.expectRevert(abi.encodeWithSelector(Operators.RejoinTooEarly.selector, _operator(0), rejoin));
        registry.register{value: STAKE_MIN}(key, possession, "http://example.org");
    }

    /// @dev Its certificates are not all there yet: the first of them say little.
    function test_TheCurrentEpochDoesNotCount() public {
        _recordTimes(10, _all(OPERATORS) ^ 1);
        VM.warp(GENESIS_TIME + EPOCH_LENGTH - 1);
        VM.expectRevert(abi.encodeWithSelector(SigningRate.SignsEnough.selector, _operator(0), 0, 0));
        registry.eject(_operator(0));
        _nextEpoch();
        registry.eject(_operator(0));
    }

    /// @dev Each has a twentieth of the stake, and a tenth may go.
    function test_EjectsATenthOfTheStakeInAnEpoch() public {
        _recordTimes(10, _all(OPERATORS) ^ 0xf);
        _nextEpoch();
        registry.eject(_operator(0));
        registry.eject(_operator(1));
        VM.assertEq(registry.ejectedStakeOf(1), 2 * STAKE_MIN);
        bytes memory reason =
            abi.encodeWithSelector(SigningRate.TooMuchEjected.selector, 1, 3 * STAKE_MIN, 2 * STAKE_MIN);
        VM.expectRevert(reason);
        registry.eject(_operator(2));
        VM.warp(GENESIS_TIME + 2 * EPOCH_LENGTH);
        VM.expectRevert(abi.encodeWithSelector(Snapshots.NoSnapshot.selector, 2));
        registry.eject(_operator(2));
    }

    function test_EjectsOneOperatorWhateverItsShare() public {
        VM.deal(_operator(0), 100 ether);
        VM.prank(_operator(0));
        registry.increaseStake{value: 100 ether}();
        _recordTimes(10, _all(OPERATORS) ^ 3);
        _nextEpoch();
        registry.eject(_operator(0));
        VM.expectPartialRevert(SigningRate.TooMuchEjected.selector);
        registry.eject(_operator(1));
    }

    function test_OnlyRecordersReport() public {
        VM.prank(address(1));
        VM.expectRevert(abi.encodeWithSelector(SigningRate.NotRecorder.selector, address(1)));
        registry.recordSigning(0, "");
    }

    function test_RefusesBitmapsOfAnotherLengthAndStrayBits() public {
        VM.expectRevert(abi.encodeWithSelector(SigningRate.InvalidSigners.selector, 0, 2, OPERATORS));
        registry.recordSigning(0, hex"ffff");
        VM.expectRevert(abi.encodeWithSelector(SigningRate.InvalidSigners.selector, 0, 3, OPERATORS));
        registry.recordSigning(0, hex"ffff1f");
        VM.expectRevert(abi.encodeWithSelector(Snapshots.NoSnapshot.selector, 5));
        registry.recordSigning(5, hex"ffff0f");
    }

    /// @dev Into epoch 1, with the same operators.
    function _nextEpoch() private {
        _snapshot(1, OPERATORS);
        VM.warp(GENESIS_TIME + EPOCH_LENGTH);
    }

    function _record(uint64 epoch, uint256 signers) private {
        registry.recordSigning(epoch, _bitmap(OPERATORS, signers));
    }

    function _recordTimes(uint256 times, uint256 signers) private {
        for (uint256 i = 0; i < times; ++i) {
            _record(0, signers);
        }
    }
}
