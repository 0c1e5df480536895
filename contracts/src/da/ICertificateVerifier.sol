// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What is the matter with a certificate: the first of these that holds.
enum Status {
    /// Two thirds of the slots signed it.
    Valid,
    /// Wrong length, or a bitmap of another length or with bits beyond the operators.
    Malformed,
    /// Version, layout, class, codec or expansion that this verifier does not know.
    Unsupported,
    /// Rows, columns and payload length of no matrix.
    ImpossibleShape,
    /// No such quorum.
    UnknownQuorum,
    /// The epoch has no snapshot, or no seed yet.
    UnknownEpoch,
    /// Past its expiry, or past the lifetime of its epoch's certificates.
    Expired,
    /// Fewer than two thirds of the slots signed.
    TooFewSlots,
    /// The signature is not a point of the group.
    SignatureNotAPoint,
    /// The signers did not sign this.
    WrongSignature
}

/// @notice What a certificate says.
struct Attested {
    /// @notice Hash of the header.
    bytes32 headerHash;
    /// @notice Merkle root over the versioned hashes of the original rows.
    bytes32 hashesRoot;
    /// @notice Number of original rows, a power of two.
    uint256 rows;
    /// @notice Epoch whose operators signed.
    uint256 epoch;
    /// @notice `keccak256(epoch (8) ‖ bitmap of the signers)`.
    bytes32 signersHash;
}

/// @title Verifies certificates of the DA network
/// @notice `header (90) ‖ signature (96: G1 x ‖ y) ‖ signers (one bit per operator)`. No bytes make
/// these functions revert; too little gas does, so that it is never taken for a bad certificate.
interface ICertificateVerifier {
    /// @notice Whether a certificate is valid now, and if not why.
    function check(bytes calldata certificate) external view returns (Status);

    /// @notice Whether a certificate is valid now, and what it says; all zero unless it is valid.
    function checkAndDecode(bytes calldata certificate) external view returns (Status, Attested memory);
}
