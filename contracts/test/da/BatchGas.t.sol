// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import {CertificateVerifierRouter} from "../../src/da/CertificateVerifierRouter.sol";
import {BatchInbox} from "../../src/rollup/BatchInbox.sol";
import {IBatcherSource} from "../../src/rollup/IBatcherSource.sol";
import {VM} from "../Vm.sol";
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
        VM.assertLe(_append(_all(OPERATORS)), 210_000, "0 non-signers");
    }

    /// forge-config: default.isolate = true
    function test_TenDidNotSign() public {
        VM.assertLe(_append(_without(10)), 210_000, "10 non-signers");
    }

    /// forge-config: default.isolate = true
    function test_TwentyOneDidNotSign() public {
        VM.assertLe(_append(_without(21)), 260_000, "21 non-signers");
    }

    function _append(uint256 signers) internal returns (uint256 gas) {
        bytes memory data = bytes.concat(hex"0101", _certificate(_header(64), OPERATORS, signers));
        VM.prank(BATCHER);
        (bool success, bytes memory reason) = address(inbox).call(data);
        gas = VM.lastCallGas().gasTotalUsed;

        VM.assertEq(reason, "");
        VM.assertTrue(success);
    }

    function _without(uint256 count) internal pure returns (uint256 signers) {
        signers = _all(OPERATORS);
        for (uint256 i = 0; i < count; ++i) {
            signers ^= 1 << (3 * i);
        }
    }
}
