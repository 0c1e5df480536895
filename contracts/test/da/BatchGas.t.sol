// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import {CertificateVerifierRouter} from "../../src/da/CertificateVerifierRouter.sol";
import {BatchInbox} from "../../src/rollup/BatchInbox.sol";
import {IBatcherSource} from "../../src/rollup/IBatcherSource.sol";
import {VM} from "../Vm.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {DaFixture} from "./DaFixture.sol";

/// @notice A SystemConfig with nothing but the batcher. Behind a proxy, as on L1.
contract BatcherSource is IBatcherSource {
    bytes32 public batcherHash;

    function setBatcher(address batcher) external {
        batcherHash = bytes32(uint256(uint160(batcher)));
    }
}

/// @notice What whole transactions cost: each call here is one, with cold access and intrinsic gas.
contract BatchGasTest is DaFixture {
    uint256 internal constant OPERATORS = 64;
    address internal constant BATCHER = address(0xba7c4e5);

    event Log(uint256 g);
    BatchInbox internal inbox;

    function setUp() public {
        _deploy();
        _quorum(OPERATORS);
        bytes memory setUpCall = abi.encodeCall(BatcherSource.setBatcher, (BATCHER));
        address source = address(new ERC1967Proxy(address(new BatcherSource()), setUpCall));
        CertificateVerifierRouter router = new CertificateVerifierRouter(address(this), registry, verifier);
        inbox = new BatchInbox(IBatcherSource(source), router, registry);
        // The first batch also sets the count, which was zero.
        _append(_all(OPERATORS));
    }

    /// forge-config: default.isolate = true
    function test_EverybodySigned() public {
        _record("batch, everybody signed", _append(_all(OPERATORS)), 210_000);
    }

    /// forge-config: default.isolate = true
    function test_TenDidNotSign() public {
        _record("batch, 10 did not sign", _append(_without(10)), 210_000);
    }

    /// forge-config: default.isolate = true
    function test_TwentyOneDidNotSign() public {
        _record("batch, 21 did not sign", _append(_without(21)), 260_000);
    }

    /// @dev Once in `BATCHER_LIFETIME` a batch also reads who the batcher is.
    /// forge-config: default.isolate = true
    function test_TenDidNotSignAndTheBatcherIsRead() public {
        VM.warp(block.timestamp + inbox.BATCHER_LIFETIME() + 1);
        _record("batch, 10 did not sign, batcher read", _append(_without(10)), 222_000);
    }

    /// @dev The proof of possession is checked; the endpoint fits into one word.
    /// forge-config: default.isolate = true
    function test_Registers() public {
        bytes memory key = BlsSigner.key(_secret(OPERATORS));
        bytes32 message = registry.possessionMessage(_operator(OPERATORS), key);
        bytes memory possession = BlsSigner.prove(_secret(OPERATORS), message);
        VM.deal(_operator(OPERATORS), STAKE_MIN);
        VM.prank(_operator(OPERATORS));
        registry.register{value: STAKE_MIN}(key, possession, _endpoint(OPERATORS));
        _record("registration", VM.lastCallGas().gasTotalUsed, 235_000);
    }

    /// forge-config: default.isolate = true
    function test_TakesASnapshot() public {
        registry.snapshot(1, _operators(OPERATORS), _keys(OPERATORS));
        _record("snapshot", VM.lastCallGas().gasTotalUsed, 4_500_000);
    }

    /// @dev The limit is a requirement; the exact value is in snapshots/.
    function _record(string memory name, uint256 gas, uint256 limit) private {
        VM.assertLe(gas, limit, name);
        VM.snapshotValue("da-with-64-operators", name, gas);
    }

    function _append(uint256 signers) private returns (uint256 gas) {
        bytes memory data = bytes.concat(hex"0101", _certificate(_header(64), OPERATORS, signers));
        VM.prank(BATCHER);
        (bool success, bytes memory reason) = address(inbox).call(data);
        gas = VM.lastCallGas().gasTotalUsed;
        VM.assertEq(reason, "");
        VM.assertTrue(success);
    }

    function _without(uint256 count) private pure returns (uint256 signers) {
        signers = _all(OPERATORS);
        for (uint256 i = 0; i < count; ++i) {
            signers ^= 1 << (3 * i);
        }
    }
}
