//! Extended rows, and recovery from any quarter of them.

use cairn_da_codec::{
    BadRow, CodecError, ColumnIndex, Committer, EncodedMatrix, MAX_PAYLOAD_BYTES, RowFault,
    RowIndex, Shape, recover_payload, recover_rows,
};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use crate::commit::modulus;

pub(crate) fn payload(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

pub(crate) fn encode(payload: &[u8], operators: usize) -> EncodedMatrix {
    let committer = Committer::shared().expect("the setup");
    EncodedMatrix::encode(committer, payload, operators).expect("a payload that fits")
}

pub(crate) fn rows(
    matrix: &EncodedMatrix,
    wanted: impl IntoIterator<Item = u16>,
) -> Vec<(RowIndex, &[u8])> {
    let row = |index| (RowIndex(index), matrix.row(RowIndex(index)).expect("a row"));
    wanted.into_iter().map(row).collect()
}

/// A payload and any `R` rows of its matrix give the payload and all other rows.
fn recovers(matrix: &EncodedMatrix, payload: &[u8], known: &[u16]) {
    let shape = matrix.shape();
    let known = rows(matrix, known.iter().copied());
    assert_eq!(recover_payload(shape, payload.len(), &known).as_deref(), Ok(payload));
    let all: Vec<RowIndex> = (0..shape.extended_rows() as u16).map(RowIndex).collect();
    let expected: Vec<u8> = matrix.rows().flatten().copied().collect();
    assert!(recover_rows(shape, &known, &all) == Ok(expected), "{shape:?}");
    // One row alone takes the other way of computing.
    for row in [0, shape.extended_rows() as u16 - 1] {
        let one = recover_rows(shape, &known, &[RowIndex(row)]).expect("a row");
        assert_eq!(one, matrix.row(RowIndex(row)).expect("a row"));
    }
}

#[test]
fn lengths_at_every_border_come_back_from_parity_alone() {
    const ROW: usize = 31 * 4096;
    let lengths =
        [1, 30, 31, 32, 33, 62, 63, 1024, ROW - 1, ROW, ROW + 1, 2 * ROW - 1, 2 * ROW, 2 * ROW + 1];
    for length in lengths {
        for operators in [1, 64, 1000] {
            let payload = payload(length, length as u64);
            let matrix = encode(&payload, operators);
            let rows = matrix.shape().rows() as u16;
            assert_eq!(matrix.payload_length(), length);
            assert_eq!(matrix.rows().len(), 4 * usize::from(rows));
            recovers(&matrix, &payload, &(0..rows).collect::<Vec<_>>());
            recovers(&matrix, &payload, &(rows..2 * rows).collect::<Vec<_>>());
            recovers(&matrix, &payload, &(3 * rows..4 * rows).collect::<Vec<_>>());
            recovers(&matrix, &payload, &(0..rows).map(|row| 4 * row + 3).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_longest_payload_comes_back_from_parity_alone_and_a_longer_one_is_refused() {
    let mut payload = payload(MAX_PAYLOAD_BYTES, 7);
    let matrix = encode(&payload, 64);
    assert_eq!((matrix.shape().rows(), matrix.shape().columns()), (256, 4096));
    let known = rows(&matrix, (0..256).map(|row| 256 + 3 * row));
    assert!(recover_payload(matrix.shape(), payload.len(), &known).as_deref() == Ok(&payload));
    payload.push(0);
    let committer = Committer::shared().expect("the setup");
    let length = payload.len();
    assert_eq!(
        EncodedMatrix::encode(committer, &payload, 64).err(),
        Some(CodecError::PayloadTooLong { length, limit: MAX_PAYLOAD_BYTES })
    );
    assert_eq!(EncodedMatrix::encode(committer, &[], 64).err(), Some(CodecError::EmptyPayload));
}

#[test]
fn parity_commits_to_the_same_combination_as_the_rows() {
    // With two rows the column is a line: f(x) = (a + b)/2 + x·(a - b)/2, and the point of row 2 is a
    // fourth root of unity i: f(i) + f(-i) = a + b. Rows 2 and 3 stand at i and -i.
    let payload = payload(31 * 2 * 5, 3);
    let matrix = encode(&payload, 8);
    assert_eq!((matrix.shape().rows(), matrix.shape().columns()), (2, 5));
    let sum = |first: u16| {
        let number = |row: u16, column: usize| {
            let bytes = &matrix.row(RowIndex(row)).expect("a row")[32 * column..][..32];
            alloy_primitives::U256::from_be_slice(bytes)
        };
        let modulus = alloy_primitives::U256::from_be_bytes(modulus());
        (0..5).map(|c| number(first, c).add_mod(number(first + 1, c), modulus)).collect::<Vec<_>>()
    };
    // Points: row 0 at 1, 1 at -1 (h = g^4), coset k at g^k and -g^k.
    assert_eq!(sum(0), sum(2));
    assert_eq!(sum(0), sum(4));
    assert_eq!(sum(0), sum(6));
}

#[test]
fn one_row_is_replicated() {
    let payload = payload(100, 5);
    let matrix = encode(&payload, 1);
    assert!(matrix.rows().all(|row| row == matrix.row(RowIndex(0)).expect("a row")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_quarter_of_the_rows_gives_the_payload(
        payload in proptest::collection::vec(any::<u8>(), 1..20_000),
        operators in prop_oneof![Just(1usize), Just(16), Just(200), Just(1024)],
        seed in any::<[Index; 8]>(),
        choice in subsequence((0..1024u16).collect::<Vec<_>>(), 256),
    ) {
        let matrix = encode(&payload, operators);
        let (needed, all) = (matrix.shape().rows(), matrix.shape().extended_rows() as u16);
        let mut known: Vec<u16> = choice.into_iter().filter(|row| *row < all).collect();
        known.extend(seed.iter().map(|index| index.index(all.into()) as u16));
        known.extend((0..all).rev());
        let mut seen = std::collections::BTreeSet::new();
        known.retain(|row| seen.insert(*row));
        known.truncate(needed);
        recovers(&matrix, &payload, &known);
    }
}

#[test]
fn refuses_rows_it_cannot_recover_from() {
    let payload = payload(31 * 8 * 3, 1);
    let matrix = encode(&payload, 32);
    let shape = matrix.shape();
    assert_eq!((shape.rows(), shape.columns()), (8, 3));
    let recover = |known: &[(RowIndex, &[u8])]| recover_payload(shape, payload.len(), known);
    let seven = rows(&matrix, 5..12);
    assert_eq!(recover(&seven), Err(CodecError::TooFewRows { needed: 8, given: 7 }));
    let twice = [&seven[..], &rows(&matrix, [9])].concat();
    assert_eq!(recover(&twice), Err(CodecError::DuplicateRow { row: RowIndex(9) }));
    let outside = [&seven[..], &[(RowIndex(32), seven[0].1)]].concat();
    let out_of_range = CodecError::RowOutOfRange { row: RowIndex(32), limit: 32 };
    assert_eq!(recover(&outside), Err(out_of_range.clone()));
    let all = rows(&matrix, 0..8);
    assert_eq!(recover_rows(shape, &all, &[RowIndex(32)]), Err(out_of_range));
    let mut noncanonical = seven[0].1.to_vec();
    noncanonical[64..].copy_from_slice(&modulus());
    let mut bad = all.clone();
    bad[2].1 = &noncanonical;
    bad[4].1 = &noncanonical[..64];
    let faults = vec![
        BadRow { row: RowIndex(2), fault: RowFault::NonCanonical { column: ColumnIndex(2) } },
        BadRow { row: RowIndex(4), fault: RowFault::Length { expected: 96, found: 64 } },
    ];
    assert_eq!(recover(&bad), Err(CodecError::BadRows(faults)));
    assert_eq!(
        recover_payload(shape, 31 * 24 + 1, &all),
        Err(CodecError::LengthOutsideShape { length: 745, capacity: 744 })
    );
}

#[test]
fn a_matrix_that_holds_no_payload_is_told_from_any_rows() {
    let payload = payload(31 * 8 * 3 - 5, 1);
    let matrix = encode(&payload, 32);
    let shape: Shape = matrix.shape();
    let error = Err(CodecError::NotAPayload { row: RowIndex(7), column: ColumnIndex(2) });
    for known in [0..8, 13..21] {
        let known = rows(&matrix, known);
        assert_eq!(recover_payload(shape, payload.len() - 1, &known), error);
    }
}
