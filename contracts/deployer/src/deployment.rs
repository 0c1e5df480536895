//! A run: looks at what is on L1, sends what is missing, and looks again.
//!
//! A run that was cut off anywhere leaves a part of the transactions, mined or waiting. The next one
//! waits until none of the deployer's transactions is waiting, looks, and goes on. Two runs at a time
//! get in each other's way, but cannot deploy twice: CREATE2 and the initializers refuse.

use std::time::{Duration, Instant};

use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use alloy_genesis::Genesis;
use alloy_primitives::{B256, Bytes, U256};
use cairn_rollup::RollupConfig;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Url;

use crate::config::{DeployConfig, Settings};
use crate::contracts::Contracts;
use crate::create2::{DEPLOYMENT_PROXY, PROXY_SENDER, proxy_cost, proxy_creation};
use crate::error::DeployError;
use crate::interfaces::{IAnchorStateRegistry, ISystemConfig};
use crate::l1::{Call, L1};
use crate::plan::{Done, IMPLEMENTATION_SLOT, Plan, Step};
use crate::rollup::L2;

/// Requests that are under way at a time.
const CONCURRENT_REQUESTS: usize = 16;
const POLL_MIN: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_secs(2);
/// How often what is missing is sent before the run gives up.
const ROUNDS_MAX: u32 = 5;
const TRANSFER_GAS: u64 = 21_000;

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

