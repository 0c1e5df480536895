//! What carried which batch.

use alloy::providers::Provider;
use alloy_primitives::U256;
use eyre::bail;

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
