use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use serde::Deserialize;

use crate::{RollupConfig, blob::MAX_BLOB_DATA_SIZE, channel::ChannelOutConfig};

/// Which carriers may be used. In text they have the names of `--batcher.carrier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CarrierChoice {
    /// The DA network, and blobs of L1 while it fails.
    #[default]
    Auto,
    /// Blobs of L1.
    Blobs,
    /// Calldata.
    Calldata,
}

/// The batcher's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatcherConfig {
    /// When channels are closed.
    pub channel: ChannelOutConfig,
    /// Which carriers may be used.
    pub carrier: CarrierChoice,
    /// Most bytes of one payload of the DA network, which takes 31 MiB less its own header.
    pub max_da_payload: usize,
    /// Most blobs in one transaction.
    pub max_blobs: NonZeroU32,
    /// Most bytes of calldata in one transaction.
    pub max_calldata: usize,
    /// Channels that are dispersed at a time.
    pub parallel_dispersals: NonZeroU32,
    /// Time after which a dispersal counts as failed.
    pub dispersal_timeout: Duration,
    /// Failed dispersals in a row after which blobs are used. A network that says that it cannot
    /// serve is left at once.
    pub da_failures: NonZeroU32,
    /// Time after which the DA network is tried again.
    pub da_cool_down: Duration,
    /// Time from a failure to the next try.
    pub retry_delay: Duration,
    /// Time after which a transaction that is not included gets a higher fee.
    pub bump_interval: Duration,
    /// Time after which a transaction of an earlier run is replaced by an empty one.
    pub settle_timeout: Duration,
    /// L1 blocks before the end of a sequencing window, and of a channel's time, that must be left.
    pub safety_margin: u64,
    /// L2 blocks that are asked for ahead of the last one.
    pub blocks_ahead: NonZeroU32,
    /// Bytes of channels beyond which no more blocks are asked for.
    pub max_queued_bytes: usize,
    /// Unsafe blocks beyond which the sequencer is asked to slow down, until half of them are left.
    pub max_unsafe_blocks: NonZeroU64,
    /// Bytes that a block may then take on L1. Every further [`Self::max_unsafe_blocks`] halve them.
    pub throttled_block_bytes: u64,
}

const fn count(value: u32) -> NonZeroU32 {
    match NonZeroU32::new(value) {
        Some(value) => value,
        None => NonZeroU32::MIN,
    }
}

impl Default for BatcherConfig {
    fn default() -> Self {
        Self {
            channel: ChannelOutConfig::default(),
            carrier: CarrierChoice::Auto,
            max_da_payload: (31 << 20) - 4096,
            max_blobs: count(6),
            max_calldata: 120_000,
            parallel_dispersals: count(2),
            dispersal_timeout: Duration::from_secs(60),
            da_failures: count(3),
            da_cool_down: Duration::from_secs(300),
            retry_delay: Duration::from_secs(2),
            bump_interval: Duration::from_secs(48),
            settle_timeout: Duration::from_secs(120),
            safety_margin: 10,
            blocks_ahead: count(256),
            max_queued_bytes: 64 << 20,
            max_unsafe_blocks: const { NonZeroU64::new(600).expect("not zero") },
            throttled_block_bytes: 21_000,
        }
    }
}

/// A policy that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatcherConfigError {
    /// A payload must have room for frames, so that a channel of any size can be numbered.
    #[error("{field} is {bytes}: at least {MIN_PAYLOAD} bytes are needed")]
    Payload {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        bytes: usize,
    },
    /// The margin leaves nothing of the sequencing window or of a channel's time.
    #[error("a safety margin of {margin} blocks leaves nothing of {of} blocks")]
    Margin {
        /// The margin.
        margin: u64,
        /// What it is taken from.
        of: u64,
    },
}

/// 65,536 frames of this size hold more than a channel may have.
const MIN_PAYLOAD: usize = 2048;

impl BatcherConfig {
    /// Checks that every channel can be sent by every carrier.
    pub fn check(&self, rollup: &RollupConfig) -> Result<(), BatcherConfigError> {
        const { assert!(MAX_BLOB_DATA_SIZE >= MIN_PAYLOAD) };
        let payloads =
            [("max_da_payload", self.max_da_payload), ("max_calldata", self.max_calldata)];
        for (field, bytes) in payloads {
            if bytes < MIN_PAYLOAD {
                return Err(BatcherConfigError::Payload { field, bytes });
            }
        }
        let margin = self.safety_margin;
        for of in [rollup.seq_window_size, rollup.channel_lifetime()] {
            if margin >= of {
                return Err(BatcherConfigError::Margin { margin, of });
            }
        }
        Ok(())
    }
}
