//! Blocks and receipts as endpoints give them.
//!
//! `eth_getBlockBy*` with full transactions, and `eth_getBlockReceipts` (execution-apis). Fields
//! that no root vouches for (gas prices, sender, places) are not read.

use alloy_consensus::{Eip658Value, EthereumTxEnvelope, Header, Receipt, TxEip4844};
use alloy_eips::Encodable2718;
use alloy_primitives::{B256, Bytes, Log, U8, keccak256};
use alloy_rlp::BufMut;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::FetchedTransaction;

/// A block; `Transactions` is what is read of its transactions.
#[derive(Debug, Deserialize)]
pub(crate) struct JsonBlock<Transactions> {
    pub(crate) hash: B256,
    #[serde(flatten)]
    pub(crate) header: Header,
    pub(crate) transactions: Transactions,
}

/// Type and hash of a transaction, and all of it.
#[derive(Debug)]
pub(crate) struct JsonTransaction {
    pub(crate) kind: u8,
    pub(crate) hash: B256,
    json: serde_json::Value,
}

impl<'de> Deserialize<'de> for JsonTransaction {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(rename = "type", default)]
            kind: U8,
            hash: B256,
        }
        let json = serde_json::Value::deserialize(json)?;
        let Named { kind, hash } = Named::deserialize(&json).map_err(serde::de::Error::custom)?;
        Ok(Self { kind: kind.to(), hash, json })
    }
}

impl JsonTransaction {
    /// Whether its encoding is known here.
    pub(crate) const fn is_known(&self) -> bool {
        self.kind <= 4
    }

    /// The transaction, encoded again. Its hash is that of the encoding.
    pub(crate) fn encode(mut self) -> Result<FetchedTransaction, serde_json::Error> {
        if let Some(fields) = self.json.as_object_mut() {
            // Some nodes say `v` of typed transactions as a chain-dependent legacy value; only the
            // parity counts there.
            if self.kind != 0 && fields.contains_key("yParity") {
                fields.remove("v");
            }
        }
        let envelope = EthereumTxEnvelope::<TxEip4844>::deserialize(self.json)?;
        let raw = Bytes::from(envelope.encoded_2718());
        let hash = keccak256(&raw);
        // The envelope read from JSON has the hash that the JSON says; decoded again it has its own.
        let envelope = decode(&raw);
        Ok(FetchedTransaction { hash, raw, envelope })
    }
}

/// A transaction from its bytes.
pub(crate) fn from_raw(raw: Bytes) -> FetchedTransaction {
    FetchedTransaction { hash: keccak256(&raw), envelope: decode(&raw), raw }
}

fn decode(raw: &[u8]) -> Option<EthereumTxEnvelope<TxEip4844>> {
    use alloy_eips::Decodable2718;
    EthereumTxEnvelope::decode_2718_exact(raw).ok()
}

/// A receipt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonReceipt {
    #[serde(rename = "type", default)]
    kind: U8,
    #[serde(flatten)]
    status: Eip658Value,
    #[serde(with = "alloy::serde::quantity")]
    cumulative_gas_used: u64,
    logs: Vec<JsonLog>,
}

#[derive(Debug, Deserialize)]
struct JsonLog {
    #[serde(flatten)]
    log: Log,
}

impl JsonReceipt {
    /// The receipt and its EIP-2718 encoding: type, then status or post-state, gas, bloom, logs.
    pub(crate) fn encode(self) -> (Receipt, Vec<u8>) {
        let kind = self.kind.to::<u8>();
        let logs: Vec<_> = self.logs.into_iter().map(|log| log.log).collect();
        let receipt =
            Receipt { status: self.status, cumulative_gas_used: self.cumulative_gas_used, logs };
        let receipt = receipt.with_bloom();
        let mut raw = Vec::new();
        if kind != 0 {
            raw.put_u8(kind);
        }
        alloy_rlp::Encodable::encode(&receipt, &mut raw);
        (receipt.receipt, raw)
    }
}

/// JSON that is passed over.
pub(crate) type Skipped = Box<RawValue>;
