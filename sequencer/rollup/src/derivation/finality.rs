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

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn l1(number: u64) -> BlockNumHash {
        BlockNumHash { number, hash: B256::with_last_byte(number as u8) }
    }

    fn l2(number: u64) -> L2BlockRef {
        L2BlockRef { number, ..L2BlockRef::default() }
    }

    #[test]
    fn what_l1_finalizes_far_behind_is_forgotten_and_far_ahead_is_waited_for() {
        let mut finality = Finality::new(l1(0), l2(0));
        let last = HISTORY as u64 + 5;
        for number in 1..=last {
            assert_eq!(finality.processed(l1(number), l2(number)), Ok(None));
        }
        assert_eq!(finality.finalized(l1(5)), Ok(None));
        assert_eq!(finality.finalized(l1(6)), Ok(Some(l2(6))));
        assert_eq!(finality.finalized(l1(last + 2)), Ok(None));
        assert_eq!(finality.finalized(l1(last + 9)), Ok(None));
        assert_eq!(finality.processed(l1(last + 1), l2(last + 1)), Ok(None));
        assert_eq!(finality.processed(l1(last + 2), l2(last + 2)), Ok(Some(l2(last + 2))));
    }

    #[test]
    fn another_hash_than_was_read_is_a_reset() {
        let mut finality = Finality::new(l1(0), l2(0));
        let other = BlockNumHash { hash: B256::ZERO, ..l1(1) };
        assert_eq!(finality.finalized(other), Ok(None));
        let reset = finality.processed(l1(1), l2(1)).unwrap_err();
        assert_eq!(reset, ResetReason::L1Differs { expected: l1(1), actual: B256::ZERO });
    }
}
