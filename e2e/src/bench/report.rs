//! What a run prints: a table for people or one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;

use super::lanes::Transport;
use super::latency::{Percentiles, median};
use super::workload::Workload;

/// One round of one node.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Which node.
    pub node: String,
    /// Transactions of the load.
    pub txs: u64,
    /// Those with a receipt of success.
    pub included: u64,
    /// Refused over RPC.
    pub rejected: u64,
    /// Included but failed.
    pub reverted: u64,
    /// Neither refused nor included.
    pub missing: u64,
    /// Reasons of the refusals.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// From the first byte sent to the sight of the block that completes the load.
    pub seconds: f64,
    /// `included / seconds`: the figure that counts.
    pub tps: f64,
    /// Without the partly filled first and last block; absent below three blocks.
    pub steady_tps: Option<f64>,
    /// How long sending took.
    pub submit_seconds: f64,
    /// `txs / submit_seconds`.
    pub submit_tps: f64,
    /// Blocks that hold the load.
    pub blocks: u64,
    /// Gas the load used.
    pub gas_used: u64,
    /// Million gas per second.
    pub mgas_per_second: f64,
    /// Processor time of this program while the clock ran.
    pub generator_cpu_seconds: f64,
    /// The same per transaction, in microseconds.
    pub generator_cpu_us_per_tx: f64,
    /// Its share of what all cores had to give in that time, 0 to 1.
    pub generator_share: f64,
    /// Time of one core to recover one sender, measured before this round, in
    /// microseconds.
    pub recovery_us: f64,
    /// Transactions per second if all cores did nothing but that.
    pub recovery_limit_tps: f64,
    /// Processor time of the node per transaction, in microseconds; absent where
    /// the process is not known.
    pub node_cpu_us_per_tx: Option<f64>,
    /// Processor time of the node.
    pub node_cpu_seconds: Option<f64>,
    /// Largest resident set of the node, in MiB.
    pub node_peak_rss_mib: Option<f64>,
}

impl LoadReport {
    /// Transactions that are not in the chain with success.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.rejected + self.reverted + self.missing
    }
}

/// The rounds of one node.
#[derive(Clone, Debug, Serialize)]
pub struct Rounds {
    /// Median of the rounds.
    pub tps: f64,
    /// Every round in order.
    pub rounds: Vec<LoadReport>,
}

impl Rounds {
    /// `None` without rounds.
    #[must_use]
    pub fn new(rounds: Vec<LoadReport>) -> Option<Self> {
        let tps: Vec<f64> = rounds.iter().map(|round| round.tps).collect();
        median(&tps).map(|tps| Self { tps, rounds })
    }
}

/// Everything `cairn-bench tps` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Always `tps`.
    pub bench: &'static str,
    /// The load.
    pub workload: Workload,
    /// Accounts that send.
    pub senders: u32,
    /// Calls per request.
    pub batch: u32,
    /// Connections.
    pub connections: usize,
    /// Offered rate, if it was limited.
    pub rate: Option<f64>,
    /// Cores of the machine.
    pub cores: usize,
    /// Our median.
    pub tps: f64,
    /// Our rounds.
    pub ours: Rounds,
    /// The other node's rounds; only in a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Rounds>,
    /// Median of ours divided by median of theirs; only in a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// One round of `cairn-bench tps --sync`.
#[derive(Clone, Debug, Serialize)]
pub struct SyncReport {
    /// Which node.
    pub node: String,
    /// Transactions due per second.
    pub rate: f64,
    /// Transactions sent.
    pub txs: u64,
    /// Answered without a receipt of success.
    pub rejected: u64,
    /// Reasons of those answers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// Answered with success and yet not in a block afterwards.
    pub missing: u64,
    /// From the due time to the receipt.
    pub latency: Percentiles,
    /// From the due time to the sending: what connections that still waited for
    /// an answer, and this program, added. Part of `latency`.
    pub send_lag: Percentiles,
    /// Share of all cores this program used, 0 to 1.
    pub generator_share: f64,
    /// Processor time of the node per transaction, in microseconds.
    pub node_cpu_us_per_tx: Option<f64>,
}

/// Everything `cairn-bench tps --sync` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct SyncComparison {
    /// Always `sync`.
    pub bench: &'static str,
    /// The load.
    pub workload: Workload,
    /// Accounts that send.
    pub senders: u32,
    /// Connections.
    pub connections: usize,
    /// Their kind.
    pub transport: Transport,
    /// Our round.
    pub ours: SyncReport,
    /// The other node's round; only in a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theirs: Option<SyncReport>,
    /// Our p50 divided by theirs (less is better); only in a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::Value;

    pub(in crate::bench) fn load_report(node: &str, tps: f64) -> LoadReport {
        LoadReport {
            node: node.to_owned(),
            txs: 10,
            included: 10,
            rejected: 0,
            reverted: 0,
            missing: 0,
            rejected_by_reason: BTreeMap::new(),
            seconds: 1.0,
            tps,
            steady_tps: None,
            submit_seconds: 0.5,
            submit_tps: 20.0,
            blocks: 2,
            gas_used: 210_000,
            mgas_per_second: 0.21,
            generator_cpu_seconds: 0.1,
            generator_cpu_us_per_tx: 10_000.0,
            generator_share: 0.05,
            recovery_us: 40.0,
            recovery_limit_tps: 50_000.0,
            node_cpu_us_per_tx: Some(50.0),
            node_cpu_seconds: Some(0.5),
            node_peak_rss_mib: Some(100.0),
        }
    }

    pub(in crate::bench) fn comparison(theirs: Option<Rounds>, ratio: Option<f64>) -> Comparison {
        let ours = [10.0, 30.0, 20.0].map(|tps| load_report("cairn", tps)).to_vec();
        let ours = Rounds::new(ours).expect("rounds");
        Comparison {
            bench: "tps",
            workload: Workload::Transfer,
            senders: 1,
            batch: 100,
            connections: 8,
            rate: None,
            cores: 2,
            tps: ours.tps,
            ours,
            theirs,
            ratio,
        }
    }

    #[test]
    fn the_median_round_counts() {
        assert_eq!(comparison(None, None).tps, 20.0);
        assert!(Rounds::new(Vec::new()).is_none());
    }

    #[test]
    fn a_ratio_is_in_the_json_of_a_comparison_only() {
        let alone = serde_json::to_value(comparison(None, None)).expect("JSON");
        assert!(alone.get("ratio").is_none() && alone.get("theirs").is_none());
        assert_eq!(alone["workload"], Value::from("transfer"));
        let theirs = Rounds::new(vec![load_report("anvil", 5.0)]);
        let both = serde_json::to_value(comparison(theirs, Some(4.0))).expect("JSON");
        assert_eq!(both["ratio"], Value::from(4.0));
        assert_eq!(both["theirs"]["rounds"][0]["node"], Value::from("anvil"));
    }
}
