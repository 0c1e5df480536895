//! What a node does on L1, where it has the keys: batches, proposals, challenges.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use cairn_chain::Chain;
use cairn_driver::batcher::{BatcherSetup, BatcherTask};
use cairn_driver::outputs::{OutputsConfig, OutputsTask};
use cairn_driver::{Dispersal, DispersalConfig};
use cairn_l1::send::{Journal, SendPolicy, SenderConfig, TransactionSender};
use cairn_rollup::batcher::{BatcherConfig, CarrierChoice as Carriers};
use cairn_rollup::proposer;
use eyre::WrapErr;

use super::key::read_signer;
use super::{CarrierChoice, Rollup, RollupArgs};
use crate::config::l1_journal_dir;

/// L2 blocks between proposals.
const PROPOSAL_INTERVAL: u64 = 1800;
/// Time between looks at the games on L1.
const OUTPUTS_INTERVAL: Duration = Duration::from_secs(4);

/// The running tasks. Dropping them ends them; what is in doubt on L1 is in the journals.
#[derive(Debug, Default)]
pub(super) struct L1Duties {
    batcher: Option<BatcherTask>,
    outputs: Vec<OutputsTask>,
}

impl L1Duties {
    /// Starts whatever there are keys for. Every node compares the output roots on L1 with its own.
    pub(super) async fn start(
        rollup: &Rollup,
        datadir: &Path,
        chain: &Chain,
    ) -> eyre::Result<Self> {
        let args = &rollup.args;
        let mut duties = Self::default();
        if let Some(path) = &args.batcher.key_file {
            duties.batcher = Some(batcher(rollup, path, datadir, chain).await?);
        }
        let account = proposer::Duties::default();
        if let Some(path) = &args.proposer.key_file {
            let interval = args.proposer.interval.unwrap_or(PROPOSAL_INTERVAL);
            let what = proposer::Duties { propose: true, interval, ..account };
            let sender = sender(rollup, path, datadir, "proposer").await?;
            duties.outputs.push(outputs(rollup, chain, what, Some(sender)));
        }
        if let Some(path) = &args.challenger.key_file {
            let what = proposer::Duties { challenge: true, ..account };
            let sender = sender(rollup, path, datadir, "challenger").await?;
            duties.outputs.push(outputs(rollup, chain, what, Some(sender)));
        }
        if duties.outputs.is_empty() {
            duties.outputs.push(outputs(rollup, chain, account, None));
        }
        Ok(duties)
    }

    /// Which of them has ended of itself and why, if one has.
    pub(super) fn ended(&self) -> Option<String> {
        let batcher = self.batcher.as_ref().and_then(BatcherTask::ended);
        let outputs = || self.outputs.iter().find_map(OutputsTask::ended);
        batcher
            .map(|reason| format!("the batcher: {reason}"))
            .or_else(|| Some(format!("the watch of output roots: {}", outputs()?)))
    }
}

async fn batcher(
    rollup: &Rollup,
    key: &Path,
    datadir: &Path,
    chain: &Chain,
) -> eyre::Result<BatcherTask> {
    let args = &rollup.args.batcher;
    let payer = match &args.payer_key_file {
        Some(path) => signer(&rollup.args, path)?,
        None => signer(&rollup.args, key)?,
    };
    let choice = args.carrier.unwrap_or_default();
    let dispersal = match choice {
        CarrierChoice::Auto => {
            let config = DispersalConfig::default();
            Some(Arc::new(Dispersal::new(rollup.data.clone(), payer, config).await?))
        }
        CarrierChoice::Blobs | CarrierChoice::Calldata => None,
    };
    let mut config = BatcherConfig {
        carrier: match choice {
            CarrierChoice::Auto => Carriers::Auto,
            CarrierChoice::Blobs => Carriers::Blobs,
            CarrierChoice::Calldata => Carriers::Calldata,
        },
        ..BatcherConfig::default()
    };
    if let Some(seconds) = args.channel_seconds {
        config.channel.max_duration = Duration::from_secs(seconds);
    }
    if let Some(seconds) = args.da_cool_down {
        config.da_cool_down = Duration::from_secs(seconds);
    }
    if let Some(bytes) = args.channel_bytes {
        config.channel.target_size = bytes;
    }
    if let Some(blocks) = args.max_unsafe_blocks {
        config.max_unsafe_blocks = blocks;
    }
    if let Some(bytes) = args.throttled_block_bytes {
        config.throttled_block_bytes = bytes;
    }
    let sender = Arc::new(sender(rollup, key, datadir, "batcher").await?);
    let setup = BatcherSetup {
        config,
        chain: chain.clone(),
        rollup: rollup.config.clone(),
        handle: rollup.handle.clone(),
        l1: rollup.l1.clone(),
        heads: rollup.follower.states(),
        sender,
        da_limit: rollup.da_limit(),
        dispersal,
    };
    BatcherTask::spawn(setup).wrap_err("batcher")
}

fn outputs(
    rollup: &Rollup,
    chain: &Chain,
    duties: proposer::Duties,
    sender: Option<TransactionSender>,
) -> OutputsTask {
    OutputsTask::spawn(OutputsConfig {
        chain: chain.clone(),
        rollup: rollup.config.clone(),
        provider: rollup.l1.provider(),
        duties,
        allow_non_finalized: rollup.args.proposer.allow_non_finalized,
        sender,
        interval: OUTPUTS_INTERVAL,
    })
}

pub(super) fn signer(args: &RollupArgs, path: &Path) -> eyre::Result<PrivateKeySigner> {
    let password = args.key_password_file.as_deref();
    read_signer(path, password).wrap_err_with(|| format!("key file {}", path.display()))
}

async fn sender(
    rollup: &Rollup,
    key: &Path,
    datadir: &Path,
    name: &str,
) -> eyre::Result<TransactionSender> {
    let signer = signer(&rollup.args, key)?;
    let folder = l1_journal_dir(datadir, name, signer.address());
    let journal = Journal::open(&folder).wrap_err_with(|| format!("journal of the {name}"))?;
    let mut policy = SendPolicy::default();
    if let Some(confirmations) = rollup.args.batcher.confirmations {
        policy.confirmations = confirmations;
    }
    let config = SenderConfig { policy, interval: Duration::from_secs(1) };
    let (l1, heads) = (rollup.l1.clone(), rollup.follower.states());
    let started = TransactionSender::start(l1, heads, signer, journal, config).await;
    started.wrap_err_with(|| name.to_owned())
}
