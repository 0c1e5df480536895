//! A deployment: how to ask for one, what is reported on the way, and what it is in the end.

use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use alloy_genesis::Genesis;
use alloy_primitives::B256;
use cairn_rollup::RollupConfig;
use reqwest::Url;

use crate::config::DeployConfig;
use crate::contracts::Contracts;
use crate::error::DeployError;
use crate::l1::L1;
use crate::plan::Plan;
use crate::run::Run;

/// How a run goes about it.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How long transactions may wait to be mined.
    pub patience: Duration,
    /// Ends the run after so many transactions, without waiting for them.
    pub transactions_max: Option<u64>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { patience: Duration::from_secs(300), transactions_max: None }
    }
}

/// What a run reports while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many of the steps of a part are done already.
    Surveyed {
        /// Steps that are done.
        done: usize,
        /// All steps.
        total: usize,
    },
    /// A transaction was sent.
    Sent {
        /// What it does.
        step: String,
    },
    /// All that were sent are mined.
    Mined {
        /// How many.
        transactions: usize,
    },
    /// L2 begins here.
    Genesis {
        /// Number of the L1 origin.
        l1_block: u64,
        /// Hash of L2's genesis block.
        l2_hash: B256,
    },
}

/// A complete deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Addresses on L1.
    pub contracts: Contracts,
    /// L2's genesis.
    pub genesis: Genesis,
    /// Parameters of the rollup.
    pub rollup: RollupConfig,
}

/// Deploys what is missing and gives the whole. For an L1 behind TLS, rustls must have a provider
/// installed.
///
/// # Errors
/// See [`DeployError`]; whatever it is, the next run goes on from what is on L1.
pub async fn deploy(
    l1_rpc: Url,
    key: PrivateKeySigner,
    config: DeployConfig,
    options: RunOptions,
    progress: &mut (dyn FnMut(Progress) + Send + Sync),
) -> Result<Deployment, DeployError> {
    let l1 = L1::new(l1_rpc, key);
    let chain_id = l1.chain_id().await?;
    let plan = Plan::new(config.resolve(l1.account(), chain_id)?);
    Run { l1, chain_id, plan, options, sent: 0, progress }.complete_all().await
}
