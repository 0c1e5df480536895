//! Transactions.

use alloy_consensus::Transaction;
use alloy_eips::Typed2718;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use cairn_primitives::{Receipt, TxEnvelope};
use serde::Serialize;

use super::{index, quantity};

/// Where a transaction stands. All `None` for one that is in no sealed block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Placement {
    /// Hash of the block.
    pub block_hash: Option<B256>,
    /// Number of the block.
    pub block_number: Option<u64>,
    /// Timestamp of the block, seconds.
    pub block_timestamp: Option<u64>,
    /// Position in the block.
    pub index: Option<usize>,
    /// Base fee of the block, wei per gas; decides the price shown for dynamic-fee transactions.
    pub base_fee: Option<u64>,
}

/// A transaction as `eth_getTransactionByHash` gives it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionView<'a> {
    block_hash: Option<B256>,
    block_number: Option<U64>,
    block_timestamp: Option<U64>,
    from: Address,
    gas: U64,
    gas_price: U128,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee_per_gas: Option<U128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_priority_fee_per_gas: Option<U128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee_per_blob_gas: Option<U128>,
    hash: B256,
    input: &'a Bytes,
    nonce: U64,
    to: Option<Address>,
    transaction_index: Option<U64>,
    value: U256,
    #[serde(rename = "type")]
    ty: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<&'a AccessList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_id: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_versioned_hashes: Option<&'a [B256]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_list: Option<&'a [SignedAuthorization]>,
    v: U128,
    r: U256,
    s: U256,
    #[serde(skip_serializing_if = "Option::is_none")]
    y_parity: Option<U64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    deposit: Option<DepositFields>,
}

/// What only deposits have.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct DepositFields {
    source_hash: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    mint: Option<U128>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_system_tx: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit_receipt_version: Option<U64>,
}

impl<'a> TransactionView<'a> {
    /// The view of a transaction. A deposit's nonce stands in its receipt.
    pub fn new(
        tx: &'a TxEnvelope,
        from: Address,
        at: Placement,
        receipt: Option<&Receipt>,
    ) -> Self {
        let dynamic = (2..=4).contains(&tx.ty());
        let deposit = deposit_fields(tx, receipt);
        let nonce = receipt.and_then(|receipt| receipt.deposit_nonce).unwrap_or(tx.nonce());
        let (v, y_parity) = recovery_id(tx);
        let signature = tx.signature();
        Self {
            block_hash: at.block_hash,
            block_number: at.block_number.map(quantity),
            block_timestamp: at.block_timestamp.map(quantity),
            from,
            gas: quantity(tx.gas_limit()),
            gas_price: U128::from(shown_price(tx, at)),
            max_fee_per_gas: dynamic.then(|| U128::from(tx.max_fee_per_gas())),
            max_priority_fee_per_gas: tx
                .max_priority_fee_per_gas()
                .filter(|_| dynamic)
                .map(U128::from),
            max_fee_per_blob_gas: tx.max_fee_per_blob_gas().map(U128::from),
            hash: *tx.hash(),
            input: tx.input(),
            nonce: quantity(nonce),
            to: tx.to(),
            transaction_index: at.index.map(index),
            value: tx.value(),
            ty: quantity(tx.ty().into()),
            access_list: tx.access_list(),
            chain_id: tx.chain_id().filter(|_| deposit.is_none()).map(quantity),
            blob_versioned_hashes: tx.blob_versioned_hashes(),
            authorization_list: tx.authorization_list(),
            v: U128::from(v),
            r: signature.map_or(U256::ZERO, |signature| signature.r()),
            s: signature.map_or(U256::ZERO, |signature| signature.s()),
            y_parity: y_parity.map(|parity| quantity(parity.into())),
            deposit,
        }
    }
}

/// What a transaction paid per gas, or, outside a block, the most that it would pay.
fn shown_price(tx: &TxEnvelope, at: Placement) -> u128 {
    match at.base_fee.filter(|_| at.block_hash.is_some()) {
        Some(base_fee) => tx.effective_gas_price(Some(base_fee)),
        None if tx.is_deposit_tx() => 0,
        None => tx.max_fee_per_gas(),
    }
}

