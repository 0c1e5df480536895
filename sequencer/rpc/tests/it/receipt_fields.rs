//! What op-geth adds to receipts, each field reckoned anew from L1 attributes, header and balances.

use alloy_primitives::{Address, Bytes, U256, address};
use cairn_chain::{AttributesSource, BlockRef, Chain, DerivedPayload, DevAttributes};
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
use cairn_primitives::{Account, L1Attributes, StateReader, SystemAttributes, TxEnvelope};
use serde_json::{Value, json};

use crate::client::result;
use crate::node::{TestNode, config, open_chain};
use crate::sending::{large, signer, transfer};

const L1_FEE_VAULT: Address = address!("0x420000000000000000000000000000000000001a");
const OPERATOR_FEE_VAULT: Address = address!("0x420000000000000000000000000000000000001b");

fn derive(chain: &Chain, system: SystemAttributes, transactions: &[String]) -> L1Attributes {
    let (_, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
    let mut source = DevAttributes::new(chain.spec().clone(), &genesis, system);
    let (hash, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
    let attributes = source.next(&head, head.timestamp + 1).unwrap();
    let TxEnvelope::Deposit(deposit) = &attributes.deposits[0] else { panic!("no deposit") };
    let l1 = L1Attributes::from_deposit(deposit).unwrap();
    let transactions: Vec<Bytes> = transactions.iter().map(|raw| raw.parse().unwrap()).collect();
    let payload = DerivedPayload { attributes, transactions };
    chain.derive(hash, payload.recover().unwrap()).unwrap();
    l1
}

fn balance(chain: &Chain, address: Address) -> U256 {
    let account: Option<Account> = chain.latest_state().unwrap().account(address).unwrap();
    account.map_or(U256::ZERO, |account| account.balance)
}

fn number(value: &Value) -> U256 {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

async fn receipts(node: &TestNode) -> (Vec<Value>, Value) {
    let receipts = result(node.address, "eth_getBlockReceipts", json!(["latest"])).await;
    let header = result(node.address, "eth_getHeaderByNumber", json!(["latest"])).await;
    (receipts.as_array().unwrap().clone(), header)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_rollup_receipt_is_what_was_charged() {
    let directory = tempfile::tempdir().unwrap();
    let genesis = dev_genesis(&DevOptions::default()).unwrap();
    let chain = open_chain(&directory.path().join("state"), &genesis, Default::default());
    let node = TestNode::serve(chain.clone(), directory, config()).await;
    let system = SystemAttributes {
        operator_fee_scalar: 2_000,
        operator_fee_constant: 5_000_000,
        ..DEV_SYSTEM
    };
    // The parameters of a block reach L1Block with its own first transaction.
    let raws = [transfer(&signer(0), 0), transfer(&signer(1), 0), large(&signer(2), 0)];
    let senders: Vec<Address> = (0..3).map(|index| signer(index).address()).collect();
    let before: Vec<U256> = senders.iter().map(|sender| balance(&chain, *sender)).collect();
    let vaults = [L1_FEE_VAULT, OPERATOR_FEE_VAULT].map(|vault| balance(&chain, vault));
    let l1 = derive(&chain, system, &raws);
    let (receipts, header) = receipts(&node).await;
    assert_eq!(receipts.len(), 4);
    let (mut l1_fees, mut operator_fees, mut footprints) = (U256::ZERO, U256::ZERO, U256::ZERO);
    for (index, receipt) in receipts[1..].iter().enumerate() {
        let field = |name: &str| number(&receipt[name]);
        assert_eq!(field("l1GasPrice"), l1.origin.base_fee);
        assert_eq!(field("l1BlobBaseFee"), l1.origin.blob_base_fee);
        assert_eq!(field("l1BaseFeeScalar"), U256::from(system.base_fee_scalar));
        assert_eq!(field("l1BlobBaseFeeScalar"), U256::from(system.blob_base_fee_scalar));
        assert_eq!(field("operatorFeeScalar"), U256::from(2_000));
        assert_eq!(field("operatorFeeConstant"), U256::from(5_000_000));
        let scalar = U256::from(system.da_footprint_gas_scalar);
        assert_eq!(field("daFootprintGasScalar"), scalar);
        // Fjord: the size in bytes times the price of a byte; 16 gas a byte of calldata.
        let size = field("l1GasUsed") / U256::from(16);
        assert_eq!(field("blobGasUsed"), size * scalar);
        let price = l1.origin.base_fee * U256::from(16) * U256::from(system.base_fee_scalar)
            + l1.origin.blob_base_fee * U256::from(system.blob_base_fee_scalar);
        let (least, most) = (size * price, (size + U256::ONE) * price);
        let million = U256::from(1_000_000);
        assert!(field("l1Fee") >= least / million && field("l1Fee") <= most / million);
        if index < 2 {
            assert_eq!(size, U256::from(100), "a transfer has the least size");
            assert_eq!(field("l1Fee"), least / million);
        } else {
            assert!(size > U256::from(100), "{size}");
        }
        let operator_fee = field("gasUsed") * U256::from(2_000 * 100) + U256::from(5_000_000);
        let paid = field("gasUsed") * field("effectiveGasPrice")
            + field("l1Fee")
            + operator_fee
            + U256::ONE;
        assert_eq!(before[index] - balance(&chain, senders[index]), paid, "sender {index}");
        l1_fees += field("l1Fee");
        operator_fees += operator_fee;
        footprints += field("blobGasUsed");
        assert!(receipt.get("depositNonce").is_none());
    }
    assert_eq!(balance(&chain, L1_FEE_VAULT) - vaults[0], l1_fees);
    assert_eq!(balance(&chain, OPERATOR_FEE_VAULT) - vaults[1], operator_fees);
    assert_eq!(number(&header["blobGasUsed"]), footprints);
    let deposit = &receipts[0];
    assert_eq!(
        (&deposit["depositNonce"], &deposit["depositReceiptVersion"]),
        (&json!("0x0"), &json!("0x1"))
    );
    for absent in ["l1Fee", "l1GasUsed", "l1GasPrice", "operatorFeeScalar", "daFootprintGasScalar"]
    {
        assert!(deposit.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_an_operator_fee_that_is_zero_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let genesis = dev_genesis(&DevOptions::default()).unwrap();
    let chain = open_chain(&directory.path().join("state"), &genesis, Default::default());
    let node = TestNode::serve(chain.clone(), directory, config()).await;
    let none = SystemAttributes { operator_fee_scalar: 0, operator_fee_constant: 0, ..DEV_SYSTEM };
    derive(&chain, none, &[transfer(&signer(0), 0)]);
    let (receipts, _) = receipts(&node).await;
    assert!(receipts[1]["l1Fee"].is_string());
    assert!(receipts[1].get("operatorFeeScalar").is_none());
    assert!(receipts[1].get("operatorFeeConstant").is_none());
}
