// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Predeploys} from "./Predeploys.sol";

/// @title What L2 knows of L1: the L1 origin of the block and the fee parameters as of it
/// @custom:predeploy 0x4200000000000000000000000000000000000015
/// @notice Written once in every block, by its first transaction, and by nobody else.
/// @dev The calldata of the setters is packed, not ABI-encoded (OP specification, L1 attributes of
/// Ecotone, Isthmus and Jovian); it is as long as the last field that the setter reads. The
/// execution client reads slots 1, 3, 7 and 8 directly when it charges fees, so the order of the
/// state variables is part of the protocol. No event is emitted: the transaction itself is the record.
contract L1Block {
    /// @notice The caller is not the depositor account.
    error NotDepositor();
    /// @notice The calldata of the setter has another length.
    error InvalidCalldataLength(uint256 actual, uint256 expected);

    uint256 private constant ECOTONE_LENGTH = 164;
    uint256 private constant ISTHMUS_LENGTH = 176;
    uint256 private constant JOVIAN_LENGTH = 178;

    /// @notice Number of the L1 origin.
    uint64 public number;
    /// @notice Timestamp of the L1 origin in seconds.
    uint64 public timestamp;
    /// @notice Base fee of the L1 origin in wei per gas.
    uint256 public basefee;
    /// @notice Hash of the L1 origin.
    bytes32 public hash;
    /// @notice L2 blocks since the first one with this L1 origin.
    uint64 public sequenceNumber;
    /// @notice Weight of the L1 blob base fee in the L1 data fee, in millionths.
    uint32 public blobBaseFeeScalar;
    /// @notice Weight of 16 times the L1 base fee in the L1 data fee, in millionths.
    uint32 public baseFeeScalar;
    /// @notice Versioned hash of the batcher; version 0 is its address.
    bytes32 public batcherHash;
    /// @notice Unused since Ecotone, always zero. Keeps the slots behind it in place.
    uint256 public l1FeeOverhead;
    /// @notice Unused since Ecotone, always zero. Keeps the slots behind it in place.
    uint256 public l1FeeScalar;
    /// @notice Blob base fee of the L1 origin in wei per blob gas.
    uint256 public blobBaseFee;
    /// @notice Operator fee per transaction in wei.
    uint64 public operatorFeeConstant;
    /// @notice Operator fee per gas: hundreds of wei since Jovian, millionths of a wei before.
    uint32 public operatorFeeScalar;
    /// @notice Gas that one estimated byte of transaction data takes of a block's DA footprint.
    uint16 public daFootprintGasScalar;

    /// @notice Sets the values of the Ecotone fork.
    function setL1BlockValuesEcotone() external {
        _authorize(ECOTONE_LENGTH);
        _setEcotoneValues();
    }

    /// @notice Sets the values of the Isthmus fork: those of Ecotone and the operator fee.
    function setL1BlockValuesIsthmus() external {
        _authorize(ISTHMUS_LENGTH);
        _setEcotoneValues();
        _setOperatorFee();
    }

    /// @notice Sets the values of the Jovian fork: those of Isthmus and the DA footprint scalar.
    function setL1BlockValuesJovian() external {
        _authorize(JOVIAN_LENGTH);
        _setEcotoneValues();
        _setOperatorFee();
        daFootprintGasScalar = uint16(bytes2(msg.data[176:178]));
    }

    /// @notice The account that may call the setters.
    function DEPOSITOR_ACCOUNT() external pure returns (address) {
        return Predeploys.DEPOSITOR_ACCOUNT;
    }

    /// @notice The token that pays for gas: ether, with its decimals.
    function gasPayingToken() external pure returns (address token, uint8 decimals) {
        return (Predeploys.ETHER, 18);
    }

    /// @notice Name of the token that pays for gas.
    function gasPayingTokenName() external pure returns (string memory) {
        return "Ether";
    }

    /// @notice Symbol of the token that pays for gas.
    function gasPayingTokenSymbol() external pure returns (string memory) {
        return "ETH";
    }

    /// @notice Whether a token other than ether pays for gas.
    function isCustomGasToken() external pure returns (bool) {
        return false;
    }

    /// @notice Semantic version.
    function version() external pure returns (string memory) {
        return "1.0.0";
    }

    function _authorize(uint256 expected) private view {
        if (msg.sender != Predeploys.DEPOSITOR_ACCOUNT) revert NotDepositor();
        if (msg.data.length != expected) revert InvalidCalldataLength(msg.data.length, expected);
    }

    function _setEcotoneValues() private {
        baseFeeScalar = uint32(bytes4(msg.data[4:8]));
        blobBaseFeeScalar = uint32(bytes4(msg.data[8:12]));
        sequenceNumber = uint64(bytes8(msg.data[12:20]));
        timestamp = uint64(bytes8(msg.data[20:28]));
        number = uint64(bytes8(msg.data[28:36]));
        basefee = uint256(bytes32(msg.data[36:68]));
        blobBaseFee = uint256(bytes32(msg.data[68:100]));
        hash = bytes32(msg.data[100:132]);
        batcherHash = bytes32(msg.data[132:164]);
    }

    function _setOperatorFee() private {
        operatorFeeScalar = uint32(bytes4(msg.data[164:168]));
        operatorFeeConstant = uint64(bytes8(msg.data[168:176]));
    }
}
