//! How a new head continues the chain that was seen. No I/O.

use std::collections::VecDeque;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_rollup::L1BlockRef;

/// What a new head means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadChange {
    /// The block of this hash is needed: give it to [`HeadTracker::parent`].
    Fetch(B256),
    /// It is the head that was known.
    Unchanged,
    /// It continues the chain.
    Extended,
    /// It is on another branch, or an ancestor.
    Reorg {
        /// The newest block that both have; none if it is older than what is remembered.
        common: Option<BlockNumHash>,
    },
}

/// The newest blocks of the chain, as many as `depth`.
#[derive(Debug, Clone)]
pub struct HeadTracker {
    depth: usize,
    /// Ascending, each the parent of the next.
    chain: VecDeque<L1BlockRef>,
    /// The new head and its ancestors, descending, while it is not joined to `chain`.
    branch: Vec<L1BlockRef>,
}

impl HeadTracker {
    /// Remembers `depth` blocks, at least one.
    pub fn new(depth: usize) -> Self {
        Self { depth: depth.max(1), chain: VecDeque::new(), branch: Vec::new() }
    }

    /// The head.
    pub fn head(&self) -> Option<&L1BlockRef> {
        self.chain.back()
    }

    /// A new head. Forgets one that was not joined yet.
    pub fn step(&mut self, head: L1BlockRef) -> HeadChange {
        self.branch.clear();
        if let Some(known) = self.position(head.number, head.hash) {
            if known + 1 == self.chain.len() {
                return HeadChange::Unchanged;
            }
            self.chain.truncate(known + 1);
            return HeadChange::Reorg { common: Some(head.id()) };
        }
        self.branch.push(head);
        self.join()
    }

    /// The block that was asked for. Another one is asked for again.
    pub fn parent(&mut self, parent: L1BlockRef) -> HeadChange {
        if self.branch.last().is_some_and(|child| child.parent_hash == parent.hash) {
            self.branch.push(parent);
        }
        self.join()
    }

    fn join(&mut self) -> HeadChange {
        let Some(lowest) = self.branch.last().copied() else { return HeadChange::Unchanged };
        let below = lowest.number.checked_sub(1);
        let joint = below.and_then(|number| self.position(number, lowest.parent_hash));
        if let Some(joint) = joint {
            let kept = joint + 1;
            let common = self.chain.get(joint).map(L1BlockRef::id);
            let extended = kept == self.chain.len();
            self.chain.truncate(kept);
            self.append();
            return if extended { HeadChange::Extended } else { HeadChange::Reorg { common } };
        }
        let oldest = self.chain.front().map_or(u64::MAX, |oldest| oldest.number);
        let joinable = below.is_some_and(|number| number >= oldest);
        if joinable && self.branch.len() < self.depth {
            return HeadChange::Fetch(lowest.parent_hash);
        }
        let first = self.chain.is_empty();
        self.chain.clear();
        self.append();
        if first { HeadChange::Extended } else { HeadChange::Reorg { common: None } }
    }

    fn append(&mut self) {
        self.chain.extend(self.branch.drain(..).rev());
        let surplus = self.chain.len().saturating_sub(self.depth);
        self.chain.drain(..surplus);
    }

    fn position(&self, number: u64, hash: B256) -> Option<usize> {
        let oldest = self.chain.front()?.number;
        let place = usize::try_from(number.checked_sub(oldest)?).ok()?;
        self.chain.get(place).filter(|block| block.hash == hash).map(|_| place)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use alloy_primitives::keccak256;
    use proptest::prelude::*;

    use super::*;

    fn child(parent: &L1BlockRef, fork: u64) -> L1BlockRef {
        let number = parent.number + 1;
        let hash =
            keccak256([parent.hash.0, alloy_primitives::U256::from(fork).to_be_bytes()].concat());
        L1BlockRef { hash, number, parent_hash: parent.hash, timestamp: number * 12 }
    }

    fn chain(from: &L1BlockRef, length: usize, fork: u64) -> Vec<L1BlockRef> {
        let mut blocks = vec![*from];
        for _ in 0..length {
            blocks.push(child(&blocks[blocks.len() - 1], fork));
        }
        blocks
    }

    /// Feeds a head and whatever the tracker asks for.
    fn feed(tracker: &mut HeadTracker, head: L1BlockRef, known: &[&[L1BlockRef]]) -> HeadChange {
        let all: HashMap<_, _> =
            known.iter().flat_map(|chain| chain.iter()).map(|block| (block.hash, *block)).collect();
        let mut change = tracker.step(head);
        while let HeadChange::Fetch(hash) = change {
            change = tracker.parent(all[&hash]);
        }
        change
    }

    #[test]
    fn a_head_that_went_back_is_a_reorganisation() {
        let main = chain(&L1BlockRef::default(), 5, 0);
        let mut tracker = HeadTracker::new(10);
        assert_eq!(feed(&mut tracker, main[0], &[&main]), HeadChange::Extended);
        assert_eq!(feed(&mut tracker, main[5], &[&main]), HeadChange::Extended);
        assert_eq!(feed(&mut tracker, main[5], &[&main]), HeadChange::Unchanged);
        let back = HeadChange::Reorg { common: Some(main[3].id()) };
        assert_eq!(feed(&mut tracker, main[3], &[&main]), back);
        assert_eq!(tracker.head(), Some(&main[3]));
    }

    #[test]
    fn a_wrong_parent_is_asked_for_again() {
        let main = chain(&L1BlockRef::default(), 5, 0);
        let mut tracker = HeadTracker::new(10);
        tracker.step(main[0]);
        let asked = HeadChange::Fetch(main[4].hash);
        assert_eq!(tracker.step(main[5]), asked);
        assert_eq!(tracker.parent(main[2]), asked);
    }

    #[test]
    fn what_is_older_than_the_memory_has_no_common_block() {
        let main = chain(&L1BlockRef::default(), 20, 0);
        let other = chain(&main[5], 16, 1);
        let mut tracker = HeadTracker::new(4);
        feed(&mut tracker, main[20], &[&main]);
        let change = feed(&mut tracker, other[16], &[&main, &other]);
        assert_eq!(change, HeadChange::Reorg { common: None });
    }

    proptest! {
        #[test]
        fn the_common_block_is_where_the_branches_part(
            length in 1_usize..30,
            back in 0_usize..30,
            new in 1_usize..30,
        ) {
            let main = chain(&L1BlockRef::default(), length, 0);
            let joint = length.saturating_sub(back);
            let other = chain(&main[joint], new, 1);
            let mut tracker = HeadTracker::new(64);
            feed(&mut tracker, main[0], &[&main]);
            feed(&mut tracker, main[length], &[&main]);
            let change = feed(&mut tracker, other[new], &[&main, &other]);
            let expected = if joint == length {
                HeadChange::Extended
            } else {
                HeadChange::Reorg { common: Some(main[joint].id()) }
            };
            prop_assert_eq!(change, expected);
            prop_assert_eq!(tracker.head(), Some(&other[new]));
            // What is remembered is one chain.
            let blocks: Vec<_> = tracker.chain.iter().collect();
            prop_assert!(blocks.windows(2).all(|pair| pair[1].parent_hash == pair[0].hash));
        }
    }
}
