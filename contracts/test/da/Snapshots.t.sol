// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {L1Header} from "../../src/da/L1Header.sol";
import {OperatorRegistry} from "../../src/da/OperatorRegistry.sol";
import {Snapshots} from "../../src/da/Snapshots.sol";
import {Status} from "../../src/da/ICertificateVerifier.sol";
import {VM} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {DaFixture} from "./DaFixture.sol";

contract SnapshotsTest is DaFixture {
    function setUp() public {
        _deploy();
    }

    function test_HoldsEveryOperatorWithStakeKeyAndEndpoint() public {
        for (uint256 i = 0; i < 5; ++i) {
            _register(i, (i + 1) * STAKE_MIN);
        }
        _snapshot(1, 5);
        Snapshots.Member[] memory members = registry.members(1);
        VM.assertEq(members.length, 5);
        for (uint256 i = 0; i < 5; ++i) {
            VM.assertEq(members[i].operator, _operator(i));
            VM.assertEq(members[i].stake, (i + 1) * STAKE_MIN);
            VM.assertEq(members[i].key, BlsSigner.key(_secret(i)));
            VM.assertEq(members[i].endpoint, _endpoint(i));
        }
        (uint256 count, uint256 total) = registry.quorumSize(1);
        VM.assertEq(count, 5);
        VM.assertEq(total, 15 * STAKE_MIN);
        uint256 secrets = 0;
        for (uint256 i = 0; i < 5; ++i) {
            secrets = addmod(secrets, _secret(i), BlsSigner.ORDER);
        }
        VM.assertEq(registry.aggregateKey(1), BlsSigner.key(secrets));
    }

    /// @dev The second chunk begins with operator 108.
    function test_CertifiesWithTwoChunks() public {
        uint256 count = 200;
        _quorum(count);
        Snapshots.Member[] memory members = registry.members(0);
        for (uint256 i = 0; i < count; ++i) {
            VM.assertEq(members[i].operator, _operator(i));
            VM.assertEq(members[i].stake, STAKE_MIN);
        }
        VM.assertEq(members[107].key, BlsSigner.key(_secret(107)));
        VM.assertEq(members[108].key, BlsSigner.key(_secret(108)));
        VM.assertEq(members[199].key, BlsSigner.key(_secret(199)));
        uint256 missing = (1 << 199) | (1 << 108) | (1 << 107) | 1;
        _assertStatus(_certificate(_header(64), count, _all(count) ^ missing), Status.Valid);
        _assertStatus(_certificate(_header(64), count, _all(100) | (1 << 150)), Status.TooFewSlots);
    }

    function test_TakesAFullQuorumWithinTheGasOfATransaction() public {
        _registerAll(200);
        (address[] memory operators, bytes memory keys) = (_operators(200), _keys(200));
        uint256 gas = gasleft();
        registry.snapshot(1, operators, keys);
        // EIP-7825 caps a transaction at 2^24; 40,000 bytes of calldata are 700,000 of it.
        VM.assertLe(gas - gasleft(), 15_000_000, "snapshot");
    }

    function testFuzz_SlotsSumToTheirNumber(uint48[12] calldata stakes, bytes32 randao, uint8 rowsLog) public {
        for (uint256 i = 0; i < 12; ++i) {
            _register(i, STAKE_MIN + uint256(stakes[i]) * 1 gwei);
        }
        _snapshot(0, 12);
        _drawSeed(0, randao);
        uint16 rows = uint16(1 << (rowsLog % 9));
        Snapshots.Member[] memory members = registry.members(0);
        (, bytes32 seed,) = registry.quorum(0);
        (uint256[] memory slots, uint256 count) = _slots(members, uint256(seed), rows);
        uint256 sum = 0;
        for (uint256 i = 0; i < 12; ++i) {
            sum += slots[i];
        }
        VM.assertEq(sum, count);
        // The verifier refuses and accepts by the same slots.
        uint256 signers = uint256(keccak256(abi.encode(randao))) & _all(12);
        uint256 signed = 0;
        for (uint256 i = 0; i < 12; ++i) {
            if (signers >> i & 1 == 1) signed += slots[i];
        }
        Status expected = 3 * signed >= 2 * count ? Status.Valid : Status.TooFewSlots;
        _assertStatus(_certificate(_header(rows), 12, signers), expected);
    }

    function test_NeverChanges() public {
        _quorum(5);
        bytes memory before = abi.encode(registry.members(0));
        (address first, bytes32 seed,) = registry.quorum(0);
        VM.deal(_operator(0), 1 ether);
        VM.prank(_operator(0));
        registry.increaseStake{value: 1 ether}();
        VM.prank(_operator(1));
        registry.requestExit();
        VM.expectRevert(abi.encodeWithSelector(Snapshots.SnapshotExists.selector, 0));
        registry.snapshot(0, _operators(5), "");
        VM.expectRevert(abi.encodeWithSelector(Snapshots.SeedExists.selector, 0));
        registry.drawSeed(0, "");
        VM.expectRevert(abi.encodeWithSelector(Snapshots.SeedExists.selector, 0));
        registry.resetSeedBlock(0);
        VM.assertEq(abi.encode(registry.members(0)), before);
        (address firstAfter, bytes32 seedAfter,) = registry.quorum(0);
        VM.assertEq(firstAfter, first);
        VM.assertEq(seedAfter, seed);
    }

    function test_RefusesIncompleteOrWrongLists() public {
        _registerAll(5);
        bytes memory keys = _keys(5);
        address[] memory operators = _operators(5);
        bytes memory fewer = _keys(4);
        VM.expectRevert(abi.encodeWithSelector(Snapshots.WrongOperatorCount.selector, 4, 768, 5));
        registry.snapshot(1, _operators(4), fewer);
        VM.expectRevert(abi.encodeWithSelector(Snapshots.WrongOperatorCount.selector, 5, 768, 5));
        registry.snapshot(1, operators, fewer);
        (operators[0], operators[1]) = (operators[1], operators[0]);
        VM.expectPartialRevert(Snapshots.NotAnActiveKey.selector);
        registry.snapshot(1, operators, keys);
        operators[0] = operators[1];
        VM.expectRevert(abi.encodeWithSelector(Snapshots.OperatorsNotAscending.selector, _operator(0), _operator(0)));
        registry.snapshot(1, operators, keys);
        operators = _operators(5);
        operators[4] = _operator(9);
        bytes memory reason = abi.encodeWithSelector(
            Snapshots.NotAnActiveKey.selector, _operator(9), keccak256(BlsSigner.key(_secret(4)))
        );
        VM.expectRevert(reason);
        registry.snapshot(1, operators, keys);
    }

    function test_RefusesAKeyOfAnEarlierRegistration() public {
        _registerAll(5);
        VM.startPrank(_operator(0));
        registry.requestExit();
        VM.warp(registry.operatorOf(_operator(0)).releaseTime);
        registry.withdraw(payable(_operator(0)));
        bytes memory key = BlsSigner.key(_secret(50));
        bytes memory possession = BlsSigner.prove(_secret(50), registry.possessionMessage(_operator(0), key));
        registry.register{value: STAKE_MIN}(key, possession, "http://example.org");
        VM.stopPrank();
        uint64 epoch = registry.currentEpoch();
        (address[] memory operators, bytes memory keys) = (_operators(5), _keys(5));
        bytes memory reason = abi.encodeWithSelector(
            Snapshots.NotAnActiveKey.selector, _operator(0), keccak256(BlsSigner.key(_secret(0)))
        );
        VM.expectRevert(reason);
        registry.snapshot(epoch, operators, keys);
    }

    function test_TakesTheCurrentAndTheNextEpochOnly() public {
        _registerAll(5);
        (address[] memory operators, bytes memory keys) = (_operators(5), _keys(5));
        VM.expectRevert(abi.encodeWithSelector(Snapshots.WrongEpoch.selector, 2, 0));
        registry.snapshot(2, operators, keys);
        VM.warp(GENESIS_TIME + EPOCH_LENGTH);
        VM.expectRevert(abi.encodeWithSelector(Snapshots.WrongEpoch.selector, 0, 1));
        registry.snapshot(0, operators, keys);
        registry.snapshot(1, operators, keys);
        registry.snapshot(2, operators, keys);
    }

    function test_NeedsEnoughOperators() public {
        _registerAll(3);
        VM.expectRevert(abi.encodeWithSelector(Snapshots.TooFewOperators.selector, 3, 4));
        registry.snapshot(1, _operators(3), "");
    }

    function test_DrawsTheSeedFromTheBlockThatTheSnapshotNamed() public {
        _registerAll(5);
        _snapshot(1, 5);
        uint256 number = registry.seedBlockOf(1);
        VM.assertEq(number, 1000 + SEED_DELAY);
        bytes memory header = _l1Header(number, keccak256("randao"));
        VM.roll(number);
        VM.expectRevert(abi.encodeWithSelector(L1Header.BlockHashUnknown.selector, number));
        registry.drawSeed(1, header);
        VM.roll(number + 1);
        VM.setBlockhash(number, keccak256(header));
        bytes memory other = _l1Header(number, keccak256("better"));
        VM.expectRevert(
            abi.encodeWithSelector(L1Header.WrongHeader.selector, number, keccak256(header), keccak256(other))
        );
        registry.drawSeed(1, other);
        registry.drawSeed(1, header);
        _assertSeed(1, keccak256("randao"));
    }

    /// @dev EIP-2935: the history contract knows what BLOCKHASH has forgotten.
    function test_DrawsTheSeedFromTheHistoryContract() public {
        _registerAll(5);
        _snapshot(1, 5);
        uint256 number = registry.seedBlockOf(1);
        bytes memory header = _l1Header(number, keccak256("randao"));
        VM.roll(number + 5000);
        // Answers every call with the hash: PUSH32 hash, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN.
        bytes memory code = abi.encodePacked(hex"7f", keccak256(header), hex"5f5260205ff3");
        VM.etch(0x0000F90827F1C53a10cb7A02335B175320002935, code);
        VM.roll(number + 8192);
        VM.expectRevert(abi.encodeWithSelector(L1Header.BlockHashUnknown.selector, number));
        registry.drawSeed(1, header);
        VM.roll(number + 8191);
        registry.drawSeed(1, header);
        _assertSeed(1, keccak256("randao"));
    }

    /// @dev Whatever a reorganisation puts in the place of a snapshot has another seed, also with the same
    /// RANDAO: in either chunk.
    function test_TheSeedNamesTheSnapshot() public {
        uint256 count = 110;
        uint256[3] memory richer = [uint256(0), 108, 109];
        _registerAll(count);
        bytes memory keys = _keys(count);
        bytes32[4] memory seeds;
        for (uint256 i = 0; i <= richer.length; ++i) {
            uint256 state = VM.snapshotState();
            if (i < richer.length) {
                address operator = _operator(richer[i]);
                VM.deal(operator, 1 gwei);
                VM.prank(operator);
                registry.increaseStake{value: 1 gwei}();
            }
            registry.snapshot(1, _operators(count), keys);
            _drawSeed(1, keccak256("randao"));
            _assertSeed(1, keccak256("randao"));
            (, seeds[i],) = registry.quorum(1);
            for (uint256 j = 0; j < i; ++j) {
                VM.assertFalse(seeds[i] == seeds[j]);
            }
            VM.assertTrue(VM.revertToState(state));
        }
    }

    function _assertSeed(uint64 epoch, bytes32 randao) private view {
        (address first, bytes32 seed,) = registry.quorum(epoch);
        VM.assertEq(seed, keccak256(abi.encode(epoch, uint96(uint256(randao)), first.codehash)));
    }

    function test_NamesAnotherSeedBlockWhenTheFirstIsOutOfReach() public {
        _registerAll(5);
        _snapshot(1, 5);
        uint256 number = registry.seedBlockOf(1);
        VM.roll(number + 8191);
        VM.expectRevert(abi.encodeWithSelector(Snapshots.SeedBlockKnown.selector, 1, number));
        registry.resetSeedBlock(1);
        VM.roll(number + 8192);
        registry.resetSeedBlock(1);
        VM.assertEq(registry.seedBlockOf(1), number + 8192 + SEED_DELAY);
        _drawSeed(1, keccak256("randao"));
    }

    function test_RandaoZeroIsASeedToo() public {
        _registerAll(5);
        _snapshot(1, 5);
        _drawSeed(1, 0);
        (, bytes32 seed,) = registry.quorum(1);
        VM.assertTrue(seed != 0);
    }

    function test_KnowsNothingOfEpochsWithoutSnapshot() public {
        bytes memory reason = abi.encodeWithSelector(Snapshots.NoSnapshot.selector, 7);
        VM.expectRevert(reason);
        registry.members(7);
        VM.expectRevert(reason);
        registry.quorumSize(7);
        VM.expectRevert(reason);
        registry.aggregateKey(7);
        VM.expectRevert(reason);
        registry.seedBlockOf(7);
        VM.expectRevert(reason);
        registry.drawSeed(7, "");
        VM.expectRevert(reason);
        registry.resetSeedBlock(7);
        (address first, bytes32 seed,) = registry.quorum(7);
        VM.assertEq(first, address(0));
        VM.assertEq(seed, 0);
        VM.assertEq(registry.secondChunk(7), address(0));
    }

    function test_CountsEpochsFromGenesis() public {
        VM.warp(1);
        VM.assertEq(registry.currentEpoch(), 0);
        VM.warp(GENESIS_TIME + EPOCH_LENGTH - 1);
        VM.assertEq(registry.currentEpoch(), 0);
        VM.warp(GENESIS_TIME + EPOCH_LENGTH);
        VM.assertEq(registry.currentEpoch(), 1);
        VM.assertEq(registry.epochEnd(0), GENESIS_TIME + EPOCH_LENGTH);
    }

    function test_BoundsTheSeedDelay() public {
        VM.expectRevert(abi.encodeWithSelector(Snapshots.InvalidSeedDelay.selector, 0));
        new OperatorRegistry(address(this), GENESIS_TIME, 1 days, 14 days, 0, _defaultParameters());
    }

    function _assertStatus(bytes memory certificate, Status expected) private view {
        VM.assertEq(uint256(verifier.check(certificate)), uint256(expected), "status");
    }

    /// @dev The formula as the documents have it.
    function _slots(Snapshots.Member[] memory members, uint256 seed, uint256 rows)
        private
        pure
        returns (uint256[] memory slots, uint256 count)
    {
        uint256 total = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            total += members[i].stake;
        }
        while (count < members.length) count += 4 * rows;
        slots = new uint256[](members.length);
        uint256 before = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 upTo = before + members[i].stake;
            slots[i] = (count * upTo + seed % total) / total - (count * before + seed % total) / total;
            before = upTo;
        }
    }
}
