//! The parts of a devnet, looked at from outside.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::U64;
use cairn_rollup::{L2BlockRef, SyncStatus};
use eyre::WrapErr;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use crate::bench::usage::ProcessUsage;
use crate::devnet::{Manifest, Metrics, wait_for};
use crate::rpc::RpcClient;

/// The histograms of the sequencer that tell the parts of a block's way to L1.
const PARTS: [&str; 3] = [
    "cairn_batcher_channel_seconds",
    "cairn_batcher_dispersal_seconds",
    "cairn_batcher_inclusion_seconds",
];

/// One look.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Since the first look.
    pub(super) at: Duration,
    /// Transactions in the sequencer's pool, the open block's left out.
    pub(super) pooled: u64,
    /// By node: how long ago the block was made that is its safe head, and its unsafe head.
    pub(super) heads: BTreeMap<&'static str, HeadAges>,
    /// By part.
    pub(super) processes: BTreeMap<String, ProcessUsage>,
}

/// Ages of a node's heads by their timestamps.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadAges {
    pub(super) safe: Duration,
    pub(super) unsafe_head: Duration,
}

#[derive(Deserialize)]
struct PoolStatus {
    pending: U64,
    queued: U64,
}

/// Looks at a devnet.
#[derive(Debug)]
pub(super) struct Sampler {
    sequencer: RpcClient,
    nodes: Vec<(&'static str, RpcClient)>,
    pids: BTreeMap<String, u32>,
}

impl Sampler {
    pub(super) fn new(manifest: &Manifest) -> eyre::Result<Self> {
        let sequencer = RpcClient::new(&manifest.l2.rpc)?;
        let mut nodes = vec![("sequencer", RpcClient::new(&manifest.l2.rpc)?)];
        if let Some(verifier) = &manifest.verifier {
            nodes.push(("verifier", RpcClient::new(&verifier.rpc)?));
        }
        Ok(Self { sequencer, nodes, pids: manifest.pids.clone() })
    }

    /// Looks again and again until it is stopped.
    pub(super) async fn run(
        self,
        every: Duration,
        mut stopped: watch::Receiver<bool>,
    ) -> eyre::Result<Vec<Sample>> {
        let started = Instant::now();
        let mut timer = tokio::time::interval(every);
        let mut samples = Vec::new();
        loop {
            tokio::select! {
                _ = timer.tick() => samples.push(self.look(started).await?),
                _ = stopped.changed() => return Ok(samples),
            }
        }
    }

    async fn look(&self, started: Instant) -> eyre::Result<Sample> {
        let pool: PoolStatus = self.sequencer.call("txpool_status", json!([])).await?;
        let mut heads = BTreeMap::new();
        for (name, rpc) in &self.nodes {
            let status = sync_status(rpc).await?;
            let age = |head: &L2BlockRef| now().saturating_sub(Duration::from_secs(head.timestamp));
            let (safe, unsafe_head) = (age(&status.safe_l2), age(&status.unsafe_l2));
            heads.insert(*name, HeadAges { safe, unsafe_head });
        }
        let usage = |(name, pid): (&String, &u32)| {
            let usage = ProcessUsage::of(*pid).wrap_err_with(|| format!("{name} has ended"))?;
            Ok((name.clone(), usage))
        };
        let processes = self.pids.iter().map(usage).collect::<eyre::Result<_>>()?;
        let pooled = pool.pending.to::<u64>() + pool.queued.to::<u64>();
        Ok(Sample { at: started.elapsed(), pooled, heads, processes })
    }

    /// Waits until block `number` is safe on every node.
    pub(super) async fn until_safe(&self, number: u64, patience: Duration) -> eyre::Result<()> {
        for (_, rpc) in &self.nodes {
            wait_for(rpc, "safe", number, patience, |_| ()).await?;
        }
        Ok(())
    }
}

async fn sync_status(rpc: &RpcClient) -> eyre::Result<SyncStatus> {
    Ok(rpc.call("optimism_syncStatus", json!([])).await?)
}

/// Since the Unix epoch; a clock before it is zero, with which every age is.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

/// Mean seconds of the parts of a batch's way, from the sequencer's metrics.
pub(super) async fn parts(manifest: &Manifest) -> eyre::Result<BTreeMap<&'static str, f64>> {
    let metrics = Metrics::read(manifest, "sequencer").await?;
    let mut parts = BTreeMap::new();
    for part in PARTS {
        parts.extend(metrics.mean(part)?.map(|mean| (part, mean)));
    }
    Ok(parts)
}
