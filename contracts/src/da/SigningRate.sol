// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ISigningRecords} from "./ISigningRecords.sol";
import {ParameterBounds, Parameters} from "./Parameters.sol";
import {QuorumCode} from "./QuorumCode.sol";
import {Snapshots} from "./Snapshots.sol";

/// @title Who signs how often, and what follows
/// @notice Recorders report who signed each certificate that they saw. Anyone can eject an operator
/// that signed too small a share of the certificates of the completed epochs it was in.
/// @dev The aggregator of a certificate chooses its bitmap: the signature covers the header, not who
/// signed it, and a certificate without an operator that did sign is as valid, as long as two thirds of
/// the slots are left. A rate so says how often a signature was used. An aggregator of all
/// certificates of a window can bring operators with a share of `1/3 / (1 - signingRateMin)` of the
/// slots below the minimum by leaving out others each time, two thirds of all at a minimum of one half.
/// What is ejected in an epoch is bounded, so that operators have time to see it and to aggregate
/// themselves. A minimum of zero ejects nobody.
abstract contract SigningRate is Snapshots, ISigningRecords {
    /// @notice The sender may not report certificates.
    error NotRecorder(address sender);
    /// @notice The bitmap has another length, or bits beyond the operators.
    error InvalidSigners(uint64 epoch, uint256 length, uint256 operators);
    /// @notice The operator signed enough, or there were too few certificates to tell.
    error SignsEnough(address operator, uint256 certificates, uint256 signed);

    /// @notice With this operator, more stake would be ejected in the epoch than may be.
    error TooMuchEjected(uint64 epoch, uint256 stake, uint256 max);

    /// @notice A certificate of an epoch was reported.
    event SigningRecorded(uint64 indexed epoch, bytes signers);

    /// @notice Share of an epoch's stake that can be ejected during it, in hundredths of a percent.
    /// One operator can always be, whatever its share.
    uint256 public constant EJECTED_SHARE_MAX = 1000;

    /// @dev Counters of 16 bits, 16 in a word. Reports beyond their range are not counted.
    uint256 private constant COUNTERS_PER_WORD = 16;
    uint256 private constant COUNTER_MAX = type(uint16).max;

    /// @notice Who may report certificates.
    mapping(address account => bool) public isRecorder;
    /// @notice Certificates of an epoch that were reported.
    mapping(uint64 epoch => uint256) public certificatesOf;
    /// @notice Wei that operators had which were ejected during an epoch.
    mapping(uint64 epoch => uint256) public ejectedStakeOf;
    /// @dev For each operator of the epoch, how many of them it did not sign.
    mapping(uint64 epoch => mapping(uint256 word => uint256)) private _misses;

    /// @inheritdoc ISigningRecords
    function recordSigning(uint64 epoch, bytes calldata signers) external {
        if (!isRecorder[msg.sender]) revert NotRecorder(msg.sender);
        (uint256 count,) = QuorumCode.size(_firstChunk(epoch));
        (bool valid, uint256 missing) = QuorumCode.readBitmap(signers, count);
        if (!valid) revert InvalidSigners(epoch, signers.length, count);
        uint256 certificates = certificatesOf[epoch];
        if (certificates == COUNTER_MAX) return;
        certificatesOf[epoch] = certificates + 1;
        for (uint256 word = 0; missing != 0; ++word) {
            uint256 counters = _spread(missing & 0xffff);
            if (counters != 0) _misses[epoch][word] += counters;
            missing >>= COUNTERS_PER_WORD;
        }
        emit SigningRecorded(epoch, signers);
    }

    /// @notice Takes an operator whose signing rate is below the minimum out of all later snapshots.
    /// The current epoch must have a snapshot, and not too much of its stake be ejected already.
    function eject(address account) external {
        Operator memory operator = _active(account);
        Parameters memory parameters_ = _parameters;
        (uint256 certificates, uint256 signed) = signingRate(account);
        if (
            certificates < parameters_.certificatesMin
                || signed * ParameterBounds.WHOLE >= certificates * parameters_.signingRateMin
        ) revert SignsEnough(account, certificates, signed);
        _countEjected(operator.stake);
        operator.state = State.Ejected;
        operator.rejoinTime = uint40(block.timestamp + parameters_.rejoinDelay);
        _leave(account, operator);
        emit OperatorEjected(account, operator.releaseTime, operator.rejoinTime);
    }

    /// @notice Certificates of the epochs of the window in which the operator was, since it last
    /// registered, and how many of them it signed. The current epoch is not in the window.
    function signingRate(address account) public view returns (uint256 certificates, uint256 signed) {
        uint64 current = currentEpoch();
        uint64 window = _parameters.signingWindow;
        uint64 epoch = current < window ? 0 : current - window;
        uint64 since = _operators[account].sinceEpoch;
        for (epoch = epoch < since ? since : epoch; epoch < current; ++epoch) {
            if (certificatesOf[epoch] == 0) continue;
            (bool found, uint256 index) = _indexOf(epoch, account);
            if (!found) continue;
            certificates += certificatesOf[epoch];
            signed += certificatesOf[epoch] - missesOf(epoch, index);
        }
    }

    /// @notice Certificates of an epoch that operator `index` did not sign.
    function missesOf(uint64 epoch, uint256 index) public view returns (uint256) {
        uint256 word = _misses[epoch][index / COUNTERS_PER_WORD];
        return uint16(word >> (16 * (index % COUNTERS_PER_WORD)));
    }

    /// @dev The first of an epoch is always counted: else an operator with more than the share could
    /// never be ejected.
    function _countEjected(uint256 stake) private {
        uint64 epoch = currentEpoch();
        (, uint256 total) = QuorumCode.size(_firstChunk(epoch));
        uint256 before = ejectedStakeOf[epoch];
        uint256 max = total * EJECTED_SHARE_MAX / ParameterBounds.WHOLE;
        if (before != 0 && before + stake > max) revert TooMuchEjected(epoch, before + stake, max);
        ejectedStakeOf[epoch] = before + stake;
    }

    /// @dev 16 bits to 16 counters of one or zero.
    function _spread(uint256 bits) private pure returns (uint256 counters) {
        for (uint256 i = 0; bits != 0; ++i) {
            counters |= (bits & 1) << (16 * i);
            bits >>= 1;
        }
    }
}
