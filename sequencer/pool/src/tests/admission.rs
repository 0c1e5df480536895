//! Every refusal and its text.

use alloy_consensus::{Signed, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use cairn_primitives::{Account, TxEnvelope};

use super::support::*;
use crate::validate::check_stateless;
use crate::{
    BlockConditions, ErrorKind, PoolConfig, PoolError, SenderCode, SenderView, SubPool, Timestamp,
    intrinsic_gas,
};

fn signature() -> Signature {
    Signature::new(U256::ONE, U256::ONE, false)
}

fn envelope(tx: Tx) -> TxEnvelope {
    TxEnvelope::Eip1559(Signed::new_unhashed(tx.inner, signature()))
}

fn check(tx: &TxEnvelope, conditions: &BlockConditions) -> Result<(), PoolError> {
    use alloy_eips::eip2718::Encodable2718;
    check_stateless(tx, tx.encode_2718_len(), conditions, &PoolConfig::default())
}

fn refusal(tx: &TxEnvelope, conditions: &BlockConditions) -> String {
    let error = check(tx, conditions).unwrap_err();
    assert_eq!(error.code(), -32000);
    error.to_string()
}

fn create(code: usize) -> TxEnvelope {
    let mut tx = tx(0, 0).gas(29_000_000).input(vec![0; code]);
    tx.inner.to = TxKind::Create;
    envelope(tx)
}

fn set_code(list: Vec<SignedAuthorization>) -> TxEnvelope {
    let tx = TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit: 100_000,
        authorization_list: list,
        ..TxEip7702::default()
    };
    TxEnvelope::Eip7702(Signed::new_unhashed(tx, signature()))
}

fn blob(blobs: usize, blob_fee: u128) -> TxEnvelope {
    let tx = TxEip4844 {
        chain_id: CHAIN_ID,
        gas_limit: 21_000,
        max_fee_per_blob_gas: blob_fee,
        blob_versioned_hashes: vec![B256::ZERO; blobs],
        ..TxEip4844::default()
    };
    TxEnvelope::Eip4844(Signed::new_unhashed(tx, signature()))
}

#[test]
fn a_plain_transfer_passes_the_stateless_checks() {
    check(&envelope(tx(0, 0)), &conditions()).unwrap();
}

#[test]
fn types_that_are_not_active_are_refused() {
    let text = "transaction type not supported";
    assert_eq!(refusal(&blob(1, 1), &conditions()), text);
    let early = BlockConditions { london: false, ..conditions() };
    assert_eq!(refusal(&envelope(tx(0, 0)), &early), text);
    let before_prague = BlockConditions { prague: false, ..conditions() };
    assert_eq!(refusal(&set_code(vec![unsigned_authorization()]), &before_prague), text);
}

#[test]
fn oversized_data_is_refused_at_one_byte_too_many() {
    let conditions = BlockConditions { gas_limit: u64::MAX, ..conditions() };
    let tx = envelope(tx(0, 0).gas(100_000_000).input(vec![1; 100]));
    let config = PoolConfig::default();
    check_stateless(&tx, 131_072, &conditions, &config).unwrap();
    let error = check_stateless(&tx, 131_073, &conditions, &config).unwrap_err();
    assert_eq!(error.to_string(), "oversized data: transaction size 131073, limit 131072");
}

#[test]
fn init_code_is_limited_from_shanghai_on() {
    check(&create(49_152), &conditions()).unwrap();
    let text = "max initcode size exceeded: code size 49153, limit 49152";
    assert_eq!(refusal(&create(49_153), &conditions()), text);
    check(&create(49_153), &BlockConditions { shanghai: false, ..conditions() }).unwrap();
}

#[test]
fn gas_of_one_transaction_is_capped_from_osaka_on() {
    let tx_at = |gas| envelope(tx(0, 0).gas(gas));
    let osaka = BlockConditions { osaka: true, ..conditions() };
    check(&tx_at(16_777_216), &osaka).unwrap();
    let text = "transaction gas limit too high (cap: 16777216, tx: 16777217)";
    assert_eq!(refusal(&tx_at(16_777_217), &osaka), text);
    check(&tx_at(16_777_217), &conditions()).unwrap();
}

#[test]
fn gas_above_the_block_limit_is_refused() {
    check(&envelope(tx(0, 0).gas(30_000_000)), &conditions()).unwrap();
    let over = envelope(tx(0, 0).gas(30_000_001));
    assert_eq!(refusal(&over, &conditions()), "exceeds block gas limit");
}

