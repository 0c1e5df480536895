//! A run: looks at what is on L1, sends what is missing, and looks again.
//!
//! A run that was cut off anywhere leaves a part of the transactions, mined or waiting. The next one
//! waits until none of the deployer's transactions is waiting, looks, and goes on. Two runs at a time
//! get in each other's way, but cannot deploy twice: CREATE2 and the initializers refuse.

use alloy::sol_types::SolCall;
use alloy_primitives::{B256, U256};

use crate::config::Settings;
use crate::deployment::{Deployment, Progress, RunOptions};
use crate::error::DeployError;
use crate::interfaces::{IAnchorStateRegistry, ISystemConfig};
use crate::l1::{Call, L1};
use crate::plan::{Plan, Step};
use crate::rollup::L2;

mod deployment_proxy;
mod survey;
mod waiting;

use waiting::Patience;

/// How often in a row what is missing is sent to no effect.
const IDLE_ROUNDS_MAX: u32 = 5;

/// A run that is under way.
pub(crate) struct Run<'a> {
    pub(crate) l1: L1,
    pub(crate) chain_id: u64,
    pub(crate) plan: Plan,
    pub(crate) options: RunOptions,
    pub(crate) sent: u64,
    pub(crate) progress: &'a mut (dyn FnMut(Progress) + Send + Sync),
}

impl Run<'_> {
    pub(crate) async fn complete_all(mut self) -> Result<Deployment, DeployError> {
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
        let (mut fewest, mut idle) = (usize::MAX, 0);
        loop {
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
            idle = if missing.len() < fewest { 0 } else { idle + 1 };
            fewest = fewest.min(missing.len());
            if idle == IDLE_ROUNDS_MAX {
                return Err(DeployError::Unsettled { missing: missing.len(), rounds: idle });
            }
            failed = self.send(fitting(&missing, self.l1.block_gas_limit().await?)).await?;
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
        let receipts = self.mined(&hashes).await?;
        let mined = receipts.iter().flatten().count();
        (self.progress)(Progress::Mined { transactions: mined });
        let mut outcomes = steps.iter().zip(hashes.iter().zip(receipts));
        let failed = outcomes.find(|(_, (_, status))| *status == Some(false));
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

/// As many of the first steps as a block surely has room for, one at least: anvil for one forgets
/// what does not fit.
fn fitting(steps: &[Step], block_gas_limit: u64) -> &[Step] {
    let mut gas = 0u64;
    let fit = steps.iter().take_while(|step| {
        gas = gas.saturating_add(step.gas);
        gas <= block_gas_limit
    });
    let count = fit.count().max(1);
    steps.get(..count).unwrap_or(steps)
}
