//! The shape of a blockchain test.

use std::collections::BTreeMap;

use alloy_genesis::{ChainConfig, Genesis};
use alloy_primitives::{Address, B256};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::CaseError;
use crate::json::{Hex, Number};
use crate::sections::{Accounts, ConfigSection, narrow};

/// One test: where a chain starts, its blocks, where it ends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockchainTest {
    pub(super) network: String,
    pub(super) genesis_block_header: HeaderSection,
    pub(super) pre: Accounts,
    pub(super) blocks: Vec<BlockSection>,
    #[serde(rename = "lastblockhash")]
    pub(super) last_block_hash: B256,
    pub(super) post_state: Option<Accounts>,
    pub(super) post_state_hash: Option<B256>,
    #[serde(default)]
    pub(super) config: ConfigSection,
}

/// The fields of the genesis header that a genesis file gives, and its hash.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeaderSection {
    pub(super) hash: B256,
    coinbase: Address,
    difficulty: Number,
    extra_data: Hex,
    gas_limit: Number,
    mix_hash: B256,
    nonce: Number,
    number: Number,
    parent_hash: B256,
    timestamp: Number,
    base_fee_per_gas: Option<Number>,
    excess_blob_gas: Option<Number>,
    blob_gas_used: Option<Number>,
}

/// A block to import.
#[derive(Debug, Deserialize)]
pub(super) struct BlockSection {
    pub(super) rlp: Hex,
    #[serde(rename = "blockHeader")]
    pub(super) header: Option<HashSection>,
    /// Holds `expectException`, or `expectException` and a network in older files.
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// The hash of a block.
#[derive(Debug, Deserialize)]
pub(super) struct HashSection {
    pub(super) hash: B256,
}

impl BlockSection {
    /// What must be wrong with the block, `None` for a valid one.
    pub(super) fn exception(&self) -> Option<String> {
        let expected = self.rest.iter().find(|(key, _)| key.starts_with("expectException"));
        expected.map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), Into::into))
    }
}

impl BlockchainTest {
    /// The genesis file of the chain.
    pub(super) fn genesis(&self, mut config: ChainConfig) -> Result<Genesis, CaseError> {
        self.config.apply(&mut config)?;
        let header = &self.genesis_block_header;
        let optional =
            |field, number: Option<Number>| number.map(|number| narrow(field, number)).transpose();
        let alloc = self.pre.iter().map(|(address, account)| Ok((*address, account.genesis()?)));
        Ok(Genesis {
            config,
            nonce: narrow("nonce", header.nonce)?,
            timestamp: narrow("timestamp", header.timestamp)?,
            extra_data: header.extra_data.0.clone(),
            gas_limit: narrow("gasLimit", header.gas_limit)?,
            difficulty: header.difficulty.0,
            mix_hash: header.mix_hash,
            coinbase: header.coinbase,
            alloc: alloc.collect::<Result<_, CaseError>>()?,
            base_fee_per_gas: optional("baseFeePerGas", header.base_fee_per_gas)?.map(Into::into),
            excess_blob_gas: optional("excessBlobGas", header.excess_blob_gas)?,
            blob_gas_used: optional("blobGasUsed", header.blob_gas_used)?,
            number: Some(narrow("number", header.number)?),
            parent_hash: Some(header.parent_hash),
            ..Genesis::default()
        })
    }
}
