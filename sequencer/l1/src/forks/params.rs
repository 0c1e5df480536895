//! Which blob parameters hold for a block.

use alloy_eips::eip7840::BlobParams;

use super::L1Forks;
use super::schedule::{BlobSchedule, Disagreement};
use crate::{L1Client, L1Error};

/// Seconds of L1 for which what L1 said of its forks is good: a fork is announced weeks before it comes.
const TOLD_FOR: u64 = 3600;

/// What L1 said last of its forks.
#[derive(Debug, Default)]
pub(crate) struct ToldForks {
    forks: Option<L1Forks>,
    /// Time of the block for which it was asked.
    asked: Option<u64>,
}

impl ToldForks {
    /// Whether it is to be asked before a block of that time. Blocks of the past, as a chain has many, need no
    /// newer answer.
    fn is_old(&self, time: u64) -> bool {
        self.asked.is_none_or(|asked| time >= asked.saturating_add(TOLD_FOR))
    }
}

impl L1Client {
    /// Blob parameters of a block with that timestamp: those of the schedule, with which L1 must agree, or on a
    /// chain without a schedule what L1 says. `None` if there is no schedule and L1 does not say.
    ///
    /// # Errors
    /// [`L1Error::Schedule`] if L1 has other parameters than are scheduled; on a chain without a schedule all
    /// of [`forks`](Self::forks).
    pub async fn blob_params(&self, time: u64) -> Result<Option<BlobParams>, L1Error> {
        let mut told = self.told_forks.lock().await;
        let Some(schedule) = self.schedule() else {
            let known = told.forks.as_ref().is_some_and(|forks| forks.at(time).is_some());
            if told.is_old(time) || !known {
                told.forks = self.forks().await?;
                told.asked = told.asked.max(Some(time));
            }
            let fork = told.forks.as_ref().and_then(|forks| forks.at(time));
            return Ok(fork.map(super::L1Fork::blob_params));
        };
        if told.is_old(time) {
            // The schedule stands for itself where L1's nodes do not know the method, or do not answer.
            match self.forks().await {
                Ok(Some(forks)) => agree(schedule, &forks, self.chain_id())?,
                Ok(None) | Err(L1Error::Unavailable { .. }) => {}
                Err(error) => return Err(error),
            }
            told.asked = Some(time);
        }
        Ok(Some(schedule.at(time)))
    }
}

fn agree(schedule: &BlobSchedule, forks: &L1Forks, chain_id: u64) -> Result<(), L1Error> {
    schedule.check(forks).map_err(|found| {
        let Disagreement { time, scheduled, told } = *found;
        L1Error::Schedule { chain_id, time, scheduled: Box::new(scheduled), told: Box::new(told) }
    })
}
