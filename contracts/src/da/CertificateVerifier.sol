// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G1Point, G2Point} from "./Bls12381.sol";
import {DaHeader} from "./DaHeader.sol";
import {Attested, ICertificateVerifier, Status} from "./ICertificateVerifier.sol";
import {IQuorumSource} from "./IQuorumSource.sol";
import {QuorumCode} from "./QuorumCode.sol";
import {Slots} from "./Slots.sol";

/// @title Verifies certificates of one registry's quorums
/// @dev Costs one pairing of two, one hash to the curve, and for each operator that did not sign a
/// read of its record, two divisions and one addition in G2. Signers cost nothing: the sum of their
/// keys is that of all keys less those of the others.
contract CertificateVerifier is ICertificateVerifier {
    bytes32 private constant ATTESTATION_DOMAIN = keccak256("cairn.da.attestation.v1");
    uint256 private constant SIGNATURE_LENGTH = 96;
    uint256 private constant SIGNERS_OFFSET = DaHeader.LENGTH + SIGNATURE_LENGTH;

    /// @dev The quorum of a certificate's epoch and what its header makes of it.
    struct Quorum {
        address first;
        uint256 count;
        uint256 total;
        uint256 slots;
        uint256 offset;
        G2Point negatedKey;
    }

    /// @notice The registry whose operators sign.
    IQuorumSource public immutable REGISTRY;

    constructor(IQuorumSource registry) {
        REGISTRY = registry;
    }

    /// @inheritdoc ICertificateVerifier
    function check(bytes calldata certificate) external view returns (Status) {
        return _check(certificate);
    }

    /// @inheritdoc ICertificateVerifier
    function checkAndDecode(bytes calldata certificate) external view returns (Status status, Attested memory said) {
        status = _check(certificate);
        if (status != Status.Valid) return (status, said);
        said.headerHash = DaHeader.hash(certificate);
        said.hashesRoot = DaHeader.hashesRoot(certificate);
        said.rows = DaHeader.rows(certificate);
        said.columns = DaHeader.columns(certificate);
        said.payloadLength = DaHeader.payloadLength(certificate);
        said.epoch = DaHeader.epoch(certificate);
        said.expiry = DaHeader.expiry(certificate);
        said.signersHash = keccak256(abi.encodePacked(said.epoch, certificate[SIGNERS_OFFSET:]));
    }

    /// @dev The length of the bitmap is known by the snapshot alone, so that is looked up first.
    function _check(bytes calldata certificate) private view returns (Status) {
        if (certificate.length < SIGNERS_OFFSET) return Status.Malformed;
        bool quorumKnown = DaHeader.quorum(certificate) == DaHeader.QUORUM;
        (address first, bytes32 seed, uint256 end) = REGISTRY.quorum(DaHeader.epoch(certificate));
        bool known = quorumKnown && first != address(0) && seed != 0;
        Quorum memory quorum;
        if (known) {
            quorum.first = first;
            (quorum.count, quorum.total, quorum.negatedKey) = QuorumCode.head(first);
            if (!QuorumCode.isBitmap(certificate[SIGNERS_OFFSET:], quorum.count)) return Status.Malformed;
        }
        if (!DaHeader.isSupported(certificate)) return Status.Unsupported;
        if (!DaHeader.isShaped(certificate)) return Status.ImpossibleShape;
        if (!quorumKnown) return Status.UnknownQuorum;
        if (!known) return Status.UnknownEpoch;
        if (block.timestamp > DaHeader.expiry(certificate) || block.timestamp > end) return Status.Expired;
        quorum.slots = Slots.count(DaHeader.rows(certificate), quorum.count);
        quorum.offset = uint256(seed) % quorum.total;
        if (!_subtractMissing(certificate, quorum)) return Status.TooFewSlots;
        return _verify(certificate, quorum.negatedKey);
    }

    /// @dev Takes the keys of the operators that did not sign out of the aggregate, unless their
    /// slots are so many that the others do not suffice.
    function _subtractMissing(bytes calldata certificate, Quorum memory quorum) private view returns (bool) {
        uint256 missing = QuorumCode.missing(certificate[SIGNERS_OFFSET:], quorum.count);
        if (missing == 0) return true;
        G2Point memory key;
        uint256 signed = quorum.slots;
        address second;
        do {
            uint256 index = _highestBit(missing);
            missing ^= 1 << index;
            (bool inSecond, uint256 offset) = QuorumCode.offsetOf(index);
            if (inSecond && second == address(0)) second = REGISTRY.secondChunk(DaHeader.epoch(certificate));
            signed -= _slotsAt(inSecond ? second : quorum.first, offset, quorum, key);
            if (!Slots.suffice(signed, quorum.slots)) return false;
            Bls12381.addTo(quorum.negatedKey, key);
        } while (missing != 0);
        return true;
    }

    /// @dev Slots of the operator with its record at `offset` of `chunk`; its key goes into `key`.
    function _slotsAt(address chunk, uint256 offset, Quorum memory quorum, G2Point memory key)
        private
        view
        returns (uint256)
    {
        (uint256 stakeBefore, uint256 stakeUpTo) = QuorumCode.readRecord(chunk, offset, key);
        uint256 end = Slots.border(quorum.slots, stakeUpTo, quorum.offset, quorum.total);
        return end - Slots.border(quorum.slots, stakeBefore, quorum.offset, quorum.total);
    }

    function _verify(bytes calldata certificate, G2Point memory negatedKey) private view returns (Status) {
        G1Point memory signature = Bls12381.g1FromCalldata(certificate[DaHeader.LENGTH:SIGNERS_OFFSET]);
        // Infinity is a point of the group, but nobody's signature.
        if (Bls12381.isInfinity(signature)) return Status.WrongSignature;
        G1Point memory hashed = Bls12381.hashToSign(_digest(certificate));
        (bool points, bool valid) = Bls12381.verify(signature, hashed, negatedKey);
        if (!points) return Status.SignatureNotAPoint;
        return valid ? Status.Valid : Status.WrongSignature;
    }

    function _digest(bytes calldata certificate) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                ATTESTATION_DOMAIN,
                block.chainid,
                REGISTRY,
                DaHeader.epoch(certificate),
                DaHeader.quorum(certificate),
                DaHeader.hash(certificate),
                DaHeader.expiry(certificate)
            )
        );
    }

    /// @dev Place of the highest bit that is set; `bits` is not zero.
    function _highestBit(uint256 bits) private pure returns (uint256 index) {
        assembly ("memory-safe") {
            index := sub(255, clz(bits))
        }
    }
}
