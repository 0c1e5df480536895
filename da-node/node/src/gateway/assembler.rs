//! Which payloads share a matrix, without I/O.

use std::time::Duration;

use alloy_primitives::B256;

/// When a shared matrix is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssemblerLimits {
    /// Age of its first payload.
    pub window: Duration,
    /// Bytes of a shared matrix. A payload of at least half of them has one to itself.
    pub shared_bytes: usize,
}

impl Default for AssemblerLimits {
    fn default() -> Self {
        Self { window: Duration::from_secs(1), shared_bytes: 2 << 20 }
    }
}

/// A payload's place in a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Whose payload.
    pub submission: B256,
    /// First byte.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

/// The payload of a matrix, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assembly {
    /// All payloads, one after the other.
    pub payload: Vec<u8>,
    /// Where they are.
    pub parts: Vec<Part>,
}

/// Puts payloads together.
#[derive(Debug)]
pub struct Assembler {
    limits: AssemblerLimits,
    open: Assembly,
    due: Option<Duration>,
}

impl Assembler {
    /// Nothing waits yet.
    pub fn new(limits: AssemblerLimits) -> Self {
        Self { limits, open: Assembly::default(), due: None }
    }

    /// When [`Self::close`] has something; `None` while nothing waits.
    pub const fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Takes a payload and gives the matrices that are complete thereby.
    pub fn push(&mut self, submission: B256, payload: Vec<u8>, now: Duration) -> Vec<Assembly> {
        let mut complete = Vec::new();
        if payload.len() >= self.limits.shared_bytes / 2 {
            complete.push(alone(submission, payload));
            return complete;
        }
        if self.open.payload.len() + payload.len() > self.limits.shared_bytes {
            complete.push(self.take());
        }
        self.due.get_or_insert(now.saturating_add(self.limits.window));
        self.open.append(submission, &payload);
        complete
    }

    /// The open matrix, if it is due.
    pub fn close(&mut self, now: Duration) -> Option<Assembly> {
        self.due.filter(|due| *due <= now).map(|_| self.take())
    }

    fn take(&mut self) -> Assembly {
        self.due = None;
        std::mem::take(&mut self.open)
    }
}

impl Assembly {
    fn append(&mut self, submission: B256, payload: &[u8]) {
        // Both are below 2^32: a matrix holds 31 MiB.
        let narrow = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (offset, length) = (narrow(self.payload.len()), narrow(payload.len()));
        self.parts.push(Part { submission, offset, length });
        self.payload.extend_from_slice(payload);
    }
}

fn alone(submission: B256, payload: Vec<u8>) -> Assembly {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    Assembly { payload, parts: vec![Part { submission, offset: 0, length }] }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: usize) -> B256 {
        B256::with_last_byte(number as u8)
    }

    fn limits() -> AssemblerLimits {
        AssemblerLimits { window: Duration::from_secs(1), shared_bytes: 100 }
    }

    proptest! {
        #[test]
        fn every_payload_is_in_one_matrix_by_its_time_at_its_range(
            steps in prop::collection::vec((1_usize..120, 0_u64..700), 1..40),
        ) {
            let mut assembler = Assembler::new(limits());
            let mut now = Duration::ZERO;
            let mut closed = Vec::new();
            let mut entered = Vec::new();
            for (number, (length, wait)) in steps.into_iter().enumerate() {
                now += Duration::from_millis(wait);
                if let Some(due) = assembler.due().filter(|due| *due <= now) {
                    prop_assert_eq!(assembler.close(due - Duration::from_millis(1)), None);
                    closed.extend(assembler.close(due));
                }
                let payload = vec![number as u8; length];
                entered.push(payload.clone());
                closed.extend(assembler.push(id(number), payload, now));
            }
            closed.extend(assembler.due().and_then(|due| assembler.close(due)));
            prop_assert_eq!(assembler.due(), None);
            let mut found = vec![0; entered.len()];
            for assembly in &closed {
                let alone = assembly.parts.len() == 1;
                prop_assert!(alone || assembly.payload.len() <= 100);
                for part in &assembly.parts {
                    let number = usize::from(part.submission.0[31]);
                    let range = part.offset as usize..(part.offset + part.length) as usize;
                    prop_assert_eq!(&assembly.payload[range], &entered[number][..]);
                    found[number] += 1;
                }
            }
            prop_assert!(found.iter().all(|times| *times == 1), "{:?}", found);
        }
    }

    #[test]
    fn small_payloads_share_and_large_ones_do_not() {
        let mut assembler = Assembler::new(limits());
        assert_eq!(assembler.push(id(1), vec![1; 49], Duration::ZERO), []);
        assert_eq!(assembler.push(id(2), vec![2; 50], Duration::ZERO).len(), 1, "has its own");
        assert_eq!(assembler.push(id(3), vec![3; 49], Duration::ZERO), []);
        let full = assembler.push(id(4), vec![4; 49], Duration::from_millis(900));
        assert_eq!(full[0].parts.len(), 2);
        assert_eq!(assembler.due(), Some(Duration::from_millis(1900)));
    }
}
