use alloy::providers::ProviderBuilder;
use alloy::providers::mock::Asserter;
use alloy::rpc::types::Transaction;
use alloy::sol_types::SolEvent;
use alloy_primitives::{Address, TxHash, U256};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{
    Epoch, Header, OperatorIndex, PayloadLength, QuorumId, Reservation, Shape, Signers,
};
use serde_json::json;

use super::super::contract::BatchInbox;
use super::*;

const OPERATORS: usize = 11;

fn certificate(number: u64) -> Certificate {
    let header = Header {
        shape: Shape::new(8, 10).unwrap(),
        payload_length: PayloadLength(1000),
        hashes_root: B256::repeat_byte(9),
        payer: Address::repeat_byte(1),
        reservation: Reservation(number),
        epoch: Epoch(7),
        quorum: QuorumId(0),
        expiry: Timestamp(1000),
    };
    let signature = SecretKey::derive(&[1; 32]).unwrap().sign(header.hash());
    let signers = Signers::new(OPERATORS, (0..10).map(OperatorIndex));
    Certificate { header, signature, signers }
}

fn calldata(certificate: &Certificate) -> Vec<u8> {
    [&CERTIFICATE_FORMAT[..], &certificate.encode()].concat()
}

fn place(certificate: &Certificate, block: u64) -> Place {
    Place {
        block,
        transaction: TxHash::left_padding_from(&certificate.header.reservation.0.to_be_bytes()),
        header_hash: certificate.header.hash(),
        signers_hash: signers_hash(7, certificate.signers.as_bytes()),
    }
}

#[test]
fn who_signed_is_read_from_the_calldata_of_the_batch() {
    let certificate = certificate(0);
    let (data, place) = (calldata(&certificate), place(&certificate, 1));
    let signed = signed_of(&data, &place).unwrap();
    assert_eq!((signed.epoch, signed.depth), (Epoch(7), 3));
    assert_eq!(signed.bitmap, [0xff, 0x03]);
    assert_eq!(signed.hashes_root, B256::repeat_byte(9));
}

#[test]
fn other_calldata_is_not_taken_for_the_certificate() {
    let certificate = certificate(0);
    let (data, place) = (calldata(&certificate), place(&certificate, 1));
    for length in 0..data.len() {
        assert_eq!(signed_of(&data[..length], &place), None, "{length} bytes");
    }
    for at in 0..data.len() {
        let mut changed = data.clone();
        changed[at] ^= 1;
        // A signature counts nowhere: that of another point is one.
        let signature = at.checked_sub(2 + HEADER_BYTES).is_some_and(|at| at < Signature::BYTES);
        assert!(signature || signed_of(&changed, &place).is_none(), "byte {at}");
    }
    let endless = [&data[..], &[0; MAX_OPERATORS]].concat();
    assert_eq!(signed_of(&endless, &place), None);
    let wrong = Place { signers_hash: B256::ZERO, ..place };
    assert_eq!(signed_of(&data, &wrong), None);
    let wrong = Place { header_hash: B256::ZERO, ..place };
    assert_eq!(signed_of(&data, &wrong), None);
}

/// The log of a batch, whose transaction has the number of the certificate.
fn log(batch: u64, number: u64, block: u64) -> Log {
    let place = place(&certificate(number), block);
    let event = CertificateBatchAppended {
        batch: U256::from(batch),
        headerHash: place.header_hash,
        signersHash: place.signers_hash,
    };
    let inner = alloy_primitives::Log { address: Address::ZERO, data: event.encode_log_data() };
    let (block_number, transaction_hash) = (Some(block), Some(place.transaction));
    let block_timestamp = Some(10 * block);
    Log { inner, block_number, transaction_hash, block_timestamp, ..Log::default() }
}

fn transaction(number: u64) -> Transaction {
    let zero = Address::ZERO;
    let transaction = json!({
        "type": "0x0", "nonce": "0x0", "gasPrice": "0x1", "gas": "0x1", "to": zero, "value": "0x0",
        "input": alloy_primitives::Bytes::from(calldata(&certificate(number))), "from": zero,
        "r": "0x1", "s": "0x1", "v": "0x1b", "hash": B256::ZERO,
        "blockHash": null, "blockNumber": null, "transactionIndex": null,
    });
    serde_json::from_value(transaction).unwrap()
}

fn certificates() -> (Certificates, Asserter) {
    let l1 = Asserter::new();
    let provider = ProviderBuilder::new().connect_mocked_client(l1.clone()).erased();
    (Certificates::new(BatchInbox::new(Address::ZERO, provider), 10), l1)
}

const fn state(block: u64, next: u64, count: u64) -> InboxState {
    InboxState { block, time: Timestamp(5), next: BatchIndex(next), count }
}

fn numbers(certificates: &Certificates) -> Vec<(u64, u64)> {
    let number = |(batch, pending): (&BatchIndex, &Pending)| {
        (batch.0, U256::from_be_bytes(pending.place.transaction.0).to::<u64>())
    };
    certificates.pending().iter().map(number).collect()
}

