//! Invalid blocks: a good block with one field changed is refused, whichever field it is.

use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, hex};
use alloy_rlp::Decodable;
use cairn_conformance::{Options, run_blockchain_tests};
use cairn_primitives::{Block, Header};
use serde_json::{Value, json};

use crate::scratch::{data, directory};

type Change = (&'static str, fn(&mut Block));

const WORD: B256 = B256::repeat_byte(0x11);

const CHANGES: &[Change] = &[
    ("parent hash", |block| block.header.parent_hash = WORD),
    ("ommers hash", |block| block.header.ommers_hash = WORD),
    ("beneficiary", |block| block.header.beneficiary = Address::repeat_byte(1)),
    ("state root", |block| block.header.state_root = WORD),
    ("transactions root", |block| block.header.transactions_root = WORD),
    ("receipts root", |block| block.header.receipts_root = WORD),
    ("logs bloom", |block| block.header.logs_bloom = Bloom::repeat_byte(1)),
    ("difficulty", |block| block.header.difficulty = U256::from(1)),
    ("number below", |block| block.header.number = 0),
    ("number above", |block| block.header.number = 2),
    ("gas limit of 2^63", |block| block.header.gas_limit = 1 << 63),
    ("gas limit far below", |block| block.header.gas_limit /= 2),
    ("gas used less", |block| block.header.gas_used -= 1),
    ("gas used more", |block| block.header.gas_used += 1),
    ("timestamp of the parent", |block| block.header.timestamp = 0x3b6),
    ("timestamp later", |block| block.header.timestamp += 1),
    ("extra data too long", |block| block.header.extra_data = Bytes::from([0; 33])),
    ("nonce", |block| block.header.nonce = B64::repeat_byte(1)),
    ("base fee", |block| block.header.base_fee_per_gas = Some(8)),
    ("no base fee", |block| truncate(&mut block.header, 0)),
    ("withdrawals root", |block| block.header.withdrawals_root = Some(EMPTY_WITHDRAWALS)),
    ("no withdrawals root", |block| truncate(&mut block.header, 1)),
    ("blob gas used", |block| block.header.blob_gas_used = Some(131_072)),
    ("excess blob gas", |block| block.header.excess_blob_gas = Some(131_072)),
    ("no blob fields", |block| truncate(&mut block.header, 2)),
    ("beacon root", |block| block.header.parent_beacon_block_root = Some(WORD)),
    ("no beacon root", |block| truncate(&mut block.header, 4)),
    ("requests hash", |block| block.header.requests_hash = Some(WORD)),
    ("transaction left out", |block| drop(block.body.transactions.pop())),
    ("transaction twice", |block| {
        let again = block.body.transactions[0].clone();
        block.body.transactions.push(again);
    }),
    ("ommer", |block| block.body.ommers.push(Header::default())),
    ("withdrawal left out", |block| block.body.withdrawals = Some(Default::default())),
    ("no withdrawals", |block| block.body.withdrawals = None),
    ("withdrawal added", |block| {
        let more = Withdrawal { index: 1, amount: 1, ..Withdrawal::default() };
        block.body.withdrawals.as_mut().unwrap().0.push(more);
    }),
];

/// Keeps the first `fields` of the optional fields, which RLP has in this order.
fn truncate(header: &mut Header, fields: usize) {
    let absent = |field: usize| field >= fields;
    if absent(0) {
        header.base_fee_per_gas = None;
    }
    if absent(1) {
        header.withdrawals_root = None;
    }
    if absent(2) {
        header.blob_gas_used = None;
    }
    if absent(3) {
        header.excess_blob_gas = None;
    }
    if absent(4) {
        header.parent_beacon_block_root = None;
    }
}

/// The good file's test with the change as a refused block before the good one.
fn changed(test: &Value, rlp: &[u8]) -> Value {
    let mut test = test.clone();
    let bad = json!({"rlp": hex::encode_prefixed(rlp), "expectException": "any"});
    test["blocks"].as_array_mut().unwrap().insert(0, bad);
    test
}

#[test]
fn a_block_with_one_wrong_field_is_refused_and_the_good_one_follows() {
    let good = data("blockchain_test.json")["shanghaiExample_Cancun"].clone();
    let rlp = hex::decode(good["blocks"][0]["rlp"].as_str().unwrap()).unwrap();
    let block = Block::decode(&mut rlp.as_slice()).unwrap();
    let mut tests = serde_json::Map::new();
    for (name, change) in CHANGES {
        let mut block = block.clone();
        change(&mut block);
        let encoded = alloy_rlp::encode(&block);
        assert_ne!(encoded, rlp, "{name} changes nothing");
        tests.insert((*name).to_string(), changed(&good, &encoded));
    }
    tests.insert("bytes after the block".into(), changed(&good, &[rlp.as_slice(), &[0]].concat()));
    tests.insert("block cut short".into(), changed(&good, &rlp[..rlp.len() - 1]));
    let directory = directory(&Value::Object(tests).to_string());
    let report = run_blockchain_tests(directory.path(), &Options::default()).unwrap();
    assert!(report.is_success(), "{report}");
    assert_eq!(report.passed(), CHANGES.len() as u64 + 2);
}