#[test]
fn a_tip_above_the_fee_cap_is_refused() {
    check(&envelope(tx(0, 0).cap(5).tip(5)), &conditions()).unwrap();
    let text = "max priority fee per gas higher than max fee per gas";
    assert_eq!(refusal(&envelope(tx(0, 0).cap(5).tip(6)), &conditions()), text);
}

#[test]
fn another_chain_id_is_refused() {
    let mut wrong = tx(0, 0);
    wrong.inner.chain_id = 1;
    let text = "invalid sender: invalid chain id for signer: have 1 want 901";
    assert_eq!(refusal(&envelope(wrong), &conditions()), text);
}

#[test]
fn unprotected_transactions_follow_the_configuration() {
    let legacy =
        TxLegacy { gas_limit: 21_000, to: TxKind::Call(Address::ZERO), ..TxLegacy::default() };
    let tx = TxEnvelope::Legacy(Signed::new_unhashed(legacy, signature()));
    let mut config = PoolConfig::default();
    check_stateless(&tx, 100, &conditions(), &config).unwrap();
    config.allow_unprotected = false;
    let error = check_stateless(&tx, 100, &conditions(), &config).unwrap_err();
    let text = "only replay-protected (EIP-155) transactions allowed over RPC";
    assert_eq!(error.to_string(), text);
}

#[test]
fn the_last_nonce_is_refused() {
    check(&envelope(tx(0, u64::MAX - 1)), &conditions()).unwrap();
    assert_eq!(refusal(&envelope(tx(0, u64::MAX)), &conditions()), "nonce has max value");
}

#[test]
fn gas_below_the_intrinsic_gas_is_refused() {
    let text = "intrinsic gas too low: gas 20999, minimum needed 21000";
    assert_eq!(refusal(&envelope(tx(0, 0).gas(20_999)), &conditions()), text);
}

#[test]
fn gas_below_the_calldata_floor_is_refused_from_prague_on() {
    // 100 bytes other than zero: 22,600 intrinsic, 25,000 floor.
    let tx = envelope(tx(0, 0).gas(24_999).input(vec![1; 100]));
    let text = "insufficient gas for floor data gas cost: gas 24999, minimum needed 25000";
    assert_eq!(refusal(&tx, &conditions()), text);
    check(&tx, &BlockConditions { prague: false, ..conditions() }).unwrap();
}

#[test]
fn intrinsic_gas_counts_every_part() {
    let mut create = tx(0, 0).input(vec![0, 1, 1]);
    create.inner.to = TxKind::Create;
    let item = AccessListItem { address: Address::ZERO, storage_keys: vec![B256::ZERO; 3] };
    create.inner.access_list = AccessList(vec![item]);
    let gas = intrinsic_gas(&envelope(create.clone()), &conditions());
    let expected = 21_000 + 32_000 + 2 + 4 + 2 * 16 + 2_400 + 3 * 1_900;
    assert_eq!((gas.intrinsic, gas.floor), (expected, 21_000 + 10 * 9));
    let frontier = BlockConditions {
        homestead: false,
        istanbul: false,
        shanghai: false,
        prague: false,
        ..conditions()
    };
    let gas = intrinsic_gas(&envelope(create), &frontier);
    assert_eq!((gas.intrinsic, gas.floor), (21_000 + 4 + 2 * 68 + 2_400 + 3 * 1_900, 0));
    let authorizations = set_code(vec![unsigned_authorization(); 2]);
    assert_eq!(intrinsic_gas(&authorizations, &conditions()).intrinsic, 71_000);
}

#[test]
fn tips_below_the_configured_minimum_are_refused() {
    let config = PoolConfig { min_tip: 3, ..PoolConfig::default() };
    check_stateless(&envelope(tx(0, 0).tip(3)), 100, &conditions(), &config).unwrap();
    let error = check_stateless(&envelope(tx(0, 0).tip(2)), 100, &conditions(), &config);
    let text = "transaction gas price below minimum: gas tip cap 2, minimum needed 3";
    assert_eq!(error.unwrap_err().to_string(), text);
}

#[test]
fn blob_transactions_follow_the_rules_of_blobs() {
    let rules = BlockConditions { max_blobs: 2, ..conditions() };
    check(&blob(2, 1), &rules).unwrap();
    assert_eq!(refusal(&blob(0, 1), &rules), "blobless blob transaction");
    let text = "transaction blob limit exceeded: blob count 3, limit 2";
    assert_eq!(refusal(&blob(3, 1), &rules), text);
    let text = "transaction gas price below minimum: blob fee cap 0, minimum needed 1";
    assert_eq!(refusal(&blob(1, 0), &rules), text);
}

