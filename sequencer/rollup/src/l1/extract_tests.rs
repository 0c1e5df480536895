use alloy_consensus::{
    EthereumReceipt, SignableTransaction, TxEip1559, TxEip4844, TxEip7702, TxLegacy, TxType,
};
use alloy_primitives::{Address, Bytes, Signature, TxKind, bytes};
use cairn_primitives::TxEnvelope;

use super::*;
use crate::l1::ConfigUpdate;
use crate::l1::deposits::tests::{deposit_log, opaque};
use crate::l1::updates::tests::update_log;
use crate::testing::config as base_config;

const INBOX: Address = Address::repeat_byte(1);
const PORTAL: Address = Address::repeat_byte(2);
const SYSTEM: Address = Address::repeat_byte(3);

fn config() -> RollupConfig {
    RollupConfig {
        batch_inbox_address: INBOX,
        deposit_contract_address: PORTAL,
        l1_system_config_address: SYSTEM,
        ..base_config()
    }
}

fn signature() -> Signature {
    Signature::new(U256::from(1), U256::from(1), false)
}

fn call(to: Address, input: &Bytes) -> TxEnvelope {
    let tx = TxEip1559 { to: TxKind::Call(to), input: input.clone(), ..TxEip1559::default() };
    TxEnvelope::Eip1559(tx.into_signed(signature()))
}

fn blobs(to: Address, hashes: &[u8]) -> TxEnvelope {
    let blob_versioned_hashes = hashes.iter().map(|byte| B256::repeat_byte(*byte)).collect();
    let tx = TxEip4844 { to, blob_versioned_hashes, ..TxEip4844::default() };
    TxEnvelope::Eip4844(tx.into_signed(signature()))
}

fn receipt(success: bool, logs: Vec<Log>) -> EthereumReceipt<TxType> {
    EthereumReceipt { tx_type: TxType::Legacy, success, cumulative_gas_used: 0, logs }
}

fn extract(
    transactions: &[TxEnvelope],
    receipts: &[EthereumReceipt<TxType>],
) -> Result<L1Block, L1BlockError> {
    let header = Header {
        number: 7,
        timestamp: 8,
        parent_hash: B256::repeat_byte(9),
        base_fee_per_gas: Some(10),
        mix_hash: B256::repeat_byte(11),
        parent_beacon_block_root: Some(B256::repeat_byte(12)),
        excess_blob_gas: Some(100_000_000),
        ..Header::default()
    };
    let hash = B256::repeat_byte(6);
    let blob_params = BlobParams::cancun();
    let input = L1BlockInput { header: &header, hash, transactions, receipts, blob_params };
    L1Block::extract(&config(), &input)
}

#[test]
fn header_fields_are_taken_over() {
    let block = extract(&[], &[]).unwrap();
    assert_eq!((block.number, block.timestamp), (7, 8));
    assert_eq!((block.hash, block.parent_hash), (B256::repeat_byte(6), B256::repeat_byte(9)));
    assert_eq!((block.base_fee, block.prev_randao), (U256::from(10), B256::repeat_byte(11)));
    assert_eq!(block.parent_beacon_block_root, B256::repeat_byte(12));
    let fee = BlobParams::cancun().calc_blob_fee(100_000_000);
    assert!(fee > 1);
    assert_eq!(block.blob_base_fee, U256::from(fee));
}

#[test]
fn only_successful_batcher_transactions_to_the_inbox_are_batches() {
    let frames = bytes!("00aa");
    let set_code = TxEip7702 { to: INBOX, input: frames.clone(), ..TxEip7702::default() };
    let creation = TxLegacy { to: TxKind::Create, input: frames.clone(), ..TxLegacy::default() };
    // `s` above half of the order recovers nobody.
    let unsigned =
        TxEip1559 { to: TxKind::Call(INBOX), input: frames.clone(), ..TxEip1559::default() };
    let unsigned = unsigned.into_signed(Signature::new(U256::from(1), U256::MAX, false));
    let transactions: Vec<TxEnvelope> = vec![
        call(INBOX, &frames),
        call(PORTAL, &frames),
        blobs(PORTAL, &[1, 2]),
        blobs(INBOX, &[3, 4]),
        call(INBOX, &frames),
        call(INBOX, &bytes!("02")),
        TxEnvelope::Eip7702(set_code.into_signed(signature())),
        TxEnvelope::Legacy(creation.into_signed(signature())),
        TxEnvelope::Eip1559(unsigned),
        call(INBOX, &bytes!("0101cc")),
    ];
    let receipts: Vec<_> = (0..transactions.len()).map(|n| receipt(n != 4, vec![])).collect();
    let batches = extract(&transactions, &receipts).unwrap().batches;
    let blob = |index, byte| BlobId { index, versioned_hash: B256::repeat_byte(byte) };
    let expected = [
        (0, Carrier::Calldata(frames)),
        (3, Carrier::Blobs(vec![blob(2, 3), blob(3, 4)])),
        (9, Carrier::Certificate(bytes!("cc"))),
    ];
    let found: Vec<_> = batches.iter().map(|batch| (batch.index, batch.carrier.clone())).collect();
    assert_eq!(found, expected);
    let sender = transactions[0].recover_signer().unwrap();
    assert_eq!((batches[0].sender, batches[0].hash), (sender, transactions[0].trie_hash()));
}

#[test]
fn logs_count_by_contract_and_over_the_whole_block() {
    let deposit = |contract| deposit_log(contract, INBOX, SYSTEM, &opaque(1, 2, 3, 0, b""));
    let update = |contract| update_log(contract, 2, &U256::from(5).to_be_bytes::<32>());
    let transactions = [call(PORTAL, &Bytes::new()), call(PORTAL, &Bytes::new())];
    let receipts = [
        receipt(true, vec![deposit(SYSTEM), update(PORTAL), update(SYSTEM)]),
        receipt(true, vec![deposit(PORTAL)]),
    ];
    let block = extract(&transactions, &receipts).unwrap();
    assert_eq!(block.config_updates, [ConfigUpdate::GasLimit(5)]);
    let expected = deposit_from_log(&deposit(PORTAL), block.hash, 3).unwrap();
    assert_eq!(block.deposits, [expected]);
}

#[test]
fn a_deposit_that_cannot_be_read_and_a_missing_receipt_are_errors() {
    let log = deposit_log(PORTAL, INBOX, SYSTEM, &[]);
    let error = extract(&[call(PORTAL, &Bytes::new())], &[receipt(true, vec![log])]).unwrap_err();
    let source = DepositLogError::Length(0);
    assert_eq!(error, L1BlockError::Deposit { number: 7, index: 0, source });
    let error = extract(&[call(PORTAL, &Bytes::new())], &[]).unwrap_err();
    assert_eq!(error, L1BlockError::Receipts { number: 7, transactions: 1, receipts: 0 });
}
