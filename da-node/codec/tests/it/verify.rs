//! Rows checked against the original commitments, and what liars send instead.

use cairn_da_codec::{
    BadRow, CheckedCommitments, CodecError, ColumnIndex, Commitment, Committer, EncodedMatrix,
    PointFault, RowFault, RowIndex, Shape, hashes_root,
};
use proptest::prelude::*;

use crate::commit::{element, largest, modulus};
use crate::extension::{encode, payload, rows};

fn committer() -> &'static Committer {
    Committer::shared().expect("the setup")
}

fn checked(matrix: &EncodedMatrix) -> CheckedCommitments {
    let root = matrix.hashes_root();
    CheckedCommitments::new(matrix.shape(), matrix.commitments(), &root).expect("good commitments")
}

fn not_all(rows: usize) -> Result<(), CodecError> {
    Err(CodecError::WrongRows { rows })
}

fn content(rows: impl IntoIterator<Item = u16>) -> Result<(), CodecError> {
    let bad = |row| BadRow { row: RowIndex(row), fault: RowFault::Content };
    Err(CodecError::BadRows(rows.into_iter().map(bad).collect()))
}

/// A matrix of eight rows and five columns with its first 32 rows, all there are.
fn small() -> EncodedMatrix {
    let matrix = encode(&payload(31 * 8 * 5, 11), 32);
    assert_eq!((matrix.shape().rows(), matrix.shape().columns()), (8, 5));
    matrix
}

#[test]
fn good_rows_of_every_shape_pass() {
    for (length, operators) in [(1, 1), (31, 64), (1024, 64), (31 * 256, 1024), (300_000, 8)] {
        let matrix = encode(&payload(length, 2), operators);
        let all = matrix.shape().extended_rows() as u16;
        let checked = checked(&matrix);
        assert_eq!(checked.commitments(), matrix.commitments());
        assert_eq!(checked.hashes(), matrix.hashes());
        assert_eq!(checked.shape(), matrix.shape());
        for known in [0..all, 0..0, 0..1, all - 1..all, all / 2..all] {
            let known = rows(&matrix, known);
            assert_eq!(checked.verify(committer(), &known), Ok(()));
            assert_eq!(checked.check(committer(), &known), Ok(()));
        }
    }
}

#[test]
fn zero_rows_and_rows_of_the_largest_element_pass() {
    // Not a payload, so built by hand: with one row all extended rows are the row itself.
    for row in [vec![0; 32 * 7], largest().repeat(7), [[0; 32], largest()].concat()] {
        let shape = Shape::new(1, row.len() / 32).expect("a shape");
        let commitment = committer().commit(&row).expect("canonical");
        let checked = CheckedCommitments::new(shape, &[commitment], &commitment.versioned_hash())
            .expect("one");
        let known: Vec<_> = (0..4).map(|index| (RowIndex(index), row.as_slice())).collect();
        assert_eq!(checked.verify(committer(), &known), Ok(()));
        let mut wrong = row.clone();
        wrong[1] ^= 1;
        assert_eq!(checked.verify(committer(), &[(RowIndex(3), &wrong)]), content([3]));
    }
    let matrix = encode(&[0; 1000], 64);
    assert!(matrix.commitments().iter().all(|commitment| *commitment == Commitment::INFINITY));
    let all = rows(&matrix, 0..matrix.shape().extended_rows() as u16);
    assert_eq!(checked(&matrix).verify(committer(), &all), Ok(()));
}

#[test]
fn names_wrong_rows_wrong_parity_and_swapped_rows() {
    let matrix = small();
    let checked = checked(&matrix);
    let good = rows(&matrix, 0..32);
    for row in [0, 7, 8, 31] {
        let mut wrong = good[row].1.to_vec();
        wrong[32 * 4 + 31] ^= 1;
        let mut list = good.clone();
        list[row].1 = &wrong;
        assert_eq!(checked.verify(committer(), &list), content([row as u16]));
        assert_eq!(checked.check(committer(), &list), not_all(32));
        assert_eq!(checked.check(committer(), &list[row..=row]), not_all(1));
    }
    let mut swapped = good.clone();
    (swapped[3].1, swapped[20].1) = (good[20].1, good[3].1);
    assert_eq!(checked.verify(committer(), &swapped), content([3, 20]));
    // In any order of the list, and when all are wrong.
    swapped.reverse();
    assert_eq!(checked.verify(committer(), &swapped), content([3, 20]));
    let rotated: Vec<_> =
        (0..32).map(|row| (RowIndex(row), good[usize::from(row + 1) % 32].1)).collect();
    assert_eq!(checked.verify(committer(), &rotated), content(0..32));
}

