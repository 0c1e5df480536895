//! The shape of a state test.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use cairn_primitives::Header;
use serde::Deserialize;

use crate::Fork;
use crate::failure::CaseError;
use crate::json::{Hex, Number};
use crate::sections::{Accounts, ConfigSection, narrow};

/// One test: a state, a block environment, transactions and what comes of them at each fork.
#[derive(Debug, Deserialize)]
pub(crate) struct StateTest {
    pub(super) env: EnvSection,
    pub(super) pre: Accounts,
    pub(super) transaction: TransactionSection,
    pub(super) post: BTreeMap<String, Vec<PostSection>>,
    #[serde(default)]
    pub(super) config: ConfigSection,
}

/// The block that the transaction runs in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvSection {
    current_coinbase: Address,
    current_gas_limit: Number,
    current_number: Number,
    current_timestamp: Number,
    current_difficulty: Option<Number>,
    current_random: Option<Number>,
    current_base_fee: Option<Number>,
    current_excess_blob_gas: Option<Number>,
    parent_excess_blob_gas: Option<Number>,
    parent_blob_gas_used: Option<Number>,
}

/// Of the transaction only the sender is read: `txbytes` says the rest.
#[derive(Debug, Deserialize)]
pub(super) struct TransactionSection {
    pub(super) sender: Option<Address>,
}

/// One case: a transaction and the state after it.
#[derive(Debug, Deserialize)]
pub(super) struct PostSection {
    pub(super) hash: B256,
    pub(super) logs: B256,
    pub(super) txbytes: Hex,
    #[serde(rename = "expectException")]
    pub(super) expect_exception: Option<String>,
}

impl EnvSection {
    /// The header of the block. Difficulty is that of the fork, whatever the file says.
    pub(super) fn header(&self, fork: Fork) -> Result<Header, CaseError> {
        let difficulty = self.current_difficulty.unwrap_or_default();
        // Files from before the merge give the randomness in the field of the difficulty.
        let random = self.current_random.unwrap_or(difficulty);
        let base_fee = match self.current_base_fee {
            Some(fee) => Some(narrow("currentBaseFee", fee)?),
            None if fork >= Fork::London => Some(DEFAULT_BASE_FEE),
            None => None,
        };
        Ok(Header {
            beneficiary: self.current_coinbase,
            number: narrow("currentNumber", self.current_number)?,
            timestamp: narrow("currentTimestamp", self.current_timestamp)?,
            gas_limit: narrow("currentGasLimit", self.current_gas_limit)?,
            base_fee_per_gas: base_fee,
            difficulty: if fork.is_post_merge() { Default::default() } else { difficulty.0 },
            mix_hash: random.to_word(),
            excess_blob_gas: self.excess_blob_gas(fork)?,
            ..Header::default()
        })
    }

    fn excess_blob_gas(&self, fork: Fork) -> Result<Option<u64>, CaseError> {
        let Some((_, blobs)) = fork.blobs() else { return Ok(None) };
        if let Some(excess) = self.current_excess_blob_gas {
            return narrow("currentExcessBlobGas", excess).map(Some);
        }
        let excess =
            narrow("parentExcessBlobGas", self.parent_excess_blob_gas.unwrap_or_default())?;
        let used = narrow("parentBlobGasUsed", self.parent_blob_gas_used.unwrap_or_default())?;
        let base_fee = narrow("currentBaseFee", self.current_base_fee.unwrap_or_default())?;
        Ok(Some(blobs.next_block_excess_blob_gas_osaka(excess, used, base_fee)))
    }
}

/// Base fee of files that do not name one, as the reference runner has it.
const DEFAULT_BASE_FEE: u64 = 10;