/// `v` as signed, and `yParity` for typed transactions.
fn recovery_id(tx: &TxEnvelope) -> (u128, Option<bool>) {
    let Some(signature) = tx.signature() else { return (0, None) };
    let parity = signature.v();
    match tx {
        TxEnvelope::Legacy(legacy) => {
            let base = match legacy.tx().chain_id {
                Some(chain_id) => u128::from(chain_id) * 2 + 35,
                None => 27,
            };
            (base + u128::from(parity), None)
        }
        _ => (u128::from(parity), Some(parity)),
    }
}

fn deposit_fields(tx: &TxEnvelope, receipt: Option<&Receipt>) -> Option<DepositFields> {
    let TxEnvelope::Deposit(deposit) = tx else { return None };
    Some(DepositFields {
        source_hash: deposit.source_hash,
        mint: (deposit.mint > 0).then(|| U128::from(deposit.mint)),
        is_system_tx: deposit.is_system_transaction,
        deposit_receipt_version: receipt
            .and_then(|receipt| receipt.deposit_receipt_version)
            .map(quantity),
    })
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{Sealable, Signed, TxEip1559, TxLegacy};
    use alloy_primitives::Signature;
    use cairn_primitives::TxType;
    use op_alloy_consensus::TxDeposit;
    use serde_json::{Value, json};

    use super::*;

    fn signature() -> Signature {
        Signature::new(U256::from(1), U256::from(2), true)
    }

    fn view(tx: &TxEnvelope, at: Placement, receipt: Option<&Receipt>) -> Value {
        serde_json::to_value(TransactionView::new(tx, Address::ZERO, at, receipt)).unwrap()
    }

    #[test]
    fn a_protected_legacy_transaction_shows_chain_id_and_eip155_v() {
        let tx = TxLegacy { chain_id: Some(901), gas_price: 7, ..TxLegacy::default() };
        let tx = TxEnvelope::Legacy(Signed::new_unhashed(tx, signature()));
        let json = view(&tx, Placement::default(), None);
        assert_eq!(json["v"], "0x72e");
        assert_eq!(json["chainId"], "0x385");
        assert!(json.get("yParity").is_none() && json.get("accessList").is_none());
        assert_eq!(json["blockHash"], Value::Null);
        assert_eq!(json["to"], Value::Null);
    }

    #[test]
    fn a_mined_dynamic_fee_transaction_shows_what_it_paid() {
        let tx =
            TxEip1559 { max_fee_per_gas: 100, max_priority_fee_per_gas: 2, ..TxEip1559::default() };
        let tx = TxEnvelope::Eip1559(Signed::new_unhashed(tx, signature()));
        let at = Placement {
            block_hash: Some(B256::ZERO),
            base_fee: Some(10),
            index: Some(0),
            ..Placement::default()
        };
        assert_eq!(view(&tx, at, None)["gasPrice"], "0xc");
        assert_eq!(view(&tx, Placement::default(), None)["gasPrice"], "0x64");
        assert_eq!(view(&tx, at, None)["yParity"], "0x1");
        assert_eq!(view(&tx, at, None)["accessList"], json!([]));
    }

    #[test]
    fn a_deposit_has_the_shape_of_op_geth() {
        let deposit = TxDeposit { mint: 5, gas_limit: 9, ..TxDeposit::default() };
        let tx = TxEnvelope::Deposit(deposit.seal_slow());
        let mut receipt = Receipt::new(TxType::Deposit, true, 0, Vec::new());
        receipt.deposit_nonce = Some(3);
        receipt.deposit_receipt_version = Some(1);
        let json = view(&tx, Placement::default(), Some(&receipt));
        for (field, value) in [
            ("type", "0x7e"),
            ("nonce", "0x3"),
            ("mint", "0x5"),
            ("gasPrice", "0x0"),
            ("depositReceiptVersion", "0x1"),
            ("v", "0x0"),
            ("r", "0x0"),
            ("s", "0x0"),
        ] {
            assert_eq!(json[field], value, "{field}");
        }
        // Written only when set, as op-geth and op-alloy do: op-alloy's decoder refuses `false`.
        assert!(json.get("isSystemTx").is_none());
        assert!(json.get("chainId").is_none() && json.get("yParity").is_none());
    }
}
