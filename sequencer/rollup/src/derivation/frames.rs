use crate::frame::Frame;

/// Holocene's frame queue: drops the frames of one calldata, blob or DA payload that are out of
/// order among themselves.
///
/// A frame that is not a channel's first must continue the frame before it. A first frame of
/// another channel drops the frames before it whose channel is not closed. Of a channel that
/// begins twice, the first beginning stays (as in op-node and kona; the specification's text says
/// both).
pub(super) fn prune(frames: Vec<Frame>) -> Vec<Frame> {
    let mut kept: Vec<Frame> = Vec::with_capacity(frames.len());
    for frame in frames {
        if let Some(last) = kept.last() {
            let continues = last.channel == frame.channel
                && !last.is_last
                && u32::from(last.number) + 1 == u32::from(frame.number);
            let begins = last.channel != frame.channel && frame.number == 0;
            if !continues && !begins {
                continue;
            }
            if begins {
                drop_unclosed(&mut kept);
            }
        }
        kept.push(frame);
    }
    kept
}

/// Drops the frames at the end that belong to one channel without its last frame.
fn drop_unclosed(kept: &mut Vec<Frame>) {
    while kept.last().is_some_and(|frame| !frame.is_last) {
        kept.pop();
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;

    use super::*;
    use crate::frame::ChannelId;

    /// `A0` is frame 0 of channel A; `A1!` is a last frame.
    fn frames(text: &str) -> Vec<Frame> {
        let frame = |word: &str| {
            let mut bytes = word.bytes();
            Frame {
                channel: ChannelId([bytes.next().unwrap(); 16]),
                number: u16::from(bytes.next().unwrap() - b'0'),
                data: Bytes::new(),
                is_last: bytes.next() == Some(b'!'),
            }
        };
        text.split_whitespace().map(frame).collect()
    }

    #[test]
    fn only_frames_in_order_stay() {
        let cases = [
            ("in order", "A0 A1 A2!", "A0 A1 A2!"),
            ("continues an earlier transaction", "A3 A4!", "A3 A4!"),
            ("next channel behind a last frame", "A0 A1! B0 B1", "A0 A1! B0 B1"),
            ("gap", "A0 A2 A1!", "A0 A1!"),
            ("twice", "A0 A0 A1! A1!", "A0 A1!"),
            ("behind its channel's last frame", "A0! A1", "A0!"),
            ("of another channel, not first", "A0 B1 A1!", "A0 A1!"),
            ("first of another drops what is open", "A0 A1 B0 B1!", "B0 B1!"),
            ("but not what is closed", "A0! B0 C0!", "A0! C0!"),
            ("interleaved", "A0 B0 A1 B1!", "B0 B1!"),
            ("stray frame in front", "Z5 A1", "Z5"),
        ];
        for (name, input, expected) in cases {
            assert_eq!(prune(frames(input)), frames(expected), "{name}");
        }
    }
}