#[test]
fn errors_of_two_rows_do_not_cancel() {
    // Added to one row and taken from another: the plain sum of rows and commitments would agree.
    let matrix = small();
    let good = rows(&matrix, 0..8);
    let (mut up, mut down) = (good[1].1.to_vec(), good[2].1.to_vec());
    up[31] = up[31].checked_add(1).expect("not the largest byte");
    down[31] = down[31].checked_sub(1).expect("not zero");
    let mut list = good;
    list[1].1 = &up;
    list[2].1 = &down;
    assert_eq!(checked(&matrix).verify(committer(), &list), content([1, 2]));
    assert_eq!(checked(&matrix).check(committer(), &list), not_all(8));
}

#[test]
fn names_rows_of_another_form_beside_wrong_ones() {
    let matrix = small();
    let good = rows(&matrix, 0..32);
    let mut above = good[1].1.to_vec();
    above[32..64].copy_from_slice(&modulus());
    let mut wrong = good[30].1.to_vec();
    wrong[1] ^= 4;
    let mut list = good.clone();
    list[30].1 = &wrong;
    list[1].1 = &above;
    list[2].1 = &good[2].1[..128];
    list[9].1 = &[];
    let faults = [
        (1, RowFault::NonCanonical { column: ColumnIndex(1) }),
        (2, RowFault::Length { expected: 160, found: 128 }),
        (9, RowFault::Length { expected: 160, found: 0 }),
        (30, RowFault::Content),
    ];
    let bad = faults.map(|(row, fault)| BadRow { row: RowIndex(row), fault }).to_vec();
    let error = CodecError::BadRows(bad);
    let text = "4 bad rows, the first is row 1: the element in column 1 is not below the modulus";
    assert_eq!(error.to_string(), text);
    assert_eq!(checked(&matrix).verify(committer(), &list), Err(error));
    // One look at the form says enough to refuse all of them; the content is not looked at then.
    let bad = faults[..3].iter().map(|(row, fault)| BadRow { row: RowIndex(*row), fault: *fault });
    let error = CodecError::BadRows(bad.collect());
    assert_eq!(checked(&matrix).check(committer(), &list), Err(error));
}

#[test]
fn an_element_written_as_itself_plus_the_modulus_is_refused() {
    // The same residue, so the combination alone would not notice.
    let matrix = encode(&[0; 31], 1);
    let row = modulus();
    let fault = RowFault::NonCanonical { column: ColumnIndex(0) };
    assert_eq!(
        checked(&matrix).verify(committer(), &[(RowIndex(0), &row)]),
        Err(CodecError::BadRows(vec![BadRow { row: RowIndex(0), fault }]))
    );
}

#[test]
fn refuses_indices_that_are_none_or_stand_twice() {
    let matrix = small();
    let checked = checked(&matrix);
    let mut list = rows(&matrix, [5, 6, 5]);
    let twice = CodecError::DuplicateRow { row: RowIndex(5) };
    assert_eq!(checked.check(committer(), &list), Err(twice.clone()));
    assert_eq!(checked.verify(committer(), &list), Err(twice));
    list[2].0 = RowIndex(32);
    let outside = CodecError::RowOutOfRange { row: RowIndex(32), limit: 32 };
    assert_eq!(checked.check(committer(), &list), Err(outside.clone()));
    assert_eq!(checked.verify(committer(), &list), Err(outside));
}

/// Bytes of a point with the first x from `start` on that gives this fault.
pub(crate) fn point_with(fault: PointFault) -> [u8; 48] {
    let shape = Shape::new(1, 1).expect("a shape");
    let candidates = (1..=255).map(|x| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        bytes
    });
    let has_fault = |bytes: &[u8; 48]| {
        let commitment = Commitment(*bytes);
        let hash = commitment.versioned_hash();
        let error = CheckedCommitments::new(shape, &[commitment], &hash).err();
        error == Some(CodecError::BadCommitment { index: 0, fault })
    };
    candidates.into_iter().find(has_fault).expect("every other x is on no point")
}

