//! L1 stands still, for longer than a block may be ahead of its origin (OP specification: Derivation,
//! sequencer drift).

use proptest::prelude::*;

use super::world::*;
use crate::origin::OriginError;

/// Seconds between L1 blocks.
const L1_TIME: u64 = 12;
/// Blocks of L1 between two stops, enough to confirm an origin and to carry what was built meanwhile.
const BETWEEN: u64 = 12;

/// L1, a sequencer and its batcher, by the second.
struct Simulation {
    world: World,
    chain: Chain,
    confirmations: u64,
    /// Seconds since genesis.
    now: u64,
    /// Last block that was posted.
    posted: usize,
    /// Why the last try to build was refused.
    refused: Option<OriginError>,
    nonce: u64,
}

impl Simulation {
    fn new(confirmations: u64) -> Self {
        let mut world = World::new();
        world.config.seq_window_size = 3600;
        world.config.channel_timeout_granite = 50;
        let chain = Chain::new(&world.config);
        Self { world, chain, confirmations, now: 0, posted: 0, refused: None, nonce: 0 }
    }

    fn drift(&self) -> u64 {
        self.world.config.sequencer_drift_max()
    }

    /// Time goes on, and the sequencer builds what is due and allowed.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            self.build();
        }
    }

    fn build(&mut self) {
        self.refused = None;
        while self.chain.head().timestamp + self.world.config.block_time <= GENESIS_TIME + self.now
        {
            let nonce = &mut self.nonce;
            let txs = || {
                *nonce += 1;
                vec![transaction(*nonce, 1)]
            };
            if let Err(error) = self.chain.sequence_one(&self.world.l1, self.confirmations, txs) {
                self.refused = Some(error);
                return;
            }
        }
    }

    /// L1 has a block, with a batch of what had been built before.
    fn mine(&mut self) {
        self.world.l1.push(GENESIS_TIME + self.now, 0);
        let built = self.chain.blocks.len();
        if built > self.posted + 1 {
            let blocks = self.chain.batch_blocks(self.posted + 1..built);
            self.world.post_span(self.world.l1.head(), &blocks);
            self.posted = built - 1;
        }
        self.build();
    }

    fn mine_regularly(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.pass(L1_TIME);
            self.mine();
        }
    }

    /// What the specification says of every block.
    fn check_drift(&self) {
        let user_transactions = self.chain.batch_blocks(1..self.chain.blocks.len());
        for (block, (name, _)) in user_transactions.iter().zip(&self.chain.blocks[1..]) {
            let origin = self.world.l1.block(name.l1_origin.number).unwrap();
            assert!(name.timestamp >= origin.timestamp, "{name:?} is before its origin");
            let ahead = name.timestamp - origin.timestamp;
            let empty = block.transactions.is_empty();
            assert!(ahead <= self.drift() || empty, "{name:?} is {ahead} s ahead");
        }
    }

    /// The sequencer is where the clock is, takes transactions, and everybody derives its chain.
    fn check_end(&self) {
        assert_eq!(self.refused, None);
        let head = self.chain.head();
        assert!(head.timestamp + self.world.config.block_time > GENESIS_TIME + self.now);
        let last = self.chain.blocks.len() - 1;
        assert!(!self.chain.batch_blocks(last..last + 1)[0].transactions.is_empty());
        self.check_drift();
        let node = self.world.derive();
        assert_eq!(node.dropped, []);
        assert_eq!(node.chain.refs()[..], self.chain.refs()[..=self.posted]);
    }
}

#[test]
fn a_sequencer_stops_at_the_drift_and_goes_on_with_empty_blocks_when_l1_does() {
    let mut simulation = Simulation::new(2);
    simulation.mine_regularly(BETWEEN);
    simulation.pass(4000);
    // Blocks of users up to the drift, and none beyond: nobody knows yet what they would be built on.
    let head = simulation.chain.head();
    let origin = simulation.world.l1.block(head.l1_origin.number).unwrap();
    let stopped = origin.timestamp + simulation.drift();
    assert_eq!(origin.number + simulation.confirmations, simulation.world.l1.head());
    assert!(head.timestamp <= stopped && head.timestamp + 2 > stopped, "{head:?}, {stopped}");
    assert!(matches!(simulation.refused, Some(OriginError::StaleL1 { .. })));
    let built = simulation.chain.blocks.len();
    let last = simulation.chain.batch_blocks(built - 1..built);
    assert!(!last[0].transactions.is_empty(), "transactions were taken to the end");

    // The origins that were known before the stop are deep enough one after the other.
    simulation.mine_regularly(BETWEEN);
    let (resumed, blocks) = (simulation.chain.blocks.len(), &simulation.chain);
    let empty = blocks.batch_blocks(built..resumed);
    let empty = empty.iter().filter(|block| block.transactions.is_empty()).count();
    assert!(empty > 1000, "{empty} empty blocks lead to where L1 is again");
    simulation.check_end();
}

#[test]
fn a_short_stop_is_not_seen_in_any_block() {
    let mut simulation = Simulation::new(2);
    simulation.mine_regularly(BETWEEN);
    simulation.pass(1700);
    assert_eq!(simulation.refused, None);
    simulation.mine_regularly(BETWEEN);
    let blocks = simulation.chain.batch_blocks(1..simulation.chain.blocks.len());
    assert!(blocks.iter().all(|block| !block.transactions.is_empty()));
    simulation.check_end();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whenever_l1_stops_and_goes_on_everybody_agrees(
        confirmations in 0u64..6,
        stops in proptest::collection::vec((0u64..4000, 1u64..20), 1..4),
    ) {
        let mut simulation = Simulation::new(confirmations);
        simulation.mine_regularly(BETWEEN);
        for (seconds, blocks) in stops {
            simulation.pass(seconds);
            simulation.mine();
            simulation.mine_regularly(blocks);
            simulation.check_drift();
        }
        simulation.mine_regularly(BETWEEN);
        simulation.check_end();
    }
}