#[test]
fn an_empty_authorization_list_is_refused() {
    let text = "set code tx must have at least one authorization tuple";
    assert_eq!(refusal(&set_code(Vec::new()), &conditions()), text);
}

#[test]
fn a_known_transaction_is_refused() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let error = insert(&mut pool, tx(0, 0)).unwrap_err();
    assert_eq!(error.to_string(), "already known");
    assert_eq!(error.kind(), ErrorKind::AlreadyKnown);
}

#[test]
fn a_used_nonce_is_refused() {
    let mut pool = pool();
    let error = insert_as(&mut pool, tx(0, 2).build(), account(5, RICH)).unwrap_err();
    assert_eq!(error.to_string(), "nonce too low: next nonce 5, tx nonce 2");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    pool.check();
}

#[test]
fn a_transaction_that_the_balance_does_not_cover_is_refused() {
    let mut pool = pool();
    let build = || tx(0, 0).cap(10).tip(1).value(7).rollup_fee(3).build();
    let error = insert_as(&mut pool, build(), account(0, 210_009)).unwrap_err();
    let text =
        "insufficient funds for gas * price + value: balance 210009, tx cost 210010, overshot 1";
    assert_eq!(error.to_string(), text);
    assert_eq!(error.kind(), ErrorKind::Temporary);
    pool.on_state_change([(address(0), account(0, 210_010))]);
    insert_as(&mut pool, build(), account(0, 0)).unwrap();
    pool.check();
}

#[test]
fn two_transactions_that_the_balance_covers_only_singly_are_not_both_taken() {
    let mut pool = pool();
    let cost = 21_000 * 100;
    let funds = account(0, 2 * cost - 1);
    insert_as(&mut pool, tx(0, 0).build(), funds).unwrap();
    let error = insert_as(&mut pool, tx(0, 1).build(), funds).unwrap_err();
    let text = "insufficient funds for gas * price + value: balance 4199999, \
                queued cost 2100000, tx cost 2100000, overshot 1";
    assert_eq!((error.code(), error.to_string().as_str()), (-32000, text));
    assert_eq!(error.kind(), ErrorKind::Temporary);
    let gapped = insert_as(&mut pool, tx(0, 2).build(), funds).unwrap();
    assert_eq!(gapped.sub_pool, SubPool::Queued);
    pool.on_state_change([(address(0), account(0, 2 * cost))]);
    let second = insert_as(&mut pool, tx(0, 1).build(), funds).unwrap();
    assert_eq!(second.sub_pool, SubPool::Pending);
    pool.check();
}

#[test]
fn a_contract_may_not_send() {
    let mut pool = pool();
    let code_hash = B256::repeat_byte(3);
    let view = SenderView {
        account: Account { code_hash, ..account(0, RICH) },
        code: SenderCode::Contract,
    };
    let error = pool.insert(tx(0, 0).build(), Some(&view), Timestamp(0)).unwrap_err();
    let text = format!("sender not an eoa: address {}, codehash: {code_hash}", address(0));
    assert_eq!(error.to_string(), text);
}

#[test]
fn an_insertion_without_account_says_so() {
    let mut pool = pool();
    assert!(pool.needs_view(address(0)));
    let error = pool.insert(tx(0, 0).build(), None, Timestamp(0)).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Internal, -32603));
    pool.check();
}

#[test]
fn a_known_sender_needs_no_view() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    assert!(!pool.needs_view(address(0)));
    let second = pool.insert(tx(0, 1).build(), None, Timestamp(0)).unwrap();
    assert_eq!(second.sub_pool, SubPool::Pending);
}

#[test]
fn a_report_of_the_builder_overrules_a_view_that_was_read_before() {
    let mut pool = pool();
    pool.register(address(0), Timestamp(0));
    pool.on_state_change([(address(0), account(4, RICH))]);
    let error = insert_as(&mut pool, tx(0, 3).build(), account(3, RICH)).unwrap_err();
    assert_eq!(error.to_string(), "nonce too low: next nonce 4, tx nonce 3");
}

#[test]
fn inspection_reads_as_in_geth() {
    let plain = tx(0, 0).value(5).build();
    let to = Address::repeat_byte(0xee);
    assert_eq!(plain.inspect(), format!("{to}: 5 wei + 21000 gas × 100 wei"));
    let mut create = tx(0, 0);
    create.inner.to = TxKind::Create;
    create.inner.input = Bytes::from_static(&[0]);
    assert_eq!(create.build().inspect(), "contract creation: 0 wei + 21000 gas × 100 wei");
}
