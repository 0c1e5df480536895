// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G2Point} from "./Bls12381.sol";
import {ChunkCode} from "./ChunkCode.sol";
import {IQuorumSource} from "./IQuorumSource.sol";
import {L1Header} from "./L1Header.sol";
import {Operators} from "./Operators.sol";
import {QuorumCode} from "./QuorumCode.sol";

/// @title The quorum of each epoch: who, with which stake, and the seed of their slots
/// @notice Anyone takes the snapshot of the next epoch, once; what it says never changes. Then anyone
/// draws its seed, from RANDAO of a block that was to come when the stakes were fixed. Neither call
/// leaves its caller a choice: the snapshot has every active operator in it, and the block of the
/// seed is fixed by the snapshot.
/// @dev If the snapshot of an epoch was missed it can still be taken during the epoch.
abstract contract Snapshots is Operators, IQuorumSource {
    /// @notice What an operator of an epoch is.
    struct Member {
        /// @notice Its account.
        address operator;
        /// @notice Its stake in the snapshot, in wei.
        uint256 stake;
        /// @notice Its key of 192 bytes.
        bytes key;
        /// @notice Its endpoint as of now; empty if it has withdrawn its stake since.
        string endpoint;
    }

    /// @dev Two slots. The second is not read by certificates of quorums with one chunk.
    struct Epoch {
        address first;
        /// Of the seed, which is a hash of it; zero as long as it is not drawn.
        uint96 entropy;
        address second;
        uint64 seedBlock;
    }

    /// @notice Snapshots are taken of the current and of the next epoch.
    error WrongEpoch(uint64 epoch, uint64 currentEpoch);
    /// @notice The epoch has a snapshot.
    error SnapshotExists(uint64 epoch);
    /// @notice The epoch has no snapshot.
    error NoSnapshot(uint64 epoch);
    /// @notice There are fewer operators than a quorum needs.
    error TooFewOperators(uint256 active, uint256 min);
    /// @notice Not all active operators were given, or not a key for each.
    error WrongOperatorCount(uint256 operators, uint256 keysLength, uint256 active);
    /// @notice Operators are given once each, in ascending order.
    error OperatorsNotAscending(address previous, address operator);
    /// @notice Not an active operator's current key.
    error NotAnActiveKey(address operator, bytes32 keyHash);
    /// @notice The epoch has a seed.
    error SeedExists(uint64 epoch);
    /// @notice The block that gives the seed is still known, or to come.
    error SeedBlockKnown(uint64 epoch, uint256 seedBlock);
    /// @notice The delay of the seed is out of its range.
    error InvalidSeedDelay(uint256 blocks);

    /// @notice The quorum of an epoch was fixed. Its seed comes from block `seedBlock`.
    event SnapshotTaken(uint64 indexed epoch, uint256 operators, uint256 totalStake, uint256 seedBlock);
    /// @notice The seed of an epoch was drawn: its certificates are valid from now on.
    event SeedDrawn(uint64 indexed epoch, bytes32 seed);
    /// @notice The block that was to give the seed went out of reach; another one was set.
    event SeedBlockReset(uint64 indexed epoch, uint256 seedBlock);

    uint256 private constant SEED_DELAY_MAX = 1024;

    /// @notice Blocks from a snapshot to the block of its seed. Longer than anyone can foresee
    /// RANDAO: EIP-4399 advises four consensus epochs, 128 blocks.
    uint256 public immutable SEED_DELAY;

    mapping(uint64 epoch => Epoch) private _epochs;

    constructor(uint256 seedDelay) {
        if (seedDelay == 0 || seedDelay > SEED_DELAY_MAX) revert InvalidSeedDelay(seedDelay);
        SEED_DELAY = seedDelay;
    }

    /// @notice Fixes the quorum of the current or the next epoch.
    /// @param operators All active operators in ascending order.
    /// @param keys Their keys, 192 bytes each, one behind the other.
    function snapshot(uint64 epoch, address[] calldata operators, bytes calldata keys) external {
        uint64 current = currentEpoch();
        if (epoch != current && epoch != current + 1) revert WrongEpoch(epoch, current);
        Epoch storage record = _epochs[epoch];
        if (record.first != address(0)) revert SnapshotExists(epoch);
        uint256 count = activeOperators;
        if (count < _parameters.operatorsMin) revert TooFewOperators(count, _parameters.operatorsMin);
        if (operators.length != count || keys.length != count * QuorumCode.KEY_LENGTH) {
            revert WrongOperatorCount(operators.length, keys.length, count);
        }
        (bytes memory first, bytes memory second, uint256 total) = _records(operators, keys);
        uint64 seedBlock = uint64(block.number + SEED_DELAY);
        record.first = _store(first);
        record.seedBlock = seedBlock;
        if (second.length != 0) record.second = _store(second);
        emit SnapshotTaken(epoch, count, total, seedBlock);
    }

    /// @notice Draws the seed of an epoch, which names its snapshot too.
    /// @param header RLP of the header of the block that the snapshot named.
    function drawSeed(uint64 epoch, bytes calldata header) external {
        Epoch storage record = _withSnapshot(epoch);
        if (record.entropy != 0) revert SeedExists(epoch);
        uint96 entropy = uint96(uint256(L1Header.prevRandao(record.seedBlock, header)));
        // Zero stands for no seed.
        if (entropy == 0) entropy = 1;
        record.entropy = entropy;
        emit SeedDrawn(epoch, _seed(epoch, entropy, record.first));
    }

    /// @notice Names another block for a seed that nobody drew while its block was known.
    function resetSeedBlock(uint64 epoch) external {
        Epoch storage record = _withSnapshot(epoch);
        if (record.entropy != 0) revert SeedExists(epoch);
        uint256 seedBlock = record.seedBlock;
        if (block.number <= seedBlock + L1Header.HISTORY) revert SeedBlockKnown(epoch, seedBlock);
        seedBlock = block.number + SEED_DELAY;
        record.seedBlock = uint64(seedBlock);
        emit SeedBlockReset(epoch, seedBlock);
    }

    /// @inheritdoc IQuorumSource
    function quorum(uint64 epoch) external view returns (address first, bytes32 seed, uint256 end) {
        Epoch storage record = _epochs[epoch];
        uint256 word;
        assembly ("memory-safe") {
            word := sload(record.slot)
        }
        first = address(uint160(word));
        seed = _seed(epoch, uint96(word >> 160), first);
        end = certificatesEnd(epoch);
    }

    /// @inheritdoc IQuorumSource
    function secondChunk(uint64 epoch) external view returns (address) {
        return _epochs[epoch].second;
    }

    /// @notice The block whose RANDAO gives the seed of an epoch.
    function seedBlockOf(uint64 epoch) external view returns (uint256) {
        return _withSnapshot(epoch).seedBlock;
    }

    /// @notice Number of operators and stake of all of them in an epoch.
    function quorumSize(uint64 epoch) external view returns (uint256 count, uint256 totalStake) {
        return QuorumCode.size(_withSnapshot(epoch).first);
    }

    /// @notice The sum of the keys of an epoch, 192 bytes.
    function aggregateKey(uint64 epoch) external view returns (bytes memory) {
        uint256 buffer = QuorumCode.allocate();
        QuorumCode.head(_withSnapshot(epoch).first, buffer);
        G2Point memory key = Bls12381.g2In(buffer);
        Bls12381.negate(key);
        return Bls12381.toBytes(key);
    }

    /// @notice The operators of an epoch by their index. For reading off chain.
    function members(uint64 epoch) external view returns (Member[] memory result) {
        (uint256 count,) = QuorumCode.size(_withSnapshot(epoch).first);
        result = new Member[](count);
        G2Point memory key;
        for (uint256 i = 0; i < count; ++i) {
            (address chunk, uint256 offset) = _recordOf(epoch, i);
            (uint256 before, uint256 upTo) = QuorumCode.readRecord(chunk, offset, key);
            address operator = QuorumCode.operatorAt(chunk, offset);
            result[i] = Member(operator, upTo - before, Bls12381.toBytes(key), _endpoints[operator]);
        }
    }

    /// @dev The index of an operator in a snapshot, by binary search.
    function _indexOf(uint64 epoch, address operator) internal view returns (bool found, uint256 index) {
        (uint256 high,) = QuorumCode.size(_withSnapshot(epoch).first);
        while (index < high) {
            uint256 middle = (index + high) / 2;
            (address chunk, uint256 offset) = _recordOf(epoch, middle);
            address place = QuorumCode.operatorAt(chunk, offset);
            if (place == operator) return (true, middle);
            (index, high) = place < operator ? (middle + 1, high) : (index, middle);
        }
    }

    function _hasSnapshot(uint64 epoch) internal view returns (bool) {
        return _epochs[epoch].first != address(0);
    }

    /// @dev The first chunk of an epoch that must have a snapshot.
    function _firstChunk(uint64 epoch) internal view returns (address) {
        return _withSnapshot(epoch).first;
    }

    function _withSnapshot(uint64 epoch) private view returns (Epoch storage record) {
        record = _epochs[epoch];
        if (record.first == address(0)) revert NoSnapshot(epoch);
    }

    function _recordOf(uint64 epoch, uint256 index) private view returns (address chunk, uint256 offset) {
        bool inSecond;
        (inSecond, offset) = QuorumCode.offsetOf(index);
        chunk = inSecond ? _epochs[epoch].second : _epochs[epoch].first;
    }

    /// @dev Both chunks in memory. That there are as many operators as active ones, all active and
    /// no two alike, makes the list complete.
    function _records(address[] calldata operators, bytes calldata keys)
        private
        view
        returns (bytes memory first, bytes memory second, uint256 total)
    {
        uint256 count = operators.length;
        first = new bytes(QuorumCode.firstLength(count));
        second = new bytes(QuorumCode.secondLength(count));
        G2Point memory sum;
        G2Point memory key;
        address previous;
        for (uint256 i = 0; i < count; ++i) {
            address operator = operators[i];
            if (operator <= previous) revert OperatorsNotAscending(previous, operator);
            previous = operator;
            (bool inSecond, uint256 offset) = QuorumCode.offsetOf(i);
            uint256 place = _dataOf(inSecond ? second : first) + offset;
            bytes32 keyHash = QuorumCode.copyKey(keys, i, place);
            uint256 stake = _stakeOf(operator, keyHash);
            if (stake == 0) revert NotAnActiveKey(operator, keyHash);
            total += stake;
            QuorumCode.finishRecord(place, total, operator);
            if (i + 1 == QuorumCode.FIRST_RECORDS && second.length != 0) {
                QuorumCode.writeBorder(_dataOf(second), total, operator);
            }
            Bls12381.g2FromMemory(place, Bls12381.placeOf(key));
            Bls12381.addTo(sum, key);
        }
        Bls12381.negate(sum);
        QuorumCode.writeHead(_dataOf(first), sum, count, total);
        if (second.length != 0) QuorumCode.writeSecondHash(_dataOf(first), second);
    }

    /// @dev keccak256(abi.encode(epoch, entropy, code hash of the first chunk)). RANDAO can be the same on
    /// both sides of a reorganisation that changes a snapshot; the seed is not.
    function _seed(uint64 epoch, uint96 entropy, address first) private view returns (bytes32 seed) {
        if (entropy == 0) return 0;
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, epoch)
            mstore(add(place, 0x20), entropy)
            mstore(add(place, 0x40), extcodehash(first))
            seed := keccak256(place, 0x60)
        }
    }

    function _store(bytes memory data) private returns (address) {
        return ChunkCode.store(_dataOf(data), data.length);
    }

    function _dataOf(bytes memory data) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := add(data, 0x20)
        }
    }
}
