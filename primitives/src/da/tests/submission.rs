use alloy::signers::{SignerSync, local::PrivateKeySigner};
use proptest::prelude::*;

use super::{any_header, header};
use crate::da::{
    Certificate, Header, MAX_PAYLOAD_BYTES, OperatorIndex, PayloadLength, Shape, PayerSignature, PayerSignatureError, RefusalCode, Submission,
    SubmissionError, reservation_digest,
};

fn signed(mut header: Header, signer: &PrivateKeySigner) -> (Header, PayerSignature) {
    header.payer = signer.address();
    (header, signer.sign_message_sync(header.hash().as_slice()).unwrap().into())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn submissions_survive_the_round_trip(header in any_header(), rows in 0_usize..4) {
        let commitments = vec![3; header.shape.commitment_bytes()];
        let row = vec![5; header.shape.row_bytes()];
        let signature = PayerSignature([8; 65]);
        let rows_iter = std::iter::repeat_n(row.as_slice(), rows);
        let bytes = Submission::encode(&header, &signature, &commitments, rows_iter);
        prop_assert_eq!(bytes.len(), Submission::length(&header, rows));
        let read = Submission::decode(&bytes, rows).unwrap();
        prop_assert_eq!(read.header, header);
        prop_assert_eq!(read.payer_signature, signature);
        prop_assert_eq!(read.commitments, &commitments[..]);
        prop_assert_eq!(read.rows.len(), rows * row.len());
        let (expected, actual) = (Submission::length(&header, rows + 1), bytes.len());
        let error = Submission::decode(&bytes, rows + 1).unwrap_err();
        prop_assert_eq!(error, SubmissionError::Length { expected, actual });
    }
}

proptest! {
    /// Decoders take any bytes: they answer with a value that encodes to the same, or an error.
    #[test]
    fn decoders_take_any_bytes(
        mut bytes in prop::collection::vec(any::<u8>(), 0..600), begin in any::<bool>(),
        rows in 0_usize..3, operators in 0_usize..300,
    ) {
        if begin {
            let header = header().encode();
            let shared = bytes.len().min(header.len());
            bytes[..shared].copy_from_slice(&header[..shared]);
        }
        if let Ok(read) = Submission::decode(&bytes, rows) {
            prop_assert_eq!(bytes.len(), Submission::length(&read.header, rows));
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
    let row = vec![5; header.shape.row_bytes()];
    let bytes = Submission::encode(&header, &PayerSignature([8; 65]), &commitments, [&row[..]]);
    for length in 0..bytes.len() {
        let error = Submission::decode(&bytes[..length], 1).unwrap_err();
        assert!(matches!(error, SubmissionError::Length { actual, .. } if actual == length));
    }
    let long = [&bytes[..], &[0]].concat();
    assert!(Submission::decode(&long, 1).is_err());
    assert!(Submission::decode(&bytes, 1).is_ok());
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
        .map(|index| Submission::length(&header, table.rows_of(OperatorIndex(index)).len()));
    bodies.sum::<usize>() as f64
}

#[test]
fn the_network_carries_little_more_than_four_times_the_payload() {
    for (operators, from) in [(4, 64 << 10), (16, 128 << 10), (64, 1 << 20)] {
        for length in (16..25).map(|log| 1_u32 << log).chain([MAX_PAYLOAD_BYTES]) {
            let ratio = carried(length, operators) / f64::from(length);
            assert!(length < from || ratio <= 4.2, "{length} bytes, {operators}: {ratio}");
        }
    }
    assert!(carried(1024, 64) <= 128.0 * 1024.0);
}
