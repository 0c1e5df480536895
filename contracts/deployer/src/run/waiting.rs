//! Waiting for L1 to mine what was sent.

use std::time::{Duration, Instant};

use alloy_primitives::B256;

use super::Run;
use crate::error::DeployError;

const POLL_MIN: Duration = Duration::from_millis(20);
const POLL_MAX: Duration = Duration::from_secs(2);
/// How often in a row L1 must know nothing of transactions before they count as lost. The waits in
/// between grow; all of them are about half a second.
const LOST_AFTER_LOOKS: u32 = 8;

impl Run<'_> {
    /// Whether each transaction succeeded, once none is waiting any more. `None` is one that L1 has
    /// lost, as nodes do whose pools are full.
    pub(super) async fn mined(&self, hashes: &[B256]) -> Result<Vec<Option<bool>>, DeployError> {
        let mut statuses = vec![None; hashes.len()];
        let mut clock = Patience::new(self.options.patience);
        let mut looks_lost = 0;
        loop {
            // Asked before the receipts: what is mined in between has one.
            let (mined, all) = self.l1.nonces().await?;
            // They are mined in the order of their nonces: the last one is asked first.
            for (status, hash) in statuses.iter_mut().zip(hashes).rev() {
                if status.is_none() {
                    *status = self.l1.receipt(*hash).await?.map(|receipt| receipt.status());
                    if status.is_none() && mined != all {
                        break;
                    }
                }
            }
            let pending = statuses.iter().filter(|status| status.is_none()).count() as u64;
            looks_lost = if mined == all { looks_lost + 1 } else { 0 };
            if pending == 0 || looks_lost == LOST_AFTER_LOOKS {
                return Ok(statuses);
            }
            clock.wait(|seconds| self.not_mined(pending, seconds)).await?;
        }
    }

    /// Waits until no transaction of the deployer is waiting.
    pub(super) async fn settle(&self) -> Result<(), DeployError> {
        let mut clock = Patience::new(self.options.patience);
        loop {
            let (mined, all) = self.l1.nonces().await?;
            if mined == all {
                return Ok(());
            }
            clock.wait(|seconds| self.not_mined(all - mined, seconds)).await?;
        }
    }

    pub(super) fn not_mined(&self, pending: u64, seconds: u64) -> DeployError {
        DeployError::NotMined { account: self.l1.account(), pending, seconds }
    }
}

/// Waits a little longer each time, and not for ever.
pub(super) struct Patience {
    start: Instant,
    limit: Duration,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        Self { start: Instant::now(), limit, pause: POLL_MIN }
    }

    pub(super) async fn wait(
        &mut self,
        error: impl FnOnce(u64) -> DeployError,
    ) -> Result<(), DeployError> {
        let elapsed = self.start.elapsed();
        if elapsed >= self.limit {
            return Err(error(elapsed.as_secs()));
        }
        tokio::time::sleep(self.pause.min(self.limit - elapsed)).await;
        self.pause = (self.pause * 3 / 2).min(POLL_MAX);
        Ok(())
    }
}
