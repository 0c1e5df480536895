// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {CertificateVerifier} from "../../src/da/CertificateVerifier.sol";
import {CertificateVerifierRouter} from "../../src/da/CertificateVerifierRouter.sol";
import {Attested, ICertificateVerifier, Status} from "../../src/da/ICertificateVerifier.sol";
import {VM} from "../Vm.sol";
import {DaFixture} from "./DaFixture.sol";

/// @notice A verifier of a later version that knows nothing yet.
contract LaterVerifier is ICertificateVerifier {
    function check(bytes calldata) external pure returns (Status) {
        return Status.Unsupported;
    }

    function checkAndDecode(bytes calldata) external pure returns (Status, Attested memory nothing) {
        return (Status.Unsupported, nothing);
    }
}

contract CertificateVerifierRouterTest is DaFixture {
    uint256 internal constant OPERATORS = 5;

    CertificateVerifierRouter internal router;
    ICertificateVerifier internal later;

    function setUp() public {
        _deploy();
        _quorum(OPERATORS);
        router = new CertificateVerifierRouter(address(this), registry, verifier);
        later = new LaterVerifier();
    }

    function test_AnswersWhatTheVerifierAnswers() public view {
        bytes memory certificate = _certificate(_header(4), OPERATORS, _all(OPERATORS));
        VM.assertTrue(router.check(certificate) == Status.Valid);
        (Status status, Attested memory said) = router.checkAndDecode(certificate);
        VM.assertTrue(status == Status.Valid);
        (, Attested memory expected) = verifier.checkAndDecode(certificate);
        VM.assertEq(abi.encode(said), abi.encode(expected));
        VM.assertEq(said.headerHash, keccak256(_encode(_header(4))));
    }

    function testFuzz_NeverReverts(bytes calldata anything) public view {
        Status status = router.check(anything);
        (Status same,) = router.checkAndDecode(anything);
        VM.assertTrue(status == same);
        VM.assertTrue(status == verifier.check(anything));
    }

    function test_SendsLaterEpochsToTheLaterVerifier() public {
        router.append(10, later);
        router.append(20, verifier);
        VM.assertEq(address(router.verifierOf(0)), address(verifier));
        VM.assertEq(address(router.verifierOf(9)), address(verifier));
        VM.assertEq(address(router.verifierOf(10)), address(later));
        VM.assertEq(address(router.verifierOf(19)), address(later));
        VM.assertEq(address(router.verifierOf(20)), address(verifier));
        VM.assertEq(address(router.verifierOf(type(uint64).max)), address(verifier));
        CertificateVerifierRouter.Range[] memory ranges = router.ranges();
        VM.assertEq(ranges.length, 3);
        VM.assertEq(ranges[1].fromEpoch, 10);
        DaFixture.Header memory header = _header(4);
        header.epoch = 15;
        VM.assertTrue(router.check(_certificate(header, OPERATORS, 1)) == Status.Unsupported);
        header.epoch = 0;
        VM.assertTrue(router.check(_certificate(header, OPERATORS, _all(OPERATORS))) == Status.Valid);
    }

    function test_AppendsForFutureEpochsOnly() public {
        VM.warp(GENESIS_TIME + 5 * EPOCH_LENGTH);
        for (uint64 epoch = 4; epoch <= 6; ++epoch) {
            VM.expectRevert(abi.encodeWithSelector(CertificateVerifierRouter.EpochNotAhead.selector, epoch, 5, 0));
            router.append(epoch, later);
        }
        router.append(9, later);
        VM.expectRevert(abi.encodeWithSelector(CertificateVerifierRouter.EpochNotAhead.selector, 9, 5, 9));
        router.append(9, verifier);
    }

    function test_OnlyTheOwnerAppends() public {
        VM.prank(address(1));
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(1)));
        router.append(9, later);
    }

    function test_AppendsContractsOnly() public {
        VM.expectRevert(abi.encodeWithSelector(CertificateVerifierRouter.NotAContract.selector, address(9)));
        router.append(9, CertificateVerifier(address(9)));
    }
}
