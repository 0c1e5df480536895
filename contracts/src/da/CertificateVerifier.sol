// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Bls12381, G1Point} from "./Bls12381.sol";
import {DaHeader} from "./DaHeader.sol";
import {Attested, ICertificateVerifier, Status} from "./ICertificateVerifier.sol";
import {IQuorumSource} from "./IQuorumSource.sol";
import {QuorumCode} from "./QuorumCode.sol";

/// @title Verifies certificates of one registry's quorums
/// @dev Costs one pairing of two, one hash to the curve, and for each operator that did not sign a
/// read of its record, two divisions and one addition in G2. Signers cost nothing: the sum of their
/// keys is that of all keys less those of the others.
contract CertificateVerifier is ICertificateVerifier {
    bytes32 private constant ATTESTATION_DOMAIN = keccak256("cairn.da.attestation.v1");
    /// @dev Header and signature.
    uint256 private constant SIGNERS_OFFSET = 90 + 96;

    /// @dev What the snapshot of a certificate's epoch says, and its bitmap.
    struct Quorum {
        uint256 count;
        uint256 total;
        /// Operators that did not sign.
        uint256 missing;
        /// Memory that begins with the negated sum of all keys.
        uint256 buffer;
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
        said.epoch = DaHeader.epoch(certificate);
        said.signersHash = _signersHash(certificate);
    }

    /// @dev The length of the bitmap is known by the snapshot alone, so that is looked up first.
    function _check(bytes calldata certificate) private view returns (Status) {
        if (certificate.length < SIGNERS_OFFSET) return Status.Malformed;
        bool quorumKnown = DaHeader.quorum(certificate) == DaHeader.QUORUM;
        (address first, bytes32 seed, uint256 end) = REGISTRY.quorum(DaHeader.epoch(certificate));
        bool known = quorumKnown && first != address(0) && seed != 0;
        Quorum memory quorum;
        if (known && !_readQuorum(certificate, first, quorum)) return Status.Malformed;
        if (!DaHeader.isSupported(certificate)) return Status.Unsupported;
        if (!DaHeader.isShaped(certificate)) return Status.ImpossibleShape;
        if (!quorumKnown) return Status.UnknownQuorum;
        if (!known) return Status.UnknownEpoch;
        if (block.timestamp > DaHeader.expiry(certificate) || block.timestamp > end) return Status.Expired;
        if (quorum.missing != 0 && !_subtractMissing(certificate, first, seed, quorum)) return Status.TooFewSlots;
        return _verify(certificate, seed, quorum.buffer);
    }

    /// @dev Reads the head of the snapshot and the bitmap, which is for its number of operators.
    function _readQuorum(bytes calldata certificate, address first, Quorum memory quorum)
        private
        view
        returns (bool valid)
    {
        uint256 buffer = QuorumCode.allocate();
        quorum.buffer = buffer;
        (quorum.count, quorum.total) = QuorumCode.head(first, buffer);
        (valid, quorum.missing) = QuorumCode.readBitmap(certificate[SIGNERS_OFFSET:], quorum.count);
    }

    /// @dev Takes the keys of the operators that did not sign out of the aggregate.
    /// @return enough Whether two thirds of the slots are those of the others: no more than a third
    /// is missing.
    function _subtractMissing(bytes calldata certificate, address first, bytes32 seed, Quorum memory quorum)
        private
        view
        returns (bool enough)
    {
        uint256 slots = _slotCount(DaHeader.rows(certificate), quorum.count);
        QuorumCode.Shares memory shares = QuorumCode.Shares(slots, uint256(seed) % quorum.total, quorum.total);
        uint256 inFirst = quorum.missing & ((1 << QuorumCode.FIRST_RECORDS) - 1);
        uint256 missing = QuorumCode.subtract(first, false, inFirst, shares, quorum.buffer);
        uint256 inSecond = quorum.missing >> QuorumCode.FIRST_RECORDS;
        if (inSecond != 0) {
            address second = REGISTRY.secondChunk(DaHeader.epoch(certificate));
            missing += QuorumCode.subtract(second, true, inSecond, shares, quorum.buffer);
        }
        return 3 * missing <= slots;
    }

    /// @dev The smallest multiple of the extended rows that is at least the number of operators.
    function _slotCount(uint256 rows, uint256 count) private pure returns (uint256) {
        unchecked {
            // At most 256 rows and 200 operators.
            uint256 extended = DaHeader.EXPANSION * rows;
            return (count + extended - 1) / extended * extended;
        }
    }

    /// @dev `negatedKey` is where the negated sum of the signers' keys is in memory.
    function _verify(bytes calldata certificate, bytes32 seed, uint256 negatedKey) private view returns (Status) {
        G1Point memory signature = Bls12381.g1FromCalldata(certificate[DaHeader.LENGTH:SIGNERS_OFFSET]);
        // Infinity is a point of the group, but nobody's signature.
        if (Bls12381.isInfinity(signature)) return Status.WrongSignature;
        G1Point memory hashed = Bls12381.hashToSign(_digest(certificate, seed));
        (bool points, bool valid) = Bls12381.verify(signature, hashed, negatedKey);
        if (!points) return Status.SignatureNotAPoint;
        return valid ? Status.Valid : Status.WrongSignature;
    }

    /// @dev keccak256(abi.encode(domain, chain id, registry, epoch, quorum, header hash, expiry, seed)). By
    /// the seed a signature is for one assignment of rows alone.
    function _digest(bytes calldata certificate, bytes32 seed) private view returns (bytes32 digest) {
        address registry = address(REGISTRY);
        uint256 epoch = DaHeader.epoch(certificate);
        uint256 quorum = DaHeader.quorum(certificate);
        bytes32 headerHash = DaHeader.hash(certificate);
        uint256 expiry = DaHeader.expiry(certificate);
        bytes32 domain = ATTESTATION_DOMAIN;
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, domain)
            mstore(add(place, 0x20), chainid())
            mstore(add(place, 0x40), registry)
            mstore(add(place, 0x60), epoch)
            mstore(add(place, 0x80), quorum)
            mstore(add(place, 0xa0), headerHash)
            mstore(add(place, 0xc0), expiry)
            mstore(add(place, 0xe0), seed)
            digest := keccak256(place, 0x100)
        }
    }

    /// @dev keccak256(abi.encodePacked(epoch, bitmap of the signers)).
    function _signersHash(bytes calldata certificate) private pure returns (bytes32 result) {
        uint256 epoch = DaHeader.epoch(certificate);
        assembly ("memory-safe") {
            let place := mload(0x40)
            let length := sub(certificate.length, SIGNERS_OFFSET)
            mstore(place, shl(192, epoch))
            calldatacopy(add(place, 8), add(certificate.offset, SIGNERS_OFFSET), length)
            result := keccak256(place, add(length, 8))
        }
    }
}
