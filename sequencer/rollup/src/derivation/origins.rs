use std::collections::VecDeque;

use alloy_eips::BlockNumHash;

use super::ResetReason;
use crate::SystemConfig;
use crate::l1::L1Block;

/// The L1 blocks from the safe head's origin to the one that is read now, each with the system
/// configuration as of it.
///
/// Memory: headers and deposits of as many blocks as the safe head's origin lies behind, which is
/// one sequencing window at most while L1 moves on. A block's deposits are bounded by the gas that
/// the portal sells per L1 block, at 16 gas a byte or more.
#[derive(Debug)]
pub(super) struct Origins {
    blocks: VecDeque<Origin>,
    system_config: SystemConfig,
}

/// An L1 block without its batches.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) block: L1Block,
    /// As of the block, its own updates included.
    pub(super) system_config: SystemConfig,
}

impl Origins {
    /// `system_config` is that as of the first block that will be pushed.
    pub(super) const fn new(system_config: SystemConfig) -> Self {
        Self { blocks: VecDeque::new(), system_config }
    }

    /// As of the block that is read now.
    pub(super) const fn system_config(&self) -> &SystemConfig {
        &self.system_config
    }

    /// The block that is read now.
    pub(super) fn last(&self) -> Option<&L1Block> {
        self.blocks.back().map(|origin| &origin.block)
    }

    pub(super) fn get(&self, number: u64) -> Option<&Origin> {
        let first = self.blocks.front()?.block.number;
        self.blocks.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// Goes on to the next block, which must be the child of the last.
    pub(super) fn push(&mut self, block: L1Block) -> Result<(), ResetReason> {
        if let Some(last) = self.last() {
            if block.parent_hash != last.hash || block.number != last.number.saturating_add(1) {
                return Err(ResetReason::L1Reorg {
                    number: block.number,
                    expected: last.hash,
                    actual: block.parent_hash,
                });
            }
            for update in &block.config_updates {
                self.system_config.apply(update);
            }
        }
        self.blocks.push_back(Origin { block, system_config: self.system_config });
        Ok(())
    }

    /// Forgets the blocks before `number`, except the last of all.
    pub(super) fn prune(&mut self, number: u64) {
        while self.blocks.len() > 1
            && self.blocks.front().is_some_and(|origin| origin.block.number < number)
        {
            self.blocks.pop_front();
        }
    }
}

/// Whether L1 has the block that we rely on, if `block` is at its height.
pub(super) fn check_known(block: &L1Block, known: BlockNumHash) -> Result<(), ResetReason> {
    if block.number == known.number && block.hash != known.hash {
        return Err(ResetReason::L1Differs { expected: known, actual: block.hash });
    }
    Ok(())
}
