use alloy::signers::{SignerSync, local::PrivateKeySigner};
use proptest::prelude::*;

use super::{any_header, header};
use crate::da::{
    Certificate, Header, MAX_PAYLOAD_BYTES, OperatorIndex, PayerSignature, PayerSignatureError,
    PayloadLength, RefusalCode, RowIndex, Shape, Submission, SubmissionError, reservation_digest,
};

fn signed(mut header: Header, signer: &PrivateKeySigner) -> (Header, PayerSignature) {
    header.payer = signer.address();
    (header, signer.sign_message_sync(header.hash().as_slice()).unwrap().into())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn submissions_survive_the_round_trip(
        header in any_header(), numbers in prop::collection::btree_set(any::<u16>(), 0..4),
    ) {
        let shape = header.shape;
        let rows = numbers.into_iter().map(|number| number % shape.extended_rows());
        let rows: Vec<_> = std::collections::BTreeSet::from_iter(rows).into_iter().collect();
        let rows: Vec<_> = rows.into_iter().map(RowIndex).collect();
        let commitments = vec![3; shape.commitment_bytes()];
        let full: Vec<_> = rows.iter().map(|row| full_row(shape, *row)).collect();
        let signature = PayerSignature([8; 65]);
        let encoded = rows.iter().copied().zip(full.iter().map(|row| &row[..]));
        let bytes = Submission::encode(&header, &signature, &commitments, encoded);
        prop_assert_eq!(bytes.len(), Submission::length(&header, &rows));
        let read = Submission::decode(&bytes, &rows).unwrap();
        prop_assert_eq!(read.header, header);
        prop_assert_eq!(read.payer_signature, signature);
        prop_assert_eq!(read.commitments, &commitments[..]);
        let split = shape.split_rows(&rows, read.rows).unwrap();
        for ((row, sent), full) in split.into_iter().zip(&full) {
            prop_assert_eq!(sent.len(), shape.sent_row_bytes(row));
            prop_assert_eq!(&shape.unpack_row(row, sent).unwrap()[..], &full[..]);
            prop_assert_eq!(shape.unpack_row(row, &sent[1..]), None);
        }
        let more = [&rows[..], &[RowIndex(0)]].concat();
        let (expected, actual) = (Submission::length(&header, &more), bytes.len());
        let error = Submission::decode(&bytes, &more).unwrap_err();
        prop_assert_eq!(error, SubmissionError::Length { expected, actual });
        prop_assert_eq!(shape.split_rows(&more, read.rows), None);
    }
}

/// A row whose bytes follow from its number; original ones with the zeros of their elements.
fn full_row(shape: Shape, row: RowIndex) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..shape.row_bytes()).map(|at| (at * 7 + usize::from(row.0)) as u8).collect();
    if shape.is_original(row) {
        bytes.iter_mut().step_by(32).for_each(|byte| *byte = 0);
    }
    bytes
}

proptest! {
    /// Decoders take any bytes: they answer with a value that encodes to the same, or an error.
    #[test]
    fn decoders_take_any_bytes(
        mut bytes in prop::collection::vec(any::<u8>(), 0..600), begin in any::<bool>(),
        numbers in prop::collection::vec(0_u16..64, 0..3), operators in 0_usize..300,
    ) {
        if begin {
            let header = header().encode();
            let shared = bytes.len().min(header.len());
            bytes[..shared].copy_from_slice(&header[..shared]);
        }
        let rows: Vec<_> = numbers.into_iter().map(RowIndex).collect();
        if let Ok(read) = Submission::decode(&bytes, &rows) {
            prop_assert_eq!(bytes.len(), Submission::length(&read.header, &rows));
        }
        if let Ok(read) = Certificate::decode(&bytes, operators) {
            prop_assert_eq!(read.encode(), &bytes[..]);
        }
        if let Ok((read, _)) = Submission::decode_prefix(&bytes) {
            prop_assert_eq!(&read.encode()[..], &bytes[..90]);
        }
        let _ = Certificate::snapshot_of(&bytes);
    }
}

