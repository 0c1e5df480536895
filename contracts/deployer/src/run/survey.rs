//! What is done and what is missing, as L1 says.

use alloy_primitives::Bytes;
use futures::future::try_join_all;

use super::Run;
use crate::error::DeployError;
use crate::plan::{Done, IMPLEMENTATION_SLOT, Step};

/// Requests that are under way at a time.
const CONCURRENT_REQUESTS: usize = 16;

impl Run<'_> {
    /// The steps that are not done, in their order.
    pub(super) async fn missing(&self, steps: &[Step]) -> Result<Vec<Step>, DeployError> {
        let mut missing = Vec::new();
        for part in steps.chunks(CONCURRENT_REQUESTS) {
            let done = try_join_all(part.iter().map(|step| self.is_done(&step.done))).await?;
            let left = part.iter().zip(done).filter(|(_, done)| !done);
            missing.extend(left.map(|(step, _)| step.clone()));
        }
        Ok(missing)
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
}
