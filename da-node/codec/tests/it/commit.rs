//! Commitments and versioned hashes.

use std::sync::OnceLock;

use alloy_primitives::B256;
use cairn_da_codec::{CodecError, ColumnIndex, Commitment, Committer};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const BLOB: usize = 131_072;

/// An element below the modulus, the largest among them.
pub(crate) fn element() -> impl Strategy<Value = [u8; 32]> {
    prop_oneof![
        1 => Just([0; 32]),
        1 => Just(largest()),
        6 => any::<[u8; 32]>().prop_map(|mut bytes| { bytes[0] %= 0x73; bytes }),
    ]
}

/// The modulus less one.
pub(crate) fn largest() -> [u8; 32] {
    let mut bytes = modulus();
    bytes[31] -= 1;
    bytes
}

pub(crate) fn modulus() -> [u8; 32] {
    alloy_primitives::hex!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001")
}

/// The commitment of c-kzg to the blob that begins with this row.
pub(crate) fn their_commitment(row: &[u8]) -> [u8; 48] {
    let mut blob = vec![0; BLOB];
    blob[..row.len()].copy_from_slice(row);
    let blob = c_kzg::Blob::from_bytes(&blob).expect("a blob");
    let settings = c_kzg::ethereum_kzg_settings(0);
    settings.blob_to_kzg_commitment(&blob).expect("canonical").to_bytes().into_inner()
}

fn portable() -> &'static Committer {
    static PORTABLE: OnceLock<Committer> = OnceLock::new();
    PORTABLE.get_or_init(|| Committer::portable().expect("the setup"))
}

fn check(row: &[u8]) {
    let committer = Committer::shared().expect("the setup");
    let commitment = committer.commit(row).expect("canonical");
    assert_eq!(commitment.0, their_commitment(row), "{} bytes", row.len());
    assert_eq!(portable().commit(row), Ok(commitment));
    let mut hash: [u8; 32] = Sha256::digest(commitment.0).into();
    hash[0] = 1;
    assert_eq!(commitment.versioned_hash(), B256::from(hash));
}

#[test]
fn edge_rows_have_the_commitments_of_their_blobs() {
    for width in [1, 2, 100, 700, 1000, 4095, 4096] {
        check(&vec![0; width * 32]);
        check(&largest().repeat(width));
        let mut single = vec![0; width * 32];
        single[width * 32 - 32..].copy_from_slice(&largest());
        check(&single);
    }
    let zeros = Committer::shared().expect("the setup").commit(&[0; 320]);
    assert_eq!(zeros, Ok(Commitment::INFINITY));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn random_rows_have_the_commitments_of_their_blobs(
        row in proptest::collection::vec(element(), 1..=4096),
    ) {
        check(&row.concat());
    }
}

#[test]
fn refuses_rows_that_are_no_rows() {
    let committer = Committer::shared().expect("the setup");
    for found in [0, 31, 33, BLOB + 32] {
        assert_eq!(
            committer.commit(&vec![0; found]),
            Err(CodecError::RowLength { expected: BLOB, found })
        );
    }
    let row = [[1; 32], largest(), modulus(), [0xff; 32]].concat();
    assert_eq!(committer.commit(&row), Err(CodecError::NonCanonical { column: ColumnIndex(2) }));
}
