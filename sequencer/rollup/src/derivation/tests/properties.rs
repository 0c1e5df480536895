//! Random chains, channels, frames and carriers.

use alloy_primitives::Address;
use proptest::prelude::*;

use super::super::Event;
use super::world::*;
use crate::frame::{Frame, encode_frames};
use crate::l1::{Carrier, ConfigUpdate};

/// How a rollup is operated, as bytes that decisions are drawn from.
#[derive(Debug, Clone)]
struct Plan {
    intervals: Vec<u64>,
    choices: Vec<u8>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let intervals = prop::collection::vec(1u64..9, 8..24);
    (intervals, prop::collection::vec(any::<u8>(), 200))
        .prop_map(|(intervals, choices)| Plan { intervals, choices })
}

/// Decisions, one byte each, over and over.
struct Choices<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Choices<'_> {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(*self.0.next().unwrap()) % limit
    }
}

impl Plan {
    fn choices(&self) -> Choices<'_> {
        Choices(self.choices.iter().cycle())
    }

    fn l1(&self) -> World {
        let mut world = World::new();
        self.extend_l1(&mut world, 0);
        world
    }

    /// Appends L1 blocks of this plan, with deposits and updates now and then.
    fn extend_l1(&self, world: &mut World, salt: u64) {
        let mut choices = self.choices();
        for interval in self.intervals.iter().skip(world.l1.blocks.len() - 1) {
            world.l1.push(world.l1.last().timestamp + interval, salt);
            let head = world.l1.head();
            if choices.below(3) == 0 {
                let gas_limit = 21_000 + head + salt;
                let deposit = op_alloy_consensus::TxDeposit { gas_limit, ..Default::default() };
                world.l1.block_mut(head).deposits.push(deposit);
            }
            if choices.below(5) == 0 {
                let update = ConfigUpdate::GasLimit(30_000_000 + head + salt);
                world.l1.block_mut(head).config_updates.push(update);
            }
        }
    }

    /// Sequences on L1 from the head of `chain` on, until blocks have the origin three before
    /// the end, so that batches fit behind them.
    fn sequence(&self, world: &World, chain: &mut Chain) {
        let mut choices = self.choices();
        let last = world.l1.head() - 3;
        let mut nonce = chain.blocks.len() as u64 * 10;
        while chain.head().l1_origin.number < last {
            let transactions = choices.below(4);
            chain.sequence(&world.l1, 1, || {
                let transaction = |_| {
                    nonce += 1;
                    transaction(nonce, nonce as usize % 40)
                };
                (0..transactions).map(transaction).collect()
            });
        }
    }

    /// Posts the blocks from `first` on: random channels, forms, frames, transactions, carriers.
    fn batch(&self, world: &mut World, chain: &Chain, first: usize, from: u64) {
        let mut choices = self.choices();
        let mut next = first;
        let mut l1 = from;
        while next < chain.blocks.len() {
            let end = (next + 1 + choices.below(9)).min(chain.blocks.len());
            let blocks = chain.batch_blocks(next..end);
            let encoded: Vec<Vec<u8>> = match choices.below(3) {
                0 => singular(&blocks).iter().map(|batch| batch.encode()).collect(),
                1 => vec![span(&world.config, &blocks)],
                _ => {
                    let half = blocks.len().div_ceil(2);
                    let parts = [&blocks[..half], &blocks[half..]];
                    let parts = parts.iter().filter(|part| !part.is_empty());
                    parts.map(|part| span(&world.config, part)).collect()
                }
            };
            let bytes = channel(&encoded);
            let frames = frames(end as u8, &bytes, bytes.len() / (1 + choices.below(3)) + 1);
            // The last origin's hash is known in the block after it. All frames of a channel in
            // one or two blocks, in a window of ten.
            let origin = blocks.last().unwrap().block.l1_origin.number;
            l1 = l1.max(origin + 1);
            let split = choices.below(frames.len() + 1);
            post_frames(world, l1, &frames[..split], &mut choices);
            if split < frames.len() && l1 < origin + 2 && choices.below(2) == 0 {
                l1 += 1;
            }
            post_frames(world, l1, &frames[split..], &mut choices);
            next = end;
        }
    }
}

fn post_frames(world: &mut World, l1: u64, frames: &[Frame], choices: &mut Choices<'_>) {
    let mut frames = frames;
    while !frames.is_empty() {
        post_junk(world, l1, choices);
        let (now, rest) = frames.split_at(1 + choices.below(frames.len()));
        let data = encode_frames(now);
        match choices.below(2) {
            0 => {
                world.post(l1, data);
            }
            _ => world.post_certificate(l1, data),
        }
        frames = rest;
    }
}