#[tokio::test]
async fn what_was_read_is_not_fetched_again_unless_it_was_replaced() {
    let (mut certificates, l1) = certificates();
    l1.push_success(&vec![log(0, 50, 20), log(2, 52, 21)]);
    l1.push_success(&transaction(50));
    l1.push_success(&transaction(52));
    assert!(certificates.read(&state(100, 0, 3), BatchIndex(0)).await.unwrap());
    assert_eq!(numbers(&certificates), [(0, 50), (2, 52)]);
    assert!(certificates.pending().values().all(|pending| pending.signed.is_some()));
    assert_eq!(certificates.pending()[&BatchIndex(2)].time, Timestamp(210));
    // Batch 2 is another one now, and there is no batch 3 any more that was read in between.
    l1.push_success(&vec![log(3, 55, 100)]);
    l1.push_success(&transaction(55));
    assert!(certificates.read(&state(100, 0, 4), BatchIndex(0)).await.unwrap());
    l1.push_success(&vec![log(2, 53, 60)]);
    l1.push_success(&transaction(53));
    assert!(certificates.read(&state(101, 0, 3), BatchIndex(0)).await.unwrap());
    assert_eq!(numbers(&certificates), [(0, 50), (2, 53)]);
    // The same again: no transaction is asked for.
    l1.push_success(&vec![log(2, 53, 60)]);
    assert!(certificates.read(&state(102, 0, 3), BatchIndex(0)).await.unwrap());
    assert_eq!(numbers(&certificates), [(0, 50), (2, 53)]);
    // What is reported as of both blocks is forgotten.
    l1.push_success(&vec![log(2, 53, 60)]);
    assert!(certificates.read(&state(103, 1, 3), BatchIndex(3)).await.unwrap());
    assert_eq!(numbers(&certificates), [(2, 53)]);
}

#[tokio::test]
async fn reports_that_l1_undoes_are_read_again_from_the_first_block() {
    let (mut certificates, l1) = certificates();
    // All is reported: no logs are asked for.
    assert!(certificates.read(&state(5000, 3, 3), BatchIndex(3)).await.unwrap());
    assert_eq!((certificates.next_block, certificates.floor), (5001, BatchIndex(3)));
    l1.push_success(&vec![log(0, 50, 20), log(1, 51, 21)]);
    l1.push_success(&transaction(51));
    l1.push_success(&Vec::<Log>::new());
    l1.push_success(&Vec::<Log>::new());
    assert!(certificates.read(&state(5001, 1, 3), BatchIndex(1)).await.unwrap());
    assert_eq!(numbers(&certificates), [(1, 51)]);
    assert_eq!(certificates.next_block, 5002);
}

#[tokio::test]
async fn a_long_answer_is_read_in_parts() {
    let (mut certificates, l1) = certificates();
    let logs: Vec<_> = (0..200).map(|batch| log(batch, batch, 20 + batch)).collect();
    let mut complete = false;
    for part in 1..=4 {
        assert!(!complete, "part {part}");
        let from = certificates.next_block.saturating_sub(64).max(10);
        let answer = logs.iter().filter(|log| log.block_number >= Some(from));
        l1.push_success(&answer.collect::<Vec<_>>());
        for number in FETCH_MAX as u64 * (part - 1)..(FETCH_MAX as u64 * part).min(200) {
            l1.push_success(&transaction(number));
        }
        complete = certificates.read(&state(300, 0, 200), BatchIndex(0)).await.unwrap();
        assert_eq!(certificates.pending().len(), (FETCH_MAX * part as usize).min(200));
    }
    assert!(complete);
    assert!(numbers(&certificates).iter().copied().eq((0..200).map(|number| (number, number))));
}

#[tokio::test]
async fn nonsense_is_an_error_and_can_be_read_again() {
    let (mut certificates, l1) = certificates();
    let mut read = async |answer: &[Log]| {
        l1.push_success(&answer);
        certificates.read(&state(100, 0, 3), BatchIndex(0)).await
    };
    let outside = read(&[log(0, 50, 101)]).await.unwrap_err();
    assert!(matches!(outside, RegistryError::Range { .. }), "{outside}");
    let nowhere = read(&[Log { transaction_hash: None, ..log(0, 50, 20) }]).await.unwrap_err();
    assert!(matches!(nowhere, RegistryError::Range { .. }), "{nowhere}");
    // The transaction fails, then there is none, then another one's.
    l1.push_success(&vec![log(0, 50, 20)]);
    l1.push_failure_msg("overloaded");
    let failed = certificates.read(&state(100, 0, 3), BatchIndex(0)).await.unwrap_err();
    assert!(failed.to_string().contains("overloaded"), "{failed}");
    l1.push_success(&vec![log(0, 50, 20)]);
    l1.push_success(&Option::<Transaction>::None);
    let missing = certificates.read(&state(100, 0, 3), BatchIndex(0)).await.unwrap_err();
    assert!(missing.to_string().contains("no transaction"), "{missing}");
    l1.push_success(&vec![log(0, 50, 20)]);
    l1.push_success(&transaction(51));
    assert!(certificates.read(&state(100, 0, 3), BatchIndex(0)).await.unwrap());
    assert_eq!(certificates.pending()[&BatchIndex(0)].signed, None);
}
