//! `cairn-bench chain`: a steady load on a whole devnet, and what it does to all of its parts.
//!
//! The load goes to the sequencer of a running devnet. Meanwhile its parts are looked at every
//! second from outside: heads of sequencer and verifier, the pool, memory and processor time of each
//! process. Afterwards the bench waits until every block of the load is safe.

mod report;
mod sample;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use clap::Args;
use eyre::bail;
use tokio::sync::watch;

pub use self::report::{ChainReport, ProcessFigures};
use self::sample::{Sample, Sampler};
use super::lanes::{Cut, Transport, cut};
use super::load::{self, Submission};
use super::signing::sign_load;
use super::verify::{Inclusion, Sent, verify};
use super::workload::{Shape, Workload};
use super::{inclusion, setup};
use crate::devnet::Manifest;
use crate::progress::Stage;
use crate::rpc::RpcClient;

/// Connections of the load and calls in each request.
const CONNECTIONS: usize = 8;
const BATCH: usize = 50;
/// A sequencer that includes nothing new for this long has failed.
const STALL: Duration = Duration::from_secs(30);
/// How long the safe head may stand still while the last block becomes safe.
const SAFE_LIMIT: Duration = Duration::from_secs(300);
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Options of `cairn-bench chain`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_CHAIN)]
pub struct ChainArgs {
    /// Data directory of a running devnet.
    #[arg(long, default_value = ".devnet")]
    pub devnet: PathBuf,
    /// What the transactions do.
    #[arg(long, value_enum, default_value_t = Workload::Transfer)]
    pub workload: Workload,
    /// Transactions offered per second.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// Seconds of load.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub seconds: u32,
    /// Accounts that send.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub senders: u32,
    /// Accounts that receive.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub recipients: u32,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

const AFTER_CHAIN: &str = "\
A block's way to safety counts from its timestamp to the moment when it was seen as safe on the node: it includes the
block time, the channel's waiting, dispersal and certificate, L1's block time, and derivation. Memory of
a process is compared between the second and the last tenth of the load.";

impl ChainArgs {
    const fn shape(&self) -> Shape {
        Shape { workload: self.workload, senders: self.senders, recipients: self.recipients }
    }

    fn txs(&self) -> u64 {
        u64::from(self.rate) * u64::from(self.seconds)
    }
}

/// What the load came to.
struct Outcome {
    submission: Submission,
    inclusion: Inclusion,
    samples: Vec<Sample>,
    /// From the end of the load until its last block was safe on every node.
    drained: Duration,
}

/// Runs the load and prints its result.
pub(super) async fn run(args: &ChainArgs) -> eyre::Result<()> {
    let manifest = Manifest::read(&args.devnet.join("devnet.json"))?;
    let outcome = measure(args, &manifest).await?;
    let failed = args.txs().saturating_sub(outcome.inclusion.included) + outcome.inclusion.reverted;
    let report = ChainReport::new(args, &outcome, sample::parts(&manifest).await?)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    if failed > 0 {
        bail!("{failed} transactions were refused, failed or are missing");
    }
    Ok(())
}

async fn measure(args: &ChainArgs, manifest: &Manifest) -> eyre::Result<Outcome> {
    let rpc = RpcClient::new(&manifest.l2.rpc)?;
    let stage = Stage::begin(format!("preparing {} transactions", args.txs()));
    let prepared = setup::prepare(&rpc, args.shape(), args.txs()).await?;
    let signed = sign_load(&prepared.plan, &prepared.senders, args.txs(), prepared.terms)?;
    let sent: Sent = signed.iter().map(|signed| (signed.hash, signed.trace)).collect();
    let how = Cut {
        transport: Transport::Http,
        senders: prepared.senders.len(),
        connections: CONNECTIONS.min(prepared.senders.len()),
        batch: BATCH,
        method: "eth_sendRawTransaction",
    };
    let lanes = cut(&signed, rpc.endpoint(), how);
    drop(signed);
    let connections = load::connect(rpc.endpoint(), lanes.len()).await?;
    drop(stage);

    let stage = Stage::begin(format!("{} per second for {} s", args.rate, args.seconds));
    let (stop, stopped) = watch::channel(false);
    let sampler = tokio::spawn(Sampler::new(manifest)?.run(SAMPLE_EVERY, stopped));
    let after = inclusion::next_block(&rpc).await?;
    let target = AtomicU64::new(args.txs());
    let submitting = load::submit(connections, lanes, Some(f64::from(args.rate)));
    let watching = inclusion::watch(&rpc, after, prepared.system, &target, STALL);
    let (submission, blocks) = tokio::try_join!(submitting, watching)?;
    stop.send_replace(true);
    let samples = sampler.await??;
    drop(stage);

    let ended = Instant::now();
    let stage = Stage::begin("waiting until all of it is safe".to_owned());
    let last = blocks.last().map_or(after, |block| block.number);
    Sampler::new(manifest)?.until_safe(last, SAFE_LIMIT).await?;
    let drained = ended.elapsed();
    drop(stage);

    let _stage = Stage::begin("reading receipts".to_owned());
    let inclusion = verify(&rpc, &blocks, &sent).await?;
    Ok(Outcome { submission, inclusion, samples, drained })
}
