//! The parts of a devnet, looked at from outside.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::U64;
use eyre::{WrapErr, bail};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use crate::bench::usage::ProcessUsage;
use crate::devnet::{Manifest, http_client};
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
struct SyncStatus {
    unsafe_l2: Head,
    safe_l2: Head,
}

#[derive(Deserialize)]
struct Head {
    number: u64,
    timestamp: u64,
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
            let age = |head: &Head| now().saturating_sub(Duration::from_secs(head.timestamp));
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
    pub(super) async fn until_safe(&self, number: u64, limit: Duration) -> eyre::Result<()> {
        let deadline = Instant::now() + limit;
        for (name, rpc) in &self.nodes {
            loop {
                let safe = sync_status(rpc).await?.safe_l2.number;
                if safe >= number {
                    break;
                }
                if Instant::now() > deadline {
                    bail!("the {name} is at safe block {safe}, and not at {number}");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
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
pub(super) async fn metrics(manifest: &Manifest) -> eyre::Result<BTreeMap<String, f64>> {
    let Some(url) = manifest.metrics.get("sequencer") else { bail!("no metrics of the sequencer") };
    let text = http_client()?.get(url).send().await?.error_for_status()?.text().await?;
    Ok(parse(&text))
}

fn parse(text: &str) -> BTreeMap<String, f64> {
    let value = |name: String| {
        let line = text.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(' '))?;
        line.trim().parse::<f64>().ok()
    };
    let mean = |part: &str| {
        let (sum, count) = (value(format!("{part}_sum"))?, value(format!("{part}_count"))?);
        (count > 0.0).then(|| (part.to_owned(), sum / count))
    };
    PARTS.into_iter().filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_come_from_sums_and_counts() {
        let text = "# TYPE cairn_batcher_dispersal_seconds summary\n\
            cairn_batcher_dispersal_seconds{quantile=\"0.5\"} 9\n\
            cairn_batcher_dispersal_seconds_sum 3\ncairn_batcher_dispersal_seconds_count 2\n\
            cairn_batcher_channel_seconds_sum 0\ncairn_batcher_channel_seconds_count 0\n";
        let means = parse(text);
        assert_eq!(means.len(), 1);
        assert!((means["cairn_batcher_dispersal_seconds"] - 1.5).abs() < 1e-9);
    }
}