/// Deploys what is missing and gives the whole.
///
/// # Errors
/// See [`DeployError`]; whatever it is, the next run goes on from what is on L1.
pub async fn deploy(
    l1_rpc: Url,
    key: PrivateKeySigner,
    config: DeployConfig,
    options: RunOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Deployment, DeployError> {
    let l1 = L1::new(l1_rpc, key);
    let chain_id = l1.chain_id().await?;
    let plan = Plan::new(config.resolve(l1.account(), chain_id)?);
    Run { l1, chain_id, plan, options, sent: 0, progress }.run().await
}

struct Run<'a> {
    l1: L1,
    chain_id: u64,
    plan: Plan,
    options: RunOptions,
    sent: u64,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl Run<'_> {
    async fn run(mut self) -> Result<Deployment, DeployError> {
        // Once the last part is done, owners may have changed what the first part left.
        if !self.missing(&self.plan.last(B256::ZERO)).await?.is_empty() {
            self.deployment_proxy().await?;
            let first = std::mem::take(&mut self.plan.first);
            self.complete(&first).await?;
        }
        let l2 = self.l2().await?;
        (self.progress)(Progress::Genesis {
            l1_block: l2.rollup.genesis.l1.number,
            l2_hash: l2.rollup.genesis.l2.hash,
        });
        self.complete(&self.plan.last(l2.output_root)).await?;
        self.check_anchor(l2.output_root).await?;
        let L2 { genesis, rollup, .. } = l2;
        Ok(Deployment { contracts: self.plan.contracts, genesis, rollup })
    }

    /// Does the steps that are not done.
    async fn complete(&mut self, steps: &[Step]) -> Result<(), DeployError> {
        let mut failed: Option<(String, B256)> = None;
        for _ in 0..ROUNDS_MAX {
            self.settle().await?;
            let missing = self.missing(steps).await?;
            (self.progress)(Progress::Surveyed {
                done: steps.len() - missing.len(),
                total: steps.len(),
            });
            if missing.is_empty() {
                return Ok(());
            }
            if let Some((step, transaction)) = failed.take()
                && missing.iter().any(|missing| missing.name == step)
            {
                return Err(DeployError::Reverted { step, transaction });
            }
            failed = self.send(&missing).await?;
        }
        let missing = self.missing(steps).await?.len();
        if missing == 0 {
            Ok(())
        } else {
            Err(DeployError::Unsettled { missing, rounds: ROUNDS_MAX })
        }
    }

    /// Sends the steps one behind the other, waits until all are mined, and names the first that
    /// failed. Each is handed over before the next, so that an end at any place leaves no gap in the
    /// nonces.
    async fn send(&mut self, steps: &[Step]) -> Result<Option<(String, B256)>, DeployError> {
        let (nonce, _) = self.l1.nonces().await?;
        let fees = self.l1.fees().await?;
        let gas: u64 = steps.iter().map(|step| step.gas).sum();
        self.check_balance(U256::from(fees.max_fee_per_gas) * U256::from(gas)).await?;
        let mut hashes = Vec::with_capacity(steps.len());
        for (nonce, step) in (nonce..).zip(steps) {
            self.count()?;
            let (to, data, gas) = (step.to, step.data.clone(), step.gas);
            let call = Call { to, value: U256::ZERO, data, gas };
            hashes.push(self.l1.send(self.chain_id, nonce, call, fees).await?);
            (self.progress)(Progress::Sent { step: step.name.clone() });
        }
        let statuses = self.mined(&hashes).await?;
        (self.progress)(Progress::Mined { transactions: hashes.len() });
        let outcomes = steps.iter().zip(hashes.iter().zip(statuses));
        let failed = outcomes.filter(|(_, (_, succeeded))| !succeeded).next();
        Ok(failed.map(|(step, (hash, _))| (step.name.clone(), *hash)))
    }

    fn count(&mut self) -> Result<(), DeployError> {
        if self.options.transactions_max.is_some_and(|max| self.sent >= max) {
            return Err(DeployError::Stopped { sent: self.sent });
        }
        self.sent += 1;
        Ok(())
    }

    async fn check_balance(&self, needed: U256) -> Result<(), DeployError> {
        let balance = self.l1.balance().await?;
        if balance < needed {
            let account = self.l1.account();
            return Err(DeployError::InsufficientBalance { account, balance, needed });
        }
        Ok(())
    }

    /// Whether each transaction succeeded, once all are mined.
    async fn mined(&self, hashes: &[B256]) -> Result<Vec<bool>, DeployError> {
        let mut statuses = vec![None; hashes.len()];
        let mut clock = Patience::new(self.options.patience);
        loop {
            // They are mined in the order of their nonces: the last one is asked first.
            for (status, hash) in statuses.iter_mut().zip(hashes).rev() {
                if status.is_none() {
                    let Some(receipt) = self.l1.receipt(*hash).await? else { break };
                    *status = Some(receipt.status());
                }
            }
            let known: Vec<bool> = statuses.iter().copied().flatten().collect();
            if known.len() == hashes.len() {
                return Ok(known);
            }
            let pending = (hashes.len() - known.len()) as u64;
            clock.wait(|seconds| self.not_mined(pending, seconds)).await?;
        }
    }

    /// Waits until no transaction of the deployer is waiting.
    async fn settle(&self) -> Result<(), DeployError> {
        let mut clock = Patience::new(self.options.patience);
        loop {
            let (mined, all) = self.l1.nonces().await?;
            if mined == all {
                return Ok(());
            }
            clock.wait(|seconds| self.not_mined(all - mined, seconds)).await?;
        }
    }

    fn not_mined(&self, pending: u64, seconds: u64) -> DeployError {
        DeployError::NotMined { account: self.l1.account(), pending, seconds }
    }

    /// The steps that are not done, in their order.
    async fn missing(&self, steps: &[Step]) -> Result<Vec<Step>, DeployError> {
        let checks = steps.iter().map(|step| async move {
            Ok::<_, DeployError>((!self.is_done(&step.done).await?).then(|| step.clone()))
        });
        let steps = stream::iter(checks).buffered(CONCURRENT_REQUESTS).try_collect::<Vec<_>>();
        Ok(steps.await?.into_iter().flatten().collect())
    }

    async fn is_done(&self, done: &Done) -> Result<bool, DeployError> {
        match done {
            Done::Either(one, other) => {
                Ok(self.is_simply_done(one).await? || self.is_simply_done(other).await?)
            }
            simple => self.is_simply_done(simple).await,
        }
    }

    async fn is_simply_done(&self, done: &Done) -> Result<bool, DeployError> {
        match done {
            Done::Code(address) => self.l1.has_code(*address).await,
            Done::Proxied(proxy) => {
                Ok(!self.l1.storage(*proxy, IMPLEMENTATION_SLOT).await?.is_zero())
            }
            Done::Answers(to, data, word) => {
                Ok(self.l1.call(*to, data).await?.as_ref() == Some(&Bytes::from(*word)))
            }
            Done::AnswersNot(to, data, word) => Ok(self
                .l1
                .call(*to, data)
                .await?
                .is_some_and(|answer| answer != Bytes::from(*word))),
            Done::Either(..) => Ok(false),
        }
    }

    /// Puts the deterministic deployment proxy where it belongs, if it is not there.
    async fn deployment_proxy(&mut self) -> Result<(), DeployError> {
        if self.l1.has_code(DEPLOYMENT_PROXY).await? {
            return Ok(());
        }
        self.settle().await?;
        let lacking = proxy_cost().saturating_sub(self.l1.balance_of(PROXY_SENDER).await?);
        if !lacking.is_zero() {
            let (nonce, _) = self.l1.nonces().await?;
            let fees = self.l1.fees().await?;
            let gas = U256::from(fees.max_fee_per_gas) * U256::from(TRANSFER_GAS);
            self.check_balance(lacking + gas).await?;
            self.count()?;
            let (to, data) = (PROXY_SENDER, Bytes::new());
            let call = Call { to, value: lacking, data, gas: TRANSFER_GAS };
            let hash = self.l1.send(self.chain_id, nonce, call, fees).await?;
            (self.progress)(Progress::Sent { step: "fund the deployment proxy's sender".into() });
            self.mined(&[hash]).await?;
        }
        self.count()?;
        let refused =
            |reason: String| DeployError::NoDeploymentProxy { proxy: DEPLOYMENT_PROXY, reason };
        let hash = self.l1.send_raw(&proxy_creation()).await.map_err(|e| refused(e.to_string()))?;
        (self.progress)(Progress::Sent { step: "create the deployment proxy".into() });
        self.mined(&[hash]).await?;
        if self.l1.has_code(DEPLOYMENT_PROXY).await? {
            return Ok(());
        }
        Err(refused(format!("its creation {hash} failed")))
    }

    /// L2, once the block of the SystemConfig is deep enough.
    async fn l2(&self) -> Result<L2, DeployError> {
        let Settings { config, .. } = &self.plan.settings;
        let start = self.start_block().await?;
        let mut clock = Patience::new(self.options.patience);
        while self.l1.head().await? < start.saturating_add(config.l1.confirmations) {
            clock.wait(|seconds| self.not_mined(0, seconds)).await?;
        }
        let origin = self.l1.block(start.saturating_sub(1)).await?;
        L2::new(&self.plan.settings, &self.plan.contracts, origin)
    }

    /// The block in which the SystemConfig was initialized.
    async fn start_block(&self) -> Result<u64, DeployError> {
        let (to, data) =
            (self.plan.contracts.system_config, ISystemConfig::startBlockCall {}.abi_encode());
        let answer = self.l1.call(to, &data.into()).await?.unwrap_or_default();
        let block = ISystemConfig::startBlockCall::abi_decode_returns(&answer).ok();
        block.and_then(|block| u64::try_from(block).ok()).ok_or_else(|| DeployError::Rpc {
            action: "SystemConfig.startBlock",
            reason: format!("the answer is {answer}"),
        })
    }

    /// While no proposal has moved it, the anchor is the genesis.
    async fn check_anchor(&self, expected: B256) -> Result<(), DeployError> {
        let game_type = self.plan.settings.config.withdrawals.game_type;
        let call = IAnchorStateRegistry::anchorsCall { gameType: game_type };
        let registry = self.plan.contracts.anchor_state_registry;
        let answer = self.l1.call(registry, &call.abi_encode().into()).await?.unwrap_or_default();
        let anchor =
            IAnchorStateRegistry::anchorsCall::abi_decode_returns(&answer).map_err(|e| {
                DeployError::Rpc { action: "AnchorStateRegistry.anchors", reason: e.to_string() }
            })?;
        if anchor.l2BlockNumber.is_zero() && anchor.root != expected {
            return Err(DeployError::WrongAnchor { expected, found: anchor.root });
        }
        Ok(())
    }
}

/// Waits a little longer each time, and not for ever.
struct Patience {
    start: Instant,
    limit: Duration,
    pause: Duration,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { start: Instant::now(), limit, pause: POLL_MIN }
    }

    async fn wait(&mut self, error: impl FnOnce(u64) -> DeployError) -> Result<(), DeployError> {
        let elapsed = self.start.elapsed();
        if elapsed >= self.limit {
            return Err(error(elapsed.as_secs()));
        }
        tokio::time::sleep(self.pause.min(self.limit - elapsed)).await;
        self.pause = (self.pause * 3 / 2).min(POLL_MAX);
        Ok(())
    }
}
