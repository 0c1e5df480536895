// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {DaHeader} from "./DaHeader.sol";
import {Epochs} from "./Epochs.sol";
import {Attested, ICertificateVerifier, Status} from "./ICertificateVerifier.sol";

/// @title Sends each certificate to the verifier of its epoch
/// @notice A verifier is in charge from one epoch on until the next one is. The owner appends
/// verifiers, for epochs only of which there can be no certificate yet: what was valid stays valid,
/// and operators and users see a change coming.
/// @dev Every version of the header has its epoch at the same place.
contract CertificateVerifierRouter is ICertificateVerifier, Ownable2Step {
    /// @notice A verifier and the first epoch that it is in charge of, in one slot.
    struct Range {
        /// @notice First epoch.
        uint64 fromEpoch;
        /// @notice Verifier from that epoch on.
        ICertificateVerifier verifier;
    }

    /// @notice There can be certificates of the epoch, which begin with the next one's snapshot; or
    /// it is not behind that of the last verifier.
    error EpochNotAhead(uint64 fromEpoch, uint64 currentEpoch, uint64 lastFromEpoch);
    /// @notice There is no code at the address.
    error NotAContract(address verifier);

    /// @notice A verifier was appended.
    event VerifierAppended(uint64 indexed fromEpoch, ICertificateVerifier indexed verifier);

    /// @notice The clock of the epochs.
    Epochs public immutable CLOCK;

    /// @dev The last range. In a slot of its own because nearly every certificate is of it.
    Range private _latest;
    Range[] private _earlier;

    /// @param owner Account that appends verifiers.
    /// @param clock The registry.
    /// @param verifier Verifier from epoch 0 on.
    constructor(address owner, Epochs clock, ICertificateVerifier verifier) Ownable(owner) {
        CLOCK = clock;
        _setLatest(0, verifier);
    }

    /// @notice Puts `verifier` in charge of the epochs from `fromEpoch` on.
    function append(uint64 fromEpoch, ICertificateVerifier verifier) external onlyOwner {
        uint64 current = CLOCK.currentEpoch();
        Range memory latest = _latest;
        if (fromEpoch <= current + 1 || fromEpoch <= latest.fromEpoch) {
            revert EpochNotAhead(fromEpoch, current, latest.fromEpoch);
        }
        _earlier.push(latest);
        _setLatest(fromEpoch, verifier);
    }

    /// @inheritdoc ICertificateVerifier
    function check(bytes calldata certificate) external view returns (Status) {
        if (certificate.length < DaHeader.LENGTH) return Status.Malformed;
        return verifierOf(DaHeader.epoch(certificate)).check(certificate);
    }

    /// @inheritdoc ICertificateVerifier
    /// @dev Calldata and answer pass as they are. A verifier that reverts, which it does for want of
    /// gas alone, reverts here.
    function checkAndDecode(bytes calldata certificate) external view returns (Status status, Attested memory nothing) {
        if (certificate.length < DaHeader.LENGTH) return (Status.Malformed, nothing);
        ICertificateVerifier verifier = verifierOf(DaHeader.epoch(certificate));
        assembly ("memory-safe") {
            let place := mload(0x40)
            calldatacopy(place, 0, calldatasize())
            let done := staticcall(gas(), verifier, place, calldatasize(), 0, 0)
            returndatacopy(place, 0, returndatasize())
            if done { return(place, returndatasize()) }
            revert(place, returndatasize())
        }
    }

    /// @notice All verifiers with their first epochs, in order.
    function ranges() external view returns (Range[] memory all) {
        uint256 count = _earlier.length;
        all = new Range[](count + 1);
        for (uint256 i = 0; i < count; ++i) {
            all[i] = _earlier[i];
        }
        all[count] = _latest;
    }

    /// @notice The verifier in charge of an epoch.
    function verifierOf(uint64 epoch) public view returns (ICertificateVerifier) {
        Range memory latest = _latest;
        if (latest.fromEpoch <= epoch) return latest.verifier;
        uint256 index = _earlier.length;
        // The first range begins with epoch 0, so this ends before the list does.
        do {
            --index;
        } while (_earlier[index].fromEpoch > epoch);
        return _earlier[index].verifier;
    }

    function _setLatest(uint64 fromEpoch, ICertificateVerifier verifier) private {
        if (address(verifier).code.length == 0) revert NotAContract(address(verifier));
        _latest = Range(fromEpoch, verifier);
        emit VerifierAppended(fromEpoch, verifier);
    }
}
