//! Which id a beacon node knows a block by.

use cairn_rollup::L1BlockRef;

/// How blocks are named to the beacon node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlobIds {
    /// By slot, or by block number where the node has no spec (404).
    #[default]
    Detect,
    /// By the number of the execution block: anvil.
    BlockNumber,
    /// By slot.
    Slot(SlotClock),
}

/// When slots begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotClock {
    /// Time of slot 0, seconds since the epoch.
    pub genesis_time: u64,
    /// Seconds of a slot.
    pub seconds_per_slot: u64,
}

/// A block that no slot has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time {time} begins no slot of {} s after {}", .clock.seconds_per_slot, .clock.genesis_time)]
pub struct SlotError {
    /// Time of the block.
    pub time: u64,
    /// When slots begin.
    pub clock: SlotClock,
}

impl SlotClock {
    /// The slot of a block with that time.
    ///
    /// # Errors
    /// [`SlotError`] if no slot begins then: clock and block belong to different chains.
    pub fn slot(self, time: u64) -> Result<u64, SlotError> {
        let error = SlotError { time, clock: self };
        let since = time.checked_sub(self.genesis_time).ok_or(error)?;
        match since.checked_rem(self.seconds_per_slot) {
            Some(0) => Ok(since / self.seconds_per_slot),
            _ => Err(error),
        }
    }
}

impl BlobIds {
    /// The id of a block; `None` while [`Detect`](Self::Detect) is not resolved.
    pub(super) fn id(self, block: &L1BlockRef) -> Option<Result<u64, SlotError>> {
        match self {
            Self::Detect => None,
            Self::BlockNumber => Some(Ok(block.number)),
            Self::Slot(clock) => Some(clock.slot(block.timestamp)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_from_time() {
        // Mainnet: block 19,426,587, the first of Dencun, stands in slot 8,626,178.
        let mainnet = SlotClock { genesis_time: 1_606_824_023, seconds_per_slot: 12 };
        assert_eq!(mainnet.slot(1_710_338_159), Ok(8_626_178));
        assert_eq!(mainnet.slot(1_606_824_023), Ok(0));
        let between = SlotError { time: 1_710_338_160, clock: mainnet };
        assert_eq!(mainnet.slot(1_710_338_160), Err(between));
        assert_eq!(mainnet.slot(5), Err(SlotError { time: 5, clock: mainnet }));
    }

    #[test]
    fn a_clock_without_slots_names_none() {
        let clock = SlotClock { genesis_time: 0, seconds_per_slot: 0 };
        assert!(clock.slot(7).is_err());
    }
}
