// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FastLz} from "./FastLz.sol";
import {L1Block} from "./L1Block.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title What a transaction pays beside its execution: L1 data fee and operator fee
/// @custom:predeploy 0x420000000000000000000000000000000000000F
/// @notice Estimates for wallets and contracts; the execution client charges by the same formulas
/// (OP specification, Fjord, Isthmus and Jovian).
/// @dev For chains that start with Isthmus: the flags of the forks before are constants. Only Jovian
/// is a flag in state, in the slot and byte where the OP contract has it. Reasons of reverts are
/// strings where clients of the OP contract know them as strings.
contract GasPriceOracle {
    /// @notice The caller is not the depositor account.
    error NotDepositor();
    /// @notice The fork is active already.
    error AlreadyActive();

    /// @notice Emitted when the operator fee switched to the formula of Jovian.
    event JovianActivated();

    /// @notice Decimals of the fee scalars.
    uint256 public constant DECIMALS = 6;

    /// @dev Compressed size by linear regression over the FastLZ length, in millionths of a byte.
    uint256 private constant COST_FASTLZ_COEFFICIENT = 836_500;
    uint256 private constant COST_NEGATIVE_INTERCEPT = 42_585_600;
    uint256 private constant MIN_TRANSACTION_SIZE = 100_000_000;
    /// @dev Bytes of a signature, which the unsigned transactions passed in have not yet.
    uint256 private constant SIGNATURE_SIZE = 68;
    uint256 private constant GAS_PER_BYTE = 16;
    uint256 private constant OPERATOR_FEE_DECIMALS = 1e6;
    uint256 private constant OPERATOR_FEE_MULTIPLIER = 100;
    L1Block private constant L1_BLOCK = L1Block(Predeploys.L1_BLOCK);

    /// @dev Three flags of the OP contract, true in all of our blocks and never read.
    bytes3 private _earlierForks;
    /// @notice Whether the operator fee follows Jovian.
    bool public isJovian;

    /// @notice Switches the operator fee to Jovian; an upgrade transaction does so.
    function setJovian() external {
        if (msg.sender != Predeploys.DEPOSITOR_ACCOUNT) revert NotDepositor();
        if (isJovian) revert AlreadyActive();
        isJovian = true;
        emit JovianActivated();
    }

    /// @notice L1 data fee in wei.
    /// @param unsignedTx Transaction in its wire encoding without signature.
    function getL1Fee(bytes memory unsignedTx) external view returns (uint256) {
        return _l1Fee(FastLz.compressedLength(unsignedTx) + SIGNATURE_SIZE);
    }

    /// @notice L1 data fee in wei that practically no transaction of that size exceeds. Far cheaper
    /// than `getL1Fee`.
    /// @param unsignedTxSize Bytes of the transaction without signature.
    function getL1FeeUpperBound(uint256 unsignedTxSize) external view returns (uint256) {
        uint256 size = unsignedTxSize + SIGNATURE_SIZE;
        return _l1Fee(size + size / 255 + 16);
    }

    /// @notice Gas that the transaction would take on L1 as calldata. Deprecated since Fjord: blobs
    /// are paid for otherwise.
    /// @param unsignedTx Transaction in its wire encoding without signature.
    function getL1GasUsed(bytes memory unsignedTx) external pure returns (uint256) {
        uint256 length = FastLz.compressedLength(unsignedTx) + SIGNATURE_SIZE;
        return (_estimatedSize(length) * GAS_PER_BYTE) / 1e6;
    }

    /// @notice Operator fee in wei, the largest number there is where it would be larger.
    /// @param gasUsed Gas of the transaction.
    function getOperatorFee(uint256 gasUsed) external view returns (uint256) {
        uint256 fee = _saturatingMul(gasUsed, L1_BLOCK.operatorFeeScalar());
        fee = isJovian ? _saturatingMul(fee, OPERATOR_FEE_MULTIPLIER) : fee / OPERATOR_FEE_DECIMALS;
        uint256 constantFee = L1_BLOCK.operatorFeeConstant();
        return fee > type(uint256).max - constantFee ? type(uint256).max : fee + constantFee;
    }

    /// @notice Base fee of this block in wei per gas.
    function gasPrice() external view returns (uint256) {
        return block.basefee;
    }

    /// @notice Base fee of this block in wei per gas.
    function baseFee() external view returns (uint256) {
        return block.basefee;
    }

    /// @notice Base fee of the L1 origin in wei per gas.
    function l1BaseFee() external view returns (uint256) {
        return L1_BLOCK.basefee();
    }

    /// @notice Blob base fee of the L1 origin in wei per blob gas.
    function blobBaseFee() external view returns (uint256) {
        return L1_BLOCK.blobBaseFee();
    }

    /// @notice Weight of 16 times the L1 base fee, in millionths.
    function baseFeeScalar() external view returns (uint32) {
        return L1_BLOCK.baseFeeScalar();
    }

    /// @notice Weight of the L1 blob base fee, in millionths.
    function blobBaseFeeScalar() external view returns (uint32) {
        return L1_BLOCK.blobBaseFeeScalar();
    }

    /// @notice Decimals of the fee scalars.
    function decimals() external pure returns (uint256) {
        return DECIMALS;
    }

    /// @notice Whether Ecotone is active: always.
    function isEcotone() external pure returns (bool) {
        return true;
    }

    /// @notice Whether Fjord is active: always.
    function isFjord() external pure returns (bool) {
        return true;
    }

    /// @notice Whether Isthmus is active: always.
    function isIsthmus() external pure returns (bool) {
        return true;
    }

    /// @notice Gone with Ecotone.
    function overhead() external pure returns (uint256) {
        revert("GasPriceOracle: overhead() is deprecated");
    }

    /// @notice Gone with Ecotone.
    function scalar() external pure returns (uint256) {
        revert("GasPriceOracle: scalar() is deprecated");
    }

    /// @notice Semantic version.
    function version() external pure returns (string memory) {
        return "1.0.0";
    }

    function _l1Fee(uint256 fastLzLength) private view returns (uint256) {
        uint256 feePerByte = uint256(L1_BLOCK.baseFeeScalar()) * GAS_PER_BYTE * L1_BLOCK.basefee()
            + uint256(L1_BLOCK.blobBaseFeeScalar()) * L1_BLOCK.blobBaseFee();
        return (_estimatedSize(fastLzLength) * feePerByte) / 10 ** (2 * DECIMALS);
    }

    /// @dev In millionths of a byte.
    function _estimatedSize(uint256 fastLzLength) private pure returns (uint256) {
        uint256 scaled = COST_FASTLZ_COEFFICIENT * fastLzLength;
        if (scaled < COST_NEGATIVE_INTERCEPT + MIN_TRANSACTION_SIZE) return MIN_TRANSACTION_SIZE;
        return scaled - COST_NEGATIVE_INTERCEPT;
    }

    function _saturatingMul(uint256 left, uint256 right) private pure returns (uint256) {
        unchecked {
            uint256 product = left * right;
            return right == 0 || product / right == left ? product : type(uint256).max;
        }
    }
}
