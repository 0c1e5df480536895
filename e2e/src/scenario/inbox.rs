//! What carried which batch.

use alloy::consensus::Transaction;
use alloy::eips::BlockNumberOrTag;
use alloy::providers::Provider;
use alloy_primitives::{Bytes, U256};
use eyre::{ContextCompat, bail, ensure};

use super::Chain;
use super::contracts::BatchInbox;

/// What carries a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Frames in calldata.
    Calldata,
    /// Frames in blobs of L1.
    Blobs,
    /// Frames in rows that the DA network keeps.
    Certificate,
}

/// A batch of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its index.
    pub index: u64,
    /// What carries it.
    pub carrier: Carrier,
}

/// The batches from `first` on.
pub(super) async fn batches(
    inbox: &BatchInbox::BatchInboxInstance<impl Provider>,
    first: u64,
) -> eyre::Result<Vec<Batch>> {
    let count: u64 = inbox.batchCount().call().await?.try_into()?;
    let mut batches = Vec::new();
    for index in first..count {
        let carrier = match inbox.carrierOf(U256::from(index)).call().await? {
            0 => Carrier::Calldata,
            1 => Carrier::Blobs,
            2 => Carrier::Certificate,
            other => bail!("batch {index} has carrier {other}"),
        };
        batches.push(Batch { index, carrier });
    }
    Ok(batches)
}

impl Chain {
    /// What the inbox took as frames in calldata, oldest first.
    ///
    /// # Errors
    /// When L1 does not answer.
    pub async fn inbox_calldata(&self) -> eyre::Result<Vec<Bytes>> {
        let (l1, inbox) = (self.l1_as(0)?, self.contract("BatchInbox")?);
        let mut taken = Vec::new();
        for number in 0..=l1.get_block_number().await? {
            let block = l1.get_block_by_number(BlockNumberOrTag::Number(number)).full().await?;
            let block = block.wrap_err_with(|| format!("L1 has no block {number}"))?;
            for transaction in block.transactions.into_transactions() {
                if transaction.to() != Some(inbox) {
                    continue;
                }
                let hash = *transaction.inner.tx_hash();
                let receipt = l1.get_transaction_receipt(hash).await?;
                let receipt = receipt.wrap_err_with(|| format!("{hash} has no receipt"))?;
                if receipt.status() && transaction.input().first() == Some(&0) {
                    taken.push(transaction.input().clone());
                }
            }
        }
        ensure!(!taken.is_empty(), "no batch in calldata");
        Ok(taken)
    }
}