#[test]
fn every_truncation_is_refused() {
    let header = header();
    let commitments = vec![3; header.shape.commitment_bytes()];
    let rows = [RowIndex(17)];
    let row = full_row(header.shape, rows[0]);
    let encoded = [(rows[0], &row[..])];
    let bytes = Submission::encode(&header, &PayerSignature([8; 65]), &commitments, encoded);
    for length in 0..bytes.len() {
        let error = Submission::decode(&bytes[..length], &rows).unwrap_err();
        assert!(matches!(error, SubmissionError::Length { actual, .. } if actual == length));
    }
    let long = [&bytes[..], &[0]].concat();
    assert!(Submission::decode(&long, &rows).is_err());
    assert!(Submission::decode(&bytes, &rows).is_ok());
}

#[test]
fn only_the_payer_signs_for_its_reservation() {
    let (payer, thief) = (PrivateKeySigner::random(), PrivateKeySigner::random());
    let (header, signature) = signed(header(), &payer);
    assert_eq!(signature.check(&header), Ok(()));
    let mut other = header;
    other.reservation.0 += 1;
    let error = signature.check(&other).unwrap_err();
    assert!(
        matches!(error, PayerSignatureError::WrongSigner { payer: p, .. } if p == header.payer)
    );
    let (_, stolen) = signed(header, &thief);
    // The thief signs a header that names the thief; under the payer's header it is nobody's.
    assert!(stolen.check(&header).is_err());
}

#[test]
fn malleable_and_malformed_payer_signatures_are_refused() {
    use alloy_primitives::{Signature, U256, uint};
    let order = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
    let payer = PrivateKeySigner::random();
    let (header, signature) = signed(header(), &payer);
    let parsed = Signature::from_raw(&signature.0).unwrap();
    let mirrored = Signature::new(parsed.r(), order - parsed.s(), !parsed.v());
    assert_eq!(
        mirrored.recover_address_from_prehash(&reservation_digest(&header)).unwrap(),
        header.payer
    );
    let mirrored = PayerSignature(mirrored.as_bytes());
    assert_eq!(mirrored.check(&header), Err(PayerSignatureError::Malformed));
    for v in [0, 1, 26, 29, 255] {
        let mut bytes = signature.0;
        bytes[64] = v;
        assert_eq!(PayerSignature(bytes).check(&header), Err(PayerSignatureError::Malformed));
    }
    let zero = Signature::new(U256::ZERO, U256::ZERO, false);
    assert_eq!(PayerSignature::from(zero).check(&header), Err(PayerSignatureError::Malformed));
}

#[test]
fn refusal_codes_are_snake_case_words() {
    let text = serde_json::to_string(&RefusalCode::ReservationUsed).unwrap();
    assert_eq!(text, "\"reservation_used\"");
    assert_eq!(RefusalCode::Gone.http_status(), 410);
    assert!(RefusalCode::Busy.is_retryable() && !RefusalCode::WrongRow.is_retryable());
}

/// Bytes that all operators of equal stake are sent together, and keep.
fn carried(length: u32, operators: usize) -> f64 {
    let snapshot = super::snapshot(alloy_primitives::B256::ZERO, &vec![1; operators]);
    let shape = Shape::for_payload(PayloadLength(length), operators).unwrap();
    let header = Header { shape, payload_length: PayloadLength(length), ..header() };
    let table = snapshot.slot_table(&header);
    let bodies = (0..operators as u16)
        .map(|index| Submission::length(&header, &table.rows_of(OperatorIndex(index))));
    bodies.sum::<usize>() as f64
}

#[test]
fn the_network_carries_little_more_than_four_times_the_payload() {
    for (operators, from) in [(4, 64 << 10), (16, 64 << 10), (64, 1 << 20)] {
        for length in (16..25).map(|log| 1_u32 << log).chain([MAX_PAYLOAD_BYTES]) {
            let ratio = carried(length, operators) / f64::from(length);
            assert!(length < from || ratio <= 4.2, "{length} bytes, {operators}: {ratio}");
        }
    }
    assert!(carried(1024, 64) <= 128.0 * 1024.0);
}
