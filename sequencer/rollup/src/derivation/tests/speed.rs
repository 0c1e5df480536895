//! How fast the machine alone is: `cargo test --release -p cairn-rollup -- --ignored speed
//! --nocapture`.

use std::time::{Duration, Instant};

use super::super::{Effect, Event};
use super::world::*;

#[test]
#[ignore = "a measurement"]
fn speed_of_transfers_in_span_batches() {
    const BLOCKS: usize = 20;
    const TRANSFERS: u64 = 5_000;
    let mut world = World::with_l1(20, 4);
    let mut chain = Chain::new(&world.config);
    let mut nonce = 0;
    chain.sequence(&world.l1, BLOCKS, || {
        nonce += TRANSFERS;
        (nonce - TRANSFERS..nonce).map(|nonce| transaction(nonce, 0)).collect()
    });
    for first in (1..=BLOCKS).step_by(5) {
        let blocks = chain.batch_blocks(first..first + 5);
        let l1 = blocks[4].block.l1_origin.number + 1;
        world.post_span(l1, &blocks);
    }
    let mut node = Verifier::new(&world.config);
    let mut spent = Duration::ZERO;
    let mut event = Some(Event::Start);
    let mut transactions = 0;
    while let Some(next) = event.take() {
        let begin = Instant::now();
        let effects = node.machine.step(next, &node.chain).unwrap();
        spent += begin.elapsed();
        for effect in effects {
            match effect {
                Effect::NeedL1Block { number, .. } => {
                    let block = world.l1.block(number).cloned();
                    event = block.map(|block| Event::L1Block(block.into()));
                }
                Effect::Attributes(derived) => {
                    transactions += derived.attributes.transactions.len();
                    event = node.chain.apply(&derived).map(Event::Applied);
                }
                _ => {}
            }
        }
    }
    assert_eq!(transactions as u64, BLOCKS as u64 * TRANSFERS);
    let rate = transactions as f64 / spent.as_secs_f64();
    println!("{transactions} transfers in {spent:?}: {rate:.0} per second");
}
