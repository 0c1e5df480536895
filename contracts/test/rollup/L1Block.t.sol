// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {L1Block} from "../../src/rollup/L1Block.sol";
import {Predeploys} from "../../src/rollup/Predeploys.sol";
import {VM} from "../Vm.sol";

contract L1BlockTest {
    struct Values {
        uint32 baseFeeScalar;
        uint32 blobBaseFeeScalar;
        uint64 sequenceNumber;
        uint64 timestamp;
        uint64 number;
        uint256 basefee;
        uint256 blobBaseFee;
        bytes32 hash;
        bytes32 batcherHash;
        uint32 operatorFeeScalar;
        uint64 operatorFeeConstant;
        uint16 daFootprintGasScalar;
    }

    bytes4 internal constant ECOTONE = 0x440a5e20;
    bytes4 internal constant ISTHMUS = 0x098999be;
    bytes4 internal constant JOVIAN = 0x3db6be2b;

    L1Block internal l1Block;

    function setUp() public {
        l1Block = new L1Block();
    }

    function test_SelectorsAreThoseOfTheSpecification() public pure {
        VM.assertEq(bytes32(L1Block.setL1BlockValuesEcotone.selector), bytes32(ECOTONE));
        VM.assertEq(bytes32(L1Block.setL1BlockValuesIsthmus.selector), bytes32(ISTHMUS));
        VM.assertEq(bytes32(L1Block.setL1BlockValuesJovian.selector), bytes32(JOVIAN));
    }

    function testFuzz_EcotoneSetsItsValuesAndNoOthers(Values memory values) public {
        _set(abi.encodePacked(ECOTONE, _ecotone(values)));
        _assertEcotone(values);
        VM.assertEq(_slot(8), 0);
    }

    function testFuzz_IsthmusAddsTheOperatorFee(Values memory values) public {
        _set(abi.encodePacked(ISTHMUS, _ecotone(values), values.operatorFeeScalar, values.operatorFeeConstant));
        _assertEcotone(values);
        VM.assertEq(l1Block.operatorFeeScalar(), values.operatorFeeScalar);
        VM.assertEq(l1Block.operatorFeeConstant(), values.operatorFeeConstant);
        VM.assertEq(l1Block.daFootprintGasScalar(), 0);
    }

    function testFuzz_JovianAddsTheFootprintScalar(Values memory values) public {
        _set(_jovian(values));
        _assertEcotone(values);
        VM.assertEq(l1Block.operatorFeeScalar(), values.operatorFeeScalar);
        VM.assertEq(l1Block.operatorFeeConstant(), values.operatorFeeConstant);
        VM.assertEq(l1Block.daFootprintGasScalar(), values.daFootprintGasScalar);
    }

    /// @dev The execution client charges fees from these slots without calling the contract.
    function testFuzz_SlotsAreWhereTheExecutionClientReadsThem(Values memory values) public {
        _set(_jovian(values));
        VM.assertEq(_slot(1), values.basefee);
        VM.assertEq(uint32(_slot(3) >> 96), values.baseFeeScalar);
        VM.assertEq(uint32(_slot(3) >> 64), values.blobBaseFeeScalar);
        VM.assertEq(_slot(7), values.blobBaseFee);
        VM.assertEq(uint64(_slot(8)), values.operatorFeeConstant);
        VM.assertEq(uint32(_slot(8) >> 64), values.operatorFeeScalar);
        VM.assertEq(uint16(_slot(8) >> 96), values.daFootprintGasScalar);
    }

    function testFuzz_TheLastCallWins(Values memory first, Values memory second) public {
        _set(_jovian(first));
        _set(_jovian(second));
        _assertEcotone(second);
        VM.assertEq(l1Block.daFootprintGasScalar(), second.daFootprintGasScalar);
    }

    function testFuzz_OnlyTheDepositorSets(address caller, Values memory values) public {
        VM.assume(caller != Predeploys.DEPOSITOR_ACCOUNT);
        VM.prank(caller);
        (bool success, bytes memory reason) = address(l1Block).call(_jovian(values));
        VM.assertEq(success ? 1 : 0, 0);
        VM.assertEq(keccak256(reason), keccak256(abi.encodeWithSelector(L1Block.NotDepositor.selector)));
        VM.assertEq(l1Block.number(), 0);
    }

    function testFuzz_CalldataOfAnotherLengthReverts(uint8 length) public {
        VM.assume(length != 174);
        bytes memory data = abi.encodePacked(JOVIAN, new bytes(length));
        VM.prank(Predeploys.DEPOSITOR_ACCOUNT);
        (bool success, bytes memory reason) = address(l1Block).call(data);
        VM.assertEq(success ? 1 : 0, 0);
        VM.assertEq(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(L1Block.InvalidCalldataLength.selector, data.length, 178))
        );
    }

    function test_EtherPaysForGas() public view {
        (address token, uint8 decimals) = l1Block.gasPayingToken();
        VM.assertEq(token, Predeploys.ETHER);
        VM.assertEq(decimals, 18);
        VM.assertEq(l1Block.gasPayingTokenName(), "Ether");
        VM.assertEq(l1Block.gasPayingTokenSymbol(), "ETH");
        VM.assertEq(l1Block.isCustomGasToken() ? 1 : 0, 0);
        VM.assertEq(l1Block.DEPOSITOR_ACCOUNT(), Predeploys.DEPOSITOR_ACCOUNT);
        VM.assertEq(l1Block.l1FeeOverhead() + l1Block.l1FeeScalar(), 0);
    }

    function _set(bytes memory data) private {
        VM.prank(Predeploys.DEPOSITOR_ACCOUNT);
        (bool success,) = address(l1Block).call(data);
        VM.assertEq(success ? 1 : 0, 1);
    }

    function _slot(uint256 slot) private view returns (uint256) {
        return uint256(VM.load(address(l1Block), bytes32(slot)));
    }

    function _ecotone(Values memory values) private pure returns (bytes memory) {
        return abi.encodePacked(
            values.baseFeeScalar,
            values.blobBaseFeeScalar,
            values.sequenceNumber,
            values.timestamp,
            values.number,
            values.basefee,
            values.blobBaseFee,
            values.hash,
            values.batcherHash
        );
    }

    function _jovian(Values memory values) private pure returns (bytes memory) {
        bytes memory operatorFee = abi.encodePacked(values.operatorFeeScalar, values.operatorFeeConstant);
        return abi.encodePacked(JOVIAN, _ecotone(values), operatorFee, values.daFootprintGasScalar);
    }

    function _assertEcotone(Values memory values) private view {
        VM.assertEq(l1Block.baseFeeScalar(), values.baseFeeScalar);
        VM.assertEq(l1Block.blobBaseFeeScalar(), values.blobBaseFeeScalar);
        VM.assertEq(l1Block.sequenceNumber(), values.sequenceNumber);
        VM.assertEq(l1Block.timestamp(), values.timestamp);
        VM.assertEq(l1Block.number(), values.number);
        VM.assertEq(l1Block.basefee(), values.basefee);
        VM.assertEq(l1Block.blobBaseFee(), values.blobBaseFee);
        VM.assertEq(l1Block.hash(), values.hash);
        VM.assertEq(l1Block.batcherHash(), values.batcherHash);
    }
}
