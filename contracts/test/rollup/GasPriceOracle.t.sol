// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FastLz} from "../../src/rollup/FastLz.sol";
import {GasPriceOracle} from "../../src/rollup/GasPriceOracle.sol";
import {L1Block} from "../../src/rollup/L1Block.sol";
import {Predeploys} from "../../src/rollup/Predeploys.sol";
import {VM} from "../Vm.sol";

contract GasPriceOracleTest {
    GasPriceOracle internal oracle;

    function setUp() public {
        VM.etch(Predeploys.L1_BLOCK, type(L1Block).runtimeCode);
        oracle = new GasPriceOracle();
    }

    function test_FeeFollowsTheRegressionOfFjord() public {
        _set(1000, 1000, 1000, 1000, 0, 0);
        bytes memory data = _incompressible(162);
        VM.assertEq(FastLz.compressedLength(data), 168);
        VM.assertEq(oracle.getL1Fee(data), uint256(836_500 * 236 - 42_585_600) * 17_000_000 / 1e12);
        VM.assertEq(oracle.getL1GasUsed(data), uint256(836_500 * 236 - 42_585_600) * 16 / 1e6);
    }

    function test_SmallTransactionsPayForOneHundredBytes() public {
        _set(1e9, 1, 2_000_000, 0, 0, 0);
        VM.assertEq(oracle.getL1Fee(""), 100 * 16 * 2 * 1e9);
        VM.assertEq(oracle.getL1GasUsed(""), 1600);
    }

    function testFuzz_FeeIsTheWeightedSumOfBothFees(
        bytes memory data,
        uint128 basefee,
        uint128 blobBaseFee,
        uint32 scalar,
        uint32 blobScalar
    ) public {
        _set(basefee, blobBaseFee, scalar, blobScalar, 0, 0);
        uint256 length = FastLz.compressedLength(data) + 68;
        uint256 size = length * 836_500 > 142_585_600 ? length * 836_500 - 42_585_600 : 100e6;
        uint256 perByte = uint256(scalar) * 16 * basefee + uint256(blobScalar) * blobBaseFee;
        VM.assertEq(oracle.getL1Fee(data), size * perByte / 1e12);
    }

    /// @dev Longer data exceeds it if nothing in it repeats, which no transaction does.
    function testFuzz_UpperBoundIsNotBelowTheFeeOfShortData(bytes memory data) public {
        VM.assume(data.length <= 500);
        _set(7e9, 3, 1_000_000, 500_000, 0, 0);
        VM.assertEq(oracle.getL1FeeUpperBound(data.length) >= oracle.getL1Fee(data) ? 1 : 0, 1);
    }

    function testFuzz_OperatorFeeBeforeJovianIsScaledDown(uint64 gasUsed, uint32 scalar, uint64 constantFee) public {
        _set(0, 0, 0, 0, scalar, constantFee);
        VM.assertEq(oracle.getOperatorFee(gasUsed), uint256(gasUsed) * scalar / 1e6 + constantFee);
    }

    function testFuzz_OperatorFeeSinceJovianIsScaledUp(uint64 gasUsed, uint32 scalar, uint64 constantFee) public {
        _activateJovian();
        _set(0, 0, 0, 0, scalar, constantFee);
        VM.assertEq(oracle.getOperatorFee(gasUsed), uint256(gasUsed) * scalar * 100 + constantFee);
    }

    function testFuzz_OperatorFeeNeverOverflows(uint256 gasUsed, uint32 scalar, uint64 constantFee) public {
        _activateJovian();
        _set(0, 0, 0, 0, scalar, constantFee);
        uint256 fee = oracle.getOperatorFee(gasUsed);
        bool fits = scalar == 0 || gasUsed <= (type(uint256).max - constantFee) / 100 / scalar;
        VM.assertEq(fee, fits ? gasUsed * scalar * 100 + constantFee : type(uint256).max);
    }

    function test_JovianIsActivatedOnceAndOnlyByTheDepositor() public {
        VM.assertEq(oracle.isJovian() ? 1 : 0, 0);
        VM.expectRevert(abi.encodeWithSelector(GasPriceOracle.NotDepositor.selector));
        oracle.setJovian();
        _activateJovian();
        VM.assertEq(oracle.isJovian() ? 1 : 0, 1);
        // The byte in which the OP contract keeps its flag.
        VM.assertEq(uint256(VM.load(address(oracle), 0)), 1 << 24);
        VM.prank(Predeploys.DEPOSITOR_ACCOUNT);
        VM.expectRevert(abi.encodeWithSelector(GasPriceOracle.AlreadyActive.selector));
        oracle.setJovian();
    }

    function test_ValuesOfEarlierForksRevert() public {
        VM.expectRevert(abi.encodeWithSignature("Error(string)", "GasPriceOracle: overhead() is deprecated"));
        oracle.overhead();
        VM.expectRevert(abi.encodeWithSignature("Error(string)", "GasPriceOracle: scalar() is deprecated"));
        oracle.scalar();
    }

    function testFuzz_GettersPassOnWhatL1BlockHolds(uint64 l2, uint256 basefee, uint256 blobBaseFee, uint32 scalar)
        public
    {
        _set(basefee, blobBaseFee, scalar, ~scalar, 0, 0);
        VM.fee(l2);
        VM.assertEq(oracle.gasPrice(), l2);
        VM.assertEq(oracle.baseFee(), l2);
        VM.assertEq(oracle.l1BaseFee(), basefee);
        VM.assertEq(oracle.blobBaseFee(), blobBaseFee);
        VM.assertEq(oracle.baseFeeScalar(), scalar);
        VM.assertEq(oracle.blobBaseFeeScalar(), ~scalar);
        VM.assertEq(oracle.decimals(), 6);
        VM.assertEq(oracle.isEcotone() && oracle.isFjord() && oracle.isIsthmus() ? 1 : 0, 1);
    }

    function _activateJovian() private {
        VM.prank(Predeploys.DEPOSITOR_ACCOUNT);
        oracle.setJovian();
    }

    function _set(
        uint256 basefee,
        uint256 blobBaseFee,
        uint32 scalar,
        uint32 blobScalar,
        uint32 operatorScalar,
        uint64 operatorConstant
    ) private {
        bytes memory data = abi.encodePacked(
            L1Block.setL1BlockValuesJovian.selector,
            abi.encodePacked(scalar, blobScalar, uint64(0), uint64(0), uint64(0), basefee, blobBaseFee),
            abi.encodePacked(bytes32(0), bytes32(0), operatorScalar, operatorConstant, uint16(400))
        );
        VM.prank(Predeploys.DEPOSITOR_ACCOUNT);
        (bool success,) = Predeploys.L1_BLOCK.call(data);
        VM.assertEq(success ? 1 : 0, 1);
    }

    function _incompressible(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i; i < length; ++i) {
            data[i] = keccak256(abi.encode(i))[0];
        }
    }
}
