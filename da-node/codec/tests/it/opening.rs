//! Openings, made here and checked by c-kzg and kzg-rs, and the other way round.

use cairn_da_codec::{CodecError, ColumnIndex, Commitment, Committer, Opening, PointFault};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::commit::{element, largest, modulus};
use crate::verify::point_with;

fn opened(row: &[u8], column: u16) -> (Commitment, Opening) {
    let committer = Committer::shared().expect("the setup");
    let commitment = committer.commit(row).expect("canonical");
    let opening = Opening::of_row(committer, row, ColumnIndex(column)).expect("a column");
    (commitment, opening)
}

/// What c-kzg and kzg-rs, and with them every precompile, say of an opening.
fn theirs(commitment: &Commitment, opening: &Opening) -> [bool; 2] {
    let z = opening.point().expect("a column");
    let c_kzg = c_kzg::ethereum_kzg_settings(0)
        .verify_kzg_proof(
            &c_kzg::Bytes48::new(commitment.0),
            &c_kzg::Bytes32::new(z),
            &c_kzg::Bytes32::new(opening.value),
            &c_kzg::Bytes48::new(opening.proof),
        )
        .expect("well-formed");
    let bytes = "the right length";
    let kzg_rs = kzg_rs::KzgProof::verify_kzg_proof(
        &kzg_rs::Bytes48::from_slice(&commitment.0).expect(bytes),
        &kzg_rs::Bytes32::from_slice(&z).expect(bytes),
        &kzg_rs::Bytes32::from_slice(&opening.value).expect(bytes),
        &kzg_rs::Bytes48::from_slice(&opening.proof).expect(bytes),
        &kzg_rs::get_kzg_settings(),
    )
    .expect("well-formed");
    [c_kzg, kzg_rs]
}

fn agrees(row: &[u8], column: u16) {
    let (commitment, opening) = opened(row, column);
    let start = 32 * usize::from(column);
    assert_eq!(opening.value, row[start..start + 32]);
    assert_eq!(opening.verify(&commitment), Ok(()), "column {column}");
    assert_eq!(theirs(&commitment, &opening), [true; 2], "column {column}");
    let mut blob = vec![0; 131_072];
    blob[..row.len()].copy_from_slice(row);
    let (proof, value) = c_kzg::ethereum_kzg_settings(0)
        .compute_kzg_proof(
            &c_kzg::Blob::from_bytes(&blob).expect("a blob"),
            &c_kzg::Bytes32::new(opening.point().expect("a column")),
        )
        .expect("well-formed");
    assert_eq!(proof.to_bytes().into_inner(), opening.proof);
    assert_eq!(value.as_slice(), opening.value);
    let mut other = opening;
    other.value = if other.value == [0; 32] { largest() } else { [0; 32] };
    assert_eq!(other.verify(&commitment), Err(CodecError::WrongOpening));
    assert_eq!(theirs(&commitment, &other), [false; 2]);
}

#[test]
fn edge_rows_open_in_their_edge_columns() {
    for width in [1, 2, 4096] {
        let last = width as u16 - 1;
        for column in [0, last] {
            agrees(&vec![0; 32 * width], column);
            agrees(&largest().repeat(width), column);
            let mut single = vec![0; 32 * width];
            single[..32].copy_from_slice(&largest());
            agrees(&single, column);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn random_rows_open_in_any_column(
        row in proptest::collection::vec(element(), 1..=300),
        column in any::<Index>(),
    ) {
        agrees(&row.concat(), column.index(row.len()) as u16);
    }
}

#[test]
fn the_input_of_the_precompile_is_laid_out_as_eip_4844_says() {
    let (commitment, opening) = opened(&[1; 96], 2);
    let input = opening.precompile_input(&commitment).expect("a column");
    assert_eq!(input[..32], commitment.versioned_hash()[..]);
    assert_eq!(input[32..64], opening.point().expect("a column"));
    assert_eq!(input[64..96], [1; 32]);
    assert_eq!(input[96..144], commitment.0);
    assert_eq!(input[144..], opening.proof);
}

#[test]
fn refuses_openings_of_another_column_commitment_or_proof() {
    let row: Vec<u8> = (0..320).map(|i| if i % 32 == 0 { 0 } else { i as u8 }).collect();
    let (commitment, opening) = opened(&row, 4);
    let wrong = Err(CodecError::WrongOpening);
    let column = ColumnIndex(5);
    assert_eq!(Opening { column, ..opening }.verify(&commitment), wrong);
    assert_eq!(opening.verify(&Commitment::INFINITY), wrong);
    let infinity = Commitment::INFINITY.0;
    assert_eq!(Opening { proof: infinity, ..opening }.verify(&commitment), wrong);
    for fault in [PointFault::NotOnCurve, PointFault::NotInSubgroup] {
        let proof = point_with(fault);
        assert_eq!(
            Opening { proof, ..opening }.verify(&commitment),
            Err(CodecError::BadProof(fault))
        );
        assert_eq!(
            opening.verify(&Commitment(proof)),
            Err(CodecError::BadCommitment { index: 0, fault })
        );
    }
    let column = ColumnIndex(4096);
    let outside = Err(CodecError::ColumnOutOfRange { column, limit: 4096 });
    assert_eq!(Opening { column, ..opening }.verify(&commitment), outside);
    let value = modulus();
    let column = opening.column;
    assert_eq!(
        Opening { value, ..opening }.verify(&commitment),
        Err(CodecError::NonCanonical { column })
    );
}

#[test]
fn refuses_to_open_what_is_no_row() {
    let committer = Committer::shared().expect("the setup");
    let open = |row: &[u8], column| Opening::of_row(committer, row, ColumnIndex(column));
    let column = ColumnIndex(3);
    assert_eq!(open(&[0; 96], 3), Err(CodecError::ColumnOutOfRange { column, limit: 3 }));
    for found in [0, 33, 131_104] {
        let expected = 131_072;
        assert_eq!(open(&vec![0; found], 0), Err(CodecError::RowLength { expected, found }));
    }
    let column = ColumnIndex(1);
    let row = [[0; 32], modulus()].concat();
    assert_eq!(open(&row, 0), Err(CodecError::NonCanonical { column }));
}
