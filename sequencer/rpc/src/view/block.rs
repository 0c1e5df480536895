//! Headers and blocks.

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U64, U256};
use alloy_rlp::Encodable;
use cairn_primitives::{Header, TxEnvelope};
use serde::Serialize;

use super::{TransactionView, index, quantity};

/// A header as `eth_getHeaderByNumber` and `newHeads` give it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderView<'a> {
    number: U64,
    hash: Option<B256>,
    parent_hash: B256,
    nonce: Option<B64>,
    mix_hash: B256,
    sha3_uncles: B256,
    logs_bloom: Bloom,
    state_root: B256,
    miner: Option<Address>,
    difficulty: U256,
    extra_data: &'a Bytes,
    gas_limit: U64,
    gas_used: U64,
    timestamp: U64,
    transactions_root: B256,
    receipts_root: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_fee_per_gas: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals_root: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_used: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excess_blob_gas: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_beacon_block_root: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_hash: Option<B256>,
}

/// A block as `eth_getBlockByNumber` gives it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockView<'a> {
    /// The header.
    #[serde(flatten)]
    pub header: HeaderView<'a>,
    /// Bytes of the RLP encoding.
    pub size: U64,
    /// Transactions; an uncle has no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Transactions<'a>>,
    /// Hashes of uncles.
    pub uncles: Vec<B256>,
    /// Withdrawals, from Shanghai on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawals: Option<&'a [Withdrawal]>,
}

/// The transactions of a block, in either form.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Transactions<'a> {
    /// Hashes alone.
    Hashes(Vec<B256>),
    /// Whole transactions.
    Full(Vec<TransactionView<'a>>),
}

impl<'a> HeaderView<'a> {
    /// A sealed header.
    pub fn sealed(header: &'a Header, hash: B256) -> Self {
        Self {
            hash: Some(hash),
            nonce: Some(header.nonce),
            miner: Some(header.beneficiary),
            ..Self::pending(header)
        }
    }

    /// The header of an open block: hash, nonce and miner are null.
    pub fn pending(header: &'a Header) -> Self {
        Self {
            number: quantity(header.number),
            hash: None,
            parent_hash: header.parent_hash,
            nonce: None,
            mix_hash: header.mix_hash,
            sha3_uncles: header.ommers_hash,
            logs_bloom: header.logs_bloom,
            state_root: header.state_root,
            miner: None,
            difficulty: header.difficulty,
            extra_data: &header.extra_data,
            gas_limit: quantity(header.gas_limit),
            gas_used: quantity(header.gas_used),
            timestamp: quantity(header.timestamp),
            transactions_root: header.transactions_root,
            receipts_root: header.receipts_root,
            base_fee_per_gas: header.base_fee_per_gas.map(quantity),
            withdrawals_root: header.withdrawals_root,
            blob_gas_used: header.blob_gas_used.map(quantity),
            excess_blob_gas: header.excess_blob_gas.map(quantity),
            parent_beacon_block_root: header.parent_beacon_block_root,
            requests_hash: header.requests_hash,
        }
    }
}

/// Bytes of a block's RLP encoding, without encoding it.
pub fn block_size<'a>(
    header: &Header,
    transactions: impl Iterator<Item = &'a TxEnvelope>,
    ommers: &[Header],
    withdrawals: Option<&[Withdrawal]>,
) -> U64 {
    let list = |payload_length: usize| {
        alloy_rlp::Header { list: true, payload_length }.length_with_payload()
    };
    let ommers: usize = ommers.iter().map(Encodable::length).sum();
    let withdrawals =
        withdrawals.map_or(0, |withdrawals| list(withdrawals.iter().map(Encodable::length).sum()));
    let transactions: usize = transactions.map(Encodable::length).sum();
    index(list(header.length() + list(transactions) + list(ommers) + withdrawals))
}

#[cfg(test)]
mod tests {
    use cairn_primitives::{Block, BlockBody};

    use super::*;

    #[test]
    fn the_size_is_that_of_the_encoding() {
        let mut block = Block::new(Header::default(), BlockBody::default());
        let size = |block: &Block| {
            let body = &block.body;
            let withdrawals = body.withdrawals.as_deref().map(Vec::as_slice);
            block_size(&block.header, body.transactions.iter(), &body.ommers, withdrawals)
        };
        assert_eq!(size(&block), index(alloy_rlp::encode(&block).len()));
        block.body.ommers.push(Header::default());
        block.body.withdrawals = Some(vec![Withdrawal::default(); 3].into());
        block.header.withdrawals_root = Some(B256::ZERO);
        assert_eq!(size(&block), index(alloy_rlp::encode(&block).len()));
    }

    #[test]
    fn an_open_block_hides_what_sealing_gives() {
        let json = serde_json::to_value(HeaderView::pending(&Header::default())).unwrap();
        for field in ["hash", "nonce", "miner"] {
            assert!(json[field].is_null(), "{field}");
        }
        assert_eq!(json["number"], "0x0");
        assert!(json.get("baseFeePerGas").is_none());
    }
}
