use super::{FRAME_SIZE_OVERHEAD, MAX_RLP_BYTES_PER_CHANNEL};
use crate::frame::{ChannelId, Frame};

/// Puts channels together from frames, under Holocene's rules: frames count in strict order, there
/// is one channel at a time, and a first frame ends what was open before.
///
/// The caller enforces the timeout: before each L1 block it compares [`Self::opened_in`] with the
/// block's number and calls [`Self::reset`] when the channel is too old.
#[derive(Debug, Clone, Default)]
pub struct ChannelAssembler {
    open: Option<OpenChannel>,
}

#[derive(Debug, Clone)]
struct OpenChannel {
    id: ChannelId,
    opened_in: u64,
    next: u32,
    data: Vec<u8>,
    size: usize,
}

/// What became of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameOutcome {
    /// It is part of the open channel.
    Added,
    /// It completed the channel, whose bytes these are.
    Complete(Vec<u8>),
    /// It does not count. The open channel stays, unless it got too large.
    Dropped(DroppedFrame),
}

/// Why a frame does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DroppedFrame {
    /// Not a first frame, and no channel is open.
    NoChannel,
    /// Not a first frame, and of another channel than the open one.
    OtherChannel,
    /// Not the next frame.
    OutOfOrder {
        /// Number that it should have.
        expected: u32,
    },
    /// The channel is larger than [`MAX_RLP_BYTES_PER_CHANNEL`] with it; it is gone.
    ChannelTooLarge,
}

impl ChannelAssembler {
    /// Takes the next frame, read from L1 block `l1_block`.
    pub fn push(&mut self, frame: &Frame, l1_block: u64) -> FrameOutcome {
        if frame.number == 0 {
            self.open = Some(OpenChannel {
                id: frame.channel,
                opened_in: l1_block,
                next: 0,
                data: Vec::new(),
                size: 0,
            });
        }
        let Some(channel) = &mut self.open else {
            return FrameOutcome::Dropped(DroppedFrame::NoChannel);
        };
        if channel.id != frame.channel {
            return FrameOutcome::Dropped(DroppedFrame::OtherChannel);
        }
        if channel.next != u32::from(frame.number) {
            let expected = channel.next;
            return FrameOutcome::Dropped(DroppedFrame::OutOfOrder { expected });
        }
        channel.size += frame.data.len() + FRAME_SIZE_OVERHEAD;
        if channel.size > MAX_RLP_BYTES_PER_CHANNEL {
            self.open = None;
            return FrameOutcome::Dropped(DroppedFrame::ChannelTooLarge);
        }
        channel.next += 1;
        channel.data.extend_from_slice(&frame.data);
        if !frame.is_last {
            return FrameOutcome::Added;
        }
        FrameOutcome::Complete(self.open.take().map(|channel| channel.data).unwrap_or_default())
    }

    /// The L1 block with the first frame of the open channel.
    pub fn opened_in(&self) -> Option<u64> {
        self.open.as_ref().map(|channel| channel.opened_in)
    }

    /// The open channel.
    pub fn channel(&self) -> Option<ChannelId> {
        self.open.as_ref().map(|channel| channel.id)
    }

    /// Bytes that the open channel holds.
    pub fn buffered(&self) -> usize {
        self.open.as_ref().map_or(0, |channel| channel.data.len())
    }

    /// Drops the open channel.
    pub fn reset(&mut self) {
        self.open = None;
    }
}
