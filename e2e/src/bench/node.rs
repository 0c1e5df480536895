//! The node under test.

use crate::process::{Anvil, AnvilOptions, Sequencer, SequencerOptions};
use crate::rpc::RpcClient;

use super::cli::{Opponent, TpsArgs};

/// Chain id of the nodes that are started; both have the same.
const CHAIN_ID: u64 = 901;

/// For work on this program itself: with the value `anvil` it stands in for the
/// Cairn node, and the report says so.
const STAND_IN: &str = "CAIRN_BENCH_STAND_IN";

/// Which of the two sides of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs(Opponent),
}

/// A node that is ready for a load.
#[derive(Debug)]
pub(super) enum BenchNode {
    Cairn(Box<Sequencer>),
    Anvil(Box<Anvil>),
    Remote { rpc: RpcClient, pid: Option<u32> },
}

impl BenchNode {
    /// The node at `--rpc`, or a fresh one of the given side.
    pub(super) async fn start(side: Side, args: &TpsArgs) -> eyre::Result<Self> {
        if let Some(url) = &args.rpc {
            return Ok(Self::Remote { rpc: RpcClient::new(url)?, pid: args.pid });
        }
        let stand_in = std::env::var(STAND_IN).is_ok_and(|node| node == "anvil");
        match side {
            Side::Ours if !stand_in => {
                let options = sequencer_options(args);
                Ok(Self::Cairn(Box::new(Sequencer::start(options).await?)))
            }
            Side::Ours | Side::Theirs(Opponent::Anvil) => {
                let options = anvil_options(args);
                Ok(Self::Anvil(Box::new(Anvil::start(&options).await?)))
            }
        }
    }

    pub(super) fn rpc(&self) -> &RpcClient {
        match self {
            Self::Cairn(node) => node.rpc(),
            Self::Anvil(node) => node.rpc(),
            Self::Remote { rpc, .. } => rpc,
        }
    }

    /// Process id, where it is known and on this machine.
    pub(super) fn pid(&mut self) -> Option<u32> {
        match self {
            Self::Cairn(node) => Some(node.child().pid()),
            Self::Anvil(node) => Some(node.child().pid()),
            Self::Remote { pid, .. } => *pid,
        }
    }

    /// The name the report gives it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Cairn(_) => "cairn".to_owned(),
            Self::Anvil(_) => "anvil".to_owned(),
            Self::Remote { rpc, .. } => rpc.endpoint().to_string(),
        }
    }

    /// The end of the log of a node started here, for errors.
    pub(super) fn log_tail(&mut self) -> Option<String> {
        match self {
            Self::Cairn(node) => Some(node.child().log_tail()),
            Self::Anvil(node) => Some(node.child().log_tail()),
            Self::Remote { .. } => None,
        }
    }
}

/// Account 0 funds and deploys, the following send.
const fn prefunded(args: &TpsArgs) -> usize {
    args.senders() as usize + 1
}

fn sequencer_options(args: &TpsArgs) -> SequencerOptions {
    SequencerOptions {
        block_time: Some(args.block_time()),
        gas_limit: Some(args.gas_limit),
        accounts: Some(prefunded(args)),
        chain_id: Some(CHAIN_ID),
        ..SequencerOptions::default()
    }
}

/// Everything here that differs from ours is to anvil's advantage; the help of
/// the command lists it.
fn anvil_options(args: &TpsArgs) -> AnvilOptions {
    let fast = ["--quiet", "--order", "fifo", "--prune-history", "--no-request-size-limit"];
    let mut extra_args: Vec<String> = fast.map(str::to_owned).to_vec();
    extra_args.push("--no-cors".to_owned());
    AnvilOptions {
        block_time: Some(args.block_time()),
        gas_limit: Some(args.gas_limit),
        hardfork: Some("prague".to_owned()),
        accounts: Some(prefunded(args)),
        chain_id: Some(CHAIN_ID),
        extra_args,
    }
}