/// What anyone, or a confused batcher, may put between; nothing of it opens a channel.
fn post_junk(world: &mut World, l1: u64, choices: &mut Choices<'_>) {
    let stray = || {
        let mut frames = frames(0xee, &[1, 2, 3, 4], 1);
        frames.remove(0);
        encode_frames(&frames)
    };
    match choices.below(8) {
        0 => {
            world.post_as(l1, Address::ZERO, Carrier::Calldata(stray().into()));
        }
        1 => {
            world.post(l1, stray());
        }
        2 => {
            world.post(l1, vec![0, 9, 9]);
        }
        3 => world.post_certificate(l1, vec![]),
        _ => {}
    }
}

proptest! {
    #[test]
    fn derivation_gives_the_sequenced_chain(plan in plan()) {
        let mut world = plan.l1();
        let mut chain = Chain::new(&world.config);
        plan.sequence(&world, &mut chain);
        plan.batch(&mut world, &chain, 1, 0);
        let node = world.derive();
        prop_assert!(node.batch_drops().is_empty(), "{:?}", node.dropped);
        // The end of L1 may close a window and add blocks of deposits.
        prop_assert!(node.chain.blocks.len() >= chain.blocks.len());
        prop_assert_eq!(&node.chain.refs()[..chain.blocks.len()], &chain.refs()[..]);
    }

    #[test]
    fn neither_the_pace_of_l1_nor_restarts_change_the_result(
        plan in plan(),
        broken in 1usize..20,
        restarts in any::<u64>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let mut world = plan.l1();
        let mut chain = Chain::new(&world.config);
        plan.sequence(&world, &mut chain);
        // One block does not execute: what follows it in its channel is dropped.
        let broken = broken.min(chain.blocks.len() - 1);
        plan.batch(&mut world, &chain, 1, 0);
        let mut blocks = chain.batch_blocks(broken..chain.blocks.len().min(broken + 4));
        blocks[0].transactions.push(invalid_transaction());
        let l1 = blocks.last().unwrap().block.l1_origin.number + 1;
        let bytes = channel(&[span(&world.config, &blocks)]);
        let data = encode_frames(&frames(0xbb, &bytes, bytes.len()));
        // And a channel is damaged somewhere.
        let mut damaged = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
        let at = flip.index(damaged.len());
        damaged[at] ^= 1 << (broken % 8);
        world.post_channel(world.l1.head() - 1, 0xdd, damaged);
        world.l1.block_mut(l1).batches.insert(0, crate::l1::InboxTransaction {
            index: 0,
            hash: Default::default(),
            sender: BATCHER,
            carrier: Carrier::Calldata(data.into()),
        });

        let all_at_once = world.derive();
        let mut node = Verifier::new(&world.config);
        let mut seen = world.clone();
        seen.l1.cut(L1_GENESIS + 1);
        for block in world.l1.blocks.iter().skip(1) {
            seen.l1.blocks.push(block.clone());
            node.follow(&seen);
            if restarts >> (block.number % 64) & 1 == 1 {
                node.restart(&seen);
                node.follow(&seen);
            }
            node.step(Event::L1Finalized(block.id()), &seen);
        }
        prop_assert_eq!(node.chain.refs(), all_at_once.chain.refs());
        prop_assert_eq!(node.index(), all_at_once.index());
        prop_assert_eq!(node.chain.executed, all_at_once.chain.executed);
    }

    #[test]
    fn after_an_l1_reorganisation_the_result_is_that_of_the_new_l1(
        plan in plan(),
        other in plan(),
        fork in any::<prop::sample::Index>(),
        keep in any::<bool>(),
    ) {
        let mut world = plan.l1();
        let mut chain = Chain::new(&world.config);
        plan.sequence(&world, &mut chain);
        plan.batch(&mut world, &chain, 1, 0);
        let mut node = world.derive();

        // Another L1 from `fork` on. The sequencer keeps the blocks whose origins are left, and
        // what was posted below is still there.
        let fork = L1_GENESIS + 1 + fork.index(world.l1.blocks.len() - 1) as u64;
        world.l1.cut(fork);
        other.extend_l1(&mut world, 1);
        if world.l1.head() > fork + 3 {
            let mut base = world.clone();
            base.l1.cut(fork);
            let safe = base.derive();
            let mut chain = safe.chain;
            let kept = chain.blocks.len();
            if keep {
                other.sequence(&world, &mut chain);
                other.batch(&mut world, &chain, kept, fork);
            }
        }
        node.follow(&world);
        // An L1 that is shorter than before shows itself when it grows.
        while node.resets.is_empty() {
            world.l1.push(world.l1.last().timestamp + 4, 2);
            node.follow(&world);
        }
        let fresh = world.derive();
        node.follow(&world);
        // Blocks whose origins are left stay as unsafe ones, whatever became of their batches.
        prop_assert_eq!(node.machine.safe_head(), fresh.machine.safe_head());
        let safe = node.safe() as usize;
        prop_assert_eq!(&node.chain.refs()[..=safe], &fresh.chain.refs()[..=safe]);
        prop_assert_eq!(node.index(), fresh.index());
    }
}
