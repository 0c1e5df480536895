use std::collections::VecDeque;

use alloy_eips::BlockNumHash;

use super::ResetReason;
use crate::L2BlockRef;

/// L1 blocks that are remembered for their finalization: hours of L1, of which minutes are not
/// final.
const HISTORY: usize = 8192;

/// Which L2 block was safe after which L1 block, until L1 finalizes it.
#[derive(Debug)]
pub(super) struct Finality {
    /// Consecutive L1 blocks.
    history: VecDeque<(BlockNumHash, L2BlockRef)>,
    /// A finalized L1 block that has not been read yet.
    ahead: Option<BlockNumHash>,
}

impl Finality {
    pub(super) fn new(processed: BlockNumHash, safe: L2BlockRef) -> Self {
        Self { history: [(processed, safe)].into(), ahead: None }
    }

    /// All of an L1 block was read. Gives the newly finalized L2 block if L1 had finalized that
    /// block before.
    pub(super) fn processed(
        &mut self,
        l1: BlockNumHash,
        safe: L2BlockRef,
    ) -> Result<Option<L2BlockRef>, ResetReason> {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back((l1, safe));
        match self.ahead.take_if(|ahead| ahead.number == l1.number) {
            Some(ahead) => self.finalized(ahead),
            None => Ok(None),
        }
    }

    /// L1 finalized a block: the L2 block that was safe then.
    pub(super) fn finalized(
        &mut self,
        l1: BlockNumHash,
    ) -> Result<Option<L2BlockRef>, ResetReason> {
        let Some(first) = self.history.front().map(|(l1, _)| l1.number) else { return Ok(None) };
        let Some(place) = l1.number.checked_sub(first) else { return Ok(None) };
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let Some(&(known, safe)) = self.history.get(place) else {
            // The nearest one is waited for: those after it will be said again.
            self.ahead.get_or_insert(l1);
            return Ok(None);
        };
        if known.hash != l1.hash {
            return Err(ResetReason::L1Differs { expected: known, actual: l1.hash });
        }
        self.history.drain(..place);
        Ok(Some(safe))
    }
}
