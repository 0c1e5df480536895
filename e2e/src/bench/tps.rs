//! `cairn-bench tps`: how many transactions per second a chain includes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eyre::{WrapErr, bail};

use super::cli::TpsArgs;
use super::inclusion;
use super::lanes::{Cut, Transport, cut};
use super::latency::millis;
use super::load::{self, Submission};
use super::node::{BenchNode, Side};
use super::report::{Comparison, LoadReport, Rounds};
use super::signing::{recovery_cost, sign_load};
use super::usage::{ProcessUsage, own_cpu};
use super::verify::{Inclusion, Sent, verify};
use super::{setup, table};
use crate::progress::Stage;

/// Runs all rounds and prints the result.
pub(super) async fn run(args: &TpsArgs) -> eyre::Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        ours.push(fresh_round(Side::Ours, args).await?);
        if let Some(opponent) = args.vs {
            theirs.push(fresh_round(Side::Theirs(opponent), args).await?);
        }
    }
    let failed: u64 = ours.iter().chain(&theirs).map(LoadReport::failed).sum();
    let Some(ours) = Rounds::new(ours) else { bail!("no round was run") };
    let theirs = Rounds::new(theirs);
    let comparison = Comparison {
        bench: "tps",
        workload: args.workload,
        senders: args.senders(),
        batch: args.batch,
        connections: args.batch_connections(),
        rate: args.rate,
        cores: cores(),
        tps: ours.tps,
        ratio: theirs.as_ref().map(|theirs| ours.tps / theirs.tps),
        ours,
        theirs,
    };
    if args.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        print!("{}", table::load(&comparison));
    }
    if failed > 0 {
        bail!("{failed} transactions were refused, failed or are missing");
    }
    Ok(())
}

/// One round on a node of its own.
pub(super) async fn fresh_round(side: Side, args: &TpsArgs) -> eyre::Result<LoadReport> {
    let mut node = BenchNode::start(side, args).await?;
    let outcome = round(&mut node, args).await;
    outcome.map_err(|error| match node.log_tail() {
        Some(tail) => error.wrap_err(tail),
        None => error,
    })
}

async fn round(node: &mut BenchNode, args: &TpsArgs) -> eyre::Result<LoadReport> {
    let pid = node.pid();
    let name = node.name();
    let rpc = node.rpc();
    let stage = Stage::begin(format!("{name}: preparing {} transactions", args.txs));
    let prepared = setup::prepare(rpc, args.shape(), args.txs).await?;
    let signed = sign_load(&prepared.plan, &prepared.senders, args.txs, prepared.terms)?;
    let sent: Sent = signed.iter().map(|signed| (signed.hash, signed.trace)).collect();
    let how = Cut {
        transport: Transport::Http,
        senders: prepared.senders.len(),
        connections: args.batch_connections(),
        batch: args.batch as usize,
        method: "eth_sendRawTransaction",
    };
    let lanes = cut(&signed, rpc.endpoint(), how);
    let recovery = recovery_cost(&signed)?;
    drop(signed);
    let connections = load::connect(rpc.endpoint(), lanes.len()).await?;
    drop(stage);

    let stage = Stage::begin(format!("{name}: measuring"));
    let after = inclusion::next_block(rpc).await?;
    let target = AtomicU64::new(args.txs);
    let stall = Duration::from_secs(args.stall_secs);
    let clock = Clock::start(pid)?;
    let submitting = async {
        let submission = load::submit(connections, lanes, args.rate).await?;
        target.fetch_sub(submission.refusals.total(), Ordering::Relaxed);
        Ok(submission)
    };
    let watching = inclusion::watch(rpc, after, prepared.system, &target, stall);
    let (submission, blocks) = tokio::try_join!(submitting, watching)?;
    let used = clock.stop(pid)?;
    drop(stage);

    let _stage = Stage::begin(format!("{name}: reading receipts"));
    let inclusion = verify(rpc, &blocks, &sent).await?;
    let mut report = report(name, args.txs, &submission, &inclusion, &used)?;
    report.recovery_us = recovery.as_secs_f64() * 1e6;
    report.recovery_limit_tps = cores() as f64 / recovery.as_secs_f64();
    Ok(report)
}

fn report(
    node: String,
    txs: u64,
    submission: &Submission,
    inclusion: &Inclusion,
    used: &Used,
) -> eyre::Result<LoadReport> {
    let Some(finished) = inclusion.finished else {
        bail!("nothing was included; refusals: {:?}", submission.refusals.by_reason());
    };
    let seconds = finished.duration_since(used.started).as_secs_f64();
    let success = inclusion.included - inclusion.reverted;
    let rejected = submission.refusals.total();
    let per_tx = |time: Duration| time.as_secs_f64() * 1e6 / txs as f64;
    let submit_seconds = submission.duration.as_secs_f64();
    Ok(LoadReport {
        node,
        txs,
        included: success,
        rejected,
        reverted: inclusion.reverted,
        missing: txs.saturating_sub(inclusion.included + rejected),
        rejected_by_reason: submission.refusals.by_reason().clone(),
        seconds,
        tps: success as f64 / seconds,
        steady_tps: inclusion.steady_tps,
        submit_seconds,
        submit_tps: txs as f64 / submit_seconds,
        blocks: inclusion.blocks,
        gas_used: inclusion.gas_used,
        mgas_per_second: inclusion.gas_used as f64 / seconds / 1e6,
        generator_cpu_seconds: used.generator.as_secs_f64(),
        generator_cpu_us_per_tx: per_tx(used.generator),
        generator_share: used.generator_share(),
        recovery_us: 0.0,
        recovery_limit_tps: 0.0,
        node_cpu_us_per_tx: used.node_cpu.map(per_tx),
        node_cpu_seconds: used.node_cpu.map(|time| millis(time) / 1e3),
        node_peak_rss_mib: used.node_peak_rss.map(|bytes| bytes as f64 / f64::from(1 << 20)),
    })
}

/// Cores of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Time and processor time from one moment on.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    own: Duration,
    node: Option<ProcessUsage>,
}

/// What was used while a [`Clock`] ran.
#[derive(Debug)]
pub(super) struct Used {
    started: Instant,
    span: Duration,
    generator: Duration,
    pub(super) node_cpu: Option<Duration>,
    node_peak_rss: Option<u64>,
}

impl Clock {
    pub(super) fn start(pid: Option<u32>) -> eyre::Result<Self> {
        let node = pid.map(ProcessUsage::of).transpose().wrap_err("the node's usage")?;
        Ok(Self { own: own_cpu()?, node, started: Instant::now() })
    }

    pub(super) fn stop(self, pid: Option<u32>) -> eyre::Result<Used> {
        let span = self.started.elapsed();
        let generator = own_cpu()?.saturating_sub(self.own);
        let node = pid.map(ProcessUsage::of).transpose().wrap_err("the node's usage")?;
        let node_cpu = node.zip(self.node).map(|(now, then)| now.cpu.saturating_sub(then.cpu));
        let node_peak_rss = node.map(|usage| usage.memory.peak_rss);
        Ok(Used { started: self.started, span, generator, node_cpu, node_peak_rss })
    }
}

impl Used {
    /// Share of all cores that this program used, 0 to 1.
    pub(super) fn generator_share(&self) -> f64 {
        self.generator.as_secs_f64() / (self.span.as_secs_f64() * cores() as f64)
    }
}
