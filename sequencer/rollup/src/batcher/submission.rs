use std::{collections::VecDeque, time::Duration};

use alloy_primitives::Bytes;

use super::{BatcherConfig, BatcherTransaction, Carrier, DispersalId};
use crate::{
    blob::MAX_BLOB_DATA_SIZE,
    channel::ClosedChannel,
    frame::{ChannelId, FRAME_OVERHEAD, Frame, MAX_FRAME_LEN, encode_frames},
};

/// A channel on its way to L1.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) channel: ClosedChannel,
    /// What it is cut for; nothing if it is not cut.
    carrier: Option<Carrier>,
    /// One for each transaction that is still to be included.
    pub(super) payloads: VecDeque<Payload>,
    /// L1 block with its first frame.
    first_included: Option<u64>,
    /// Not to be tried before.
    pub(super) retry_at: Duration,
}

/// What goes into one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// To be dispersed.
    Undispersed(Bytes),
    /// Being dispersed since then.
    Dispersing { id: DispersalId, since: Duration, payload: Bytes },
    /// Certified; the payload for another try.
    Certified { certificate: Bytes, payload: Bytes },
    /// To be sent as it is.
    Direct(BatcherTransaction),
}

impl Submission {
    pub(super) const fn new(channel: ClosedChannel) -> Self {
        Self {
            channel,
            carrier: None,
            payloads: VecDeque::new(),
            first_included: None,
            retry_at: Duration::ZERO,
        }
    }

    pub(super) const fn carrier(&self) -> Option<Carrier> {
        self.carrier
    }

    /// L1 block with its first frame.
    pub(super) const fn opened_in(&self) -> Option<u64> {
        self.first_included
    }

    /// Whether the next payload has its certificate.
    pub(super) fn is_certified(&self) -> bool {
        matches!(self.payloads.front(), Some(Payload::Certified { .. }))
    }

    /// Notes that the first payload is on L1; whether the whole channel is.
    pub(super) fn included(&mut self, l1_block: u64) -> bool {
        self.payloads.pop_front();
        self.first_included.get_or_insert(l1_block);
        self.payloads.is_empty()
    }

    /// Makes the channel one that nothing was done with. If a part of it is on L1, it gets another
    /// name.
    pub(super) fn restart(&mut self, name: impl FnOnce() -> ChannelId) {
        if self.first_included.take().is_some() {
            self.channel.id = name();
        }
        self.carrier = None;
        self.payloads.clear();
    }

    /// Cuts the channel for a carrier. Limits were checked to be large enough for any channel.
    pub(super) fn cut(&mut self, carrier: Carrier, config: &BatcherConfig) {
        self.carrier = Some(carrier);
        self.payloads = match carrier {
            Carrier::DataAvailability => self.cut_for_da(config),
            Carrier::Blobs => self.cut_for_blobs(config),
            Carrier::Calldata => self
                .frames(config.max_calldata)
                .iter()
                .map(|frame| direct(BatcherTransaction::Calldata(data(frame))))
                .collect(),
        };
    }

    fn frames(&self, max_payload: usize) -> Vec<Frame> {
        // One byte of a payload is its version.
        let max_frame = (max_payload - 1).min(MAX_FRAME_LEN + FRAME_OVERHEAD);
        self.channel.frames(max_frame).unwrap_or_default()
    }

    fn cut_for_da(&self, config: &BatcherConfig) -> VecDeque<Payload> {
        let frames = self.frames(config.max_da_payload);
        let mut payloads = VecDeque::new();
        let mut rest = frames.as_slice();
        while !rest.is_empty() {
            let mut size = 1;
            let fits = |frame: &&Frame| {
                size += frame.encoded_len();
                size <= config.max_da_payload
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (now, later) = rest.split_at(count);
            payloads.push_back(Payload::Undispersed(encode_frames(now).into()));
            rest = later;
        }
        payloads
    }

    fn cut_for_blobs(&self, config: &BatcherConfig) -> VecDeque<Payload> {
        self.frames(MAX_BLOB_DATA_SIZE)
            .chunks(config.max_blobs.get() as usize)
            .map(|frames| direct(BatcherTransaction::Blobs(frames.iter().map(data).collect())))
            .collect()
    }
}

const fn direct(transaction: BatcherTransaction) -> Payload {
    Payload::Direct(transaction)
}

fn data(frame: &Frame) -> Bytes {
    encode_frames(std::slice::from_ref(frame)).into()
}