#[test]
fn refuses_commitments_that_are_no_points_of_the_group() {
    let matrix = small();
    let good = matrix.commitments();
    let mut uncompressed = good[4].0;
    uncompressed[0] &= 0x7f;
    let mut infinity = Commitment::INFINITY.0;
    infinity[40] = 1;
    let mut coordinate = [0xff; 48];
    coordinate[0] = 0x9f;
    let cases = [
        (point_with(PointFault::NotOnCurve), PointFault::NotOnCurve),
        (point_with(PointFault::NotInSubgroup), PointFault::NotInSubgroup),
        (uncompressed, PointFault::Encoding),
        (infinity, PointFault::Encoding),
        (coordinate, PointFault::Encoding),
        ([0; 48], PointFault::Encoding),
    ];
    for (bytes, fault) in cases {
        // c-kzg refuses the same bytes.
        let blob = c_kzg::Blob::new([0; 131_072]);
        let settings = c_kzg::ethereum_kzg_settings(0);
        let theirs = settings.compute_blob_kzg_proof(&blob, &c_kzg::Bytes48::new(bytes));
        assert!(theirs.is_err(), "{fault}");
        let mut list = good.to_vec();
        list[4] = Commitment(bytes);
        let hashes: Vec<_> = list.iter().map(Commitment::versioned_hash).collect();
        let root = hashes_root(matrix.shape(), &hashes).expect("eight hashes");
        assert_eq!(
            CheckedCommitments::new(matrix.shape(), &list, &root).err(),
            Some(CodecError::BadCommitment { index: 4, fault })
        );
    }
}

#[test]
fn refuses_a_list_that_the_header_does_not_name() {
    let matrix = small();
    let (shape, root) = (matrix.shape(), matrix.hashes_root());
    let mut list = matrix.commitments().to_vec();
    list.swap(0, 1);
    let hashes: Vec<_> = list.iter().map(Commitment::versioned_hash).collect();
    let found = hashes_root(shape, &hashes).expect("eight hashes");
    assert_eq!(
        CheckedCommitments::new(shape, &list, &root).err(),
        Some(CodecError::HashesRootMismatch { expected: root, found })
    );
    assert_eq!(
        CheckedCommitments::new(shape, &list[1..], &root).err(),
        Some(CodecError::CommitmentCount { expected: 8, found: 7 })
    );
}

#[test]
fn a_good_matrix_of_other_data_is_refused() {
    let (ours, theirs) = (encode(&payload(992, 1), 64), encode(&payload(992, 2), 64));
    let all = rows(&theirs, 0..64);
    assert_eq!(checked(&ours).verify(committer(), &all), content(0..64));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn exactly_the_changed_rows_are_named(
        operators in prop_oneof![Just(1usize), Just(20), Just(256)],
        length in 1..8000usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), element()), 0..6),
        seed in any::<u64>(),
    ) {
        let matrix = encode(&payload(length, seed), operators);
        let shape = matrix.shape();
        let mut changed: Vec<(usize, Vec<u8>)> = Vec::new();
        for (index, element) in changes {
            let row = index.index(shape.extended_rows());
            let mut bytes = matrix.row(RowIndex(row as u16)).expect("a row").to_vec();
            let column = index.index(shape.columns());
            bytes[32 * column..][..32].copy_from_slice(&element);
            changed.push((row, bytes));
        }
        let mut list = rows(&matrix, 0..shape.extended_rows() as u16);
        let mut expected = std::collections::BTreeSet::new();
        for (row, bytes) in &changed {
            list[*row].1 = bytes;
        }
        for (index, bytes) in &list {
            if *bytes != matrix.row(*index).expect("a row") {
                expected.insert(index.0);
            }
        }
        let outcome = checked(&matrix).check(committer(), &list);
        prop_assert_eq!(outcome, if expected.is_empty() { Ok(()) } else { not_all(list.len()) });
        let outcome = checked(&matrix).verify(committer(), &list);
        prop_assert_eq!(outcome, if expected.is_empty() { Ok(()) } else { content(expected) });
    }
}
