//! `cairn-bench tps --sync`: how soon a transaction has its receipt.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use eyre::{bail, eyre};

use super::cli::TpsArgs;
use super::lanes::{Cut, Lane, Transport, cut};
use super::latency::Percentiles;
use super::load::{self, Sample, Submission};
use super::node::{BenchNode, Side};
use super::pipeline::{self, Pipe};
use super::report::{SyncComparison, SyncReport};
use super::signing::sign_load;
use super::tps::{Clock, fresh_round};
use super::verify::{Sent, verify};
use super::{inclusion, setup, table};
use crate::progress::Stage;
use crate::rpc::{Endpoint, HttpConnection};

/// Without `--rate`, this much of what the node sustains.
const SHARE_OF_SUSTAINED: f64 = 0.5;

/// Runs both sides and prints the result.
pub(super) async fn run(args: &TpsArgs) -> eyre::Result<()> {
    let ours = side(Side::Ours, args).await?;
    let theirs = match args.vs {
        Some(opponent) => Some(side(Side::Theirs(opponent), args).await?),
        None => None,
    };
    let failed: u64 = [Some(&ours), theirs.as_ref()]
        .into_iter()
        .flatten()
        .map(|report| report.rejected + report.missing)
        .sum();
    let comparison = SyncComparison {
        bench: "sync",
        workload: args.workload,
        senders: args.senders(),
        connections: args.sync_connections(),
        transport: args.transport,
        ratio: theirs.as_ref().map(|theirs| ours.latency.p50_ms / theirs.latency.p50_ms),
        ours,
        theirs,
    };
    if args.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        print!("{}", table::sync(&comparison));
    }
    if failed > 0 {
        bail!("{failed} transactions got no receipt of success or are missing");
    }
    Ok(())
}

/// Connections of either kind, opened before the clock starts.
enum Open {
    Http(Vec<HttpConnection>),
    Ws(Vec<Pipe>),
}

impl Open {
    async fn new(transport: Transport, endpoint: &Endpoint, count: usize) -> eyre::Result<Self> {
        Ok(match transport {
            Transport::Http => Self::Http(load::connect(endpoint, count).await?),
            Transport::Ws => Self::Ws(pipeline::open(endpoint, count).await?),
        })
    }

    async fn submit(self, lanes: Vec<Lane>, rate: f64) -> eyre::Result<(Submission, Vec<Sample>)> {
        match self {
            Self::Http(connections) => load::submit_timed(connections, lanes, rate).await,
            Self::Ws(pipes) => pipeline::submit(pipes, lanes, rate).await,
        }
    }
}

async fn side(side: Side, args: &TpsArgs) -> eyre::Result<SyncReport> {
    let rate = match args.rate {
        Some(rate) => rate,
        None => fresh_round(side, args).await?.tps * SHARE_OF_SUSTAINED,
    };
    let mut node = BenchNode::start(side, args).await?;
    let outcome = round(&mut node, args, rate).await;
    outcome.map_err(|error| match node.log_tail() {
        Some(tail) => error.wrap_err(tail),
        None => error,
    })
}

async fn round(node: &mut BenchNode, args: &TpsArgs, rate: f64) -> eyre::Result<SyncReport> {
    let pid = node.pid();
    let name = node.name();
    let rpc = node.rpc();
    let stage = Stage::begin(format!("{name}: preparing {} transactions", args.txs));
    let prepared = setup::prepare(rpc, args.shape(), args.txs).await?;
    let signed = sign_load(&prepared.plan, &prepared.senders, args.txs, prepared.terms)?;
    let sent: Sent = signed.iter().map(|signed| (signed.hash, signed.trace)).collect();
    let how = Cut {
        transport: args.transport,
        senders: prepared.senders.len(),
        connections: args.sync_connections(),
        batch: 1,
        method: "eth_sendRawTransactionSync",
    };
    let lanes = cut(&signed, rpc.endpoint(), how);
    drop(signed);
    let open = Open::new(args.transport, rpc.endpoint(), lanes.len()).await?;
    drop(stage);

    let _stage = Stage::begin(format!("{name}: measuring at {rate:.0} per second"));
    let after = rpc.block_number().await?;
    let target = AtomicU64::new(args.txs);
    let stall = Duration::from_secs(args.stall_secs);
    let clock = Clock::start(pid)?;
    let submitting = async {
        let (submission, samples) = open.submit(lanes, rate).await?;
        let refused = submission.refusals.total();
        target.fetch_sub(refused, std::sync::atomic::Ordering::Relaxed);
        Ok((submission, samples))
    };
    let watching = inclusion::watch(rpc, after, prepared.system, &target, stall);
    let ((submission, samples), blocks) = tokio::try_join!(submitting, watching)?;
    let used = clock.stop(pid)?;
    let inclusion = verify(rpc, &blocks, &sent).await?;

    let mut latencies: Vec<Duration> = samples.iter().map(|sample| sample.latency).collect();
    let mut lags: Vec<Duration> = samples.iter().map(|sample| sample.lag).collect();
    let figures = |times: &mut [Duration]| Percentiles::of(times).ok_or_else(|| eyre!("no sample"));
    let rejected = submission.refusals.total();
    Ok(SyncReport {
        node: name,
        rate,
        txs: args.txs,
        rejected,
        rejected_by_reason: submission.refusals.by_reason().clone(),
        missing: args.txs.saturating_sub(inclusion.included + rejected),
        latency: figures(&mut latencies)?,
        send_lag: figures(&mut lags)?,
        generator_share: used.generator_share(),
        node_cpu_us_per_tx: used.node_cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / args.txs as f64),
    })
}
