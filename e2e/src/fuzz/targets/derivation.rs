//! Derivation: everything between L1 and payload attributes, with what a batcher may post.
//!
//! An input is what is posted on a small L1, a sequence of records (`input`). The machine runs over it as in
//! a verifier, on a chain that executes by decoding. Of each block it is asserted that it keeps the
//! rules of the specification by itself (`rules`), whatever the batches say, and at the end of each L1 block that
//! no block is missing whose sequencing window is over. Then a second verifier derives the same L1, which restarts
//! behind every other L1 block, and must come to the same.

mod input;
mod rules;
mod seeds;
mod verifier;
mod world;

use input::records;
use verifier::Verifier;
use world::{Posted, World};

use crate::fuzz::{Outcome, Target};

pub(super) fn target() -> eyre::Result<Target> {
    let world = World::new();
    let seeds = seeds::seeds(&world)?;
    let tokens = seeds::tokens(&world);
    let execute = move |bytes: &[u8]| execute(&world, bytes);
    Ok(Target { name: "derivation", seeds, tokens, max_bytes: 4096, execute: Box::new(execute) })
}

fn execute(world: &World, bytes: &[u8]) -> Outcome {
    let l1 = Posted::new(world, records(bytes));
    let mut first = Verifier::new(world);
    first.follow(&l1, false);
    let mut second = Verifier::new(world);
    second.follow(&l1, true);
    let (chain, other) = (&first.inner.chain, &second.inner.chain);
    assert!(chain.refs() == other.refs(), "a restart changes the chain");
    assert!(chain.index == other.index, "a restart changes the safe-head index");
    assert!(chain.executed == other.executed, "a restart executes blocks anew");

    // The first two reasons: all of them together are as many outcomes as there are inputs.
    let mut reasons: Vec<&str> = Vec::new();
    let dropped: Vec<_> = first.inner.dropped.iter().map(|reason| Outcome::error(reason)).collect();
    for reason in dropped.iter().map(Outcome::name) {
        if reasons.len() < 2 && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let mut name = reasons.join("+");
    if first.replaced > 0 {
        name.push_str(" replaced");
    }
    match first.from_batches {
        0 => Outcome::refused(format!("empty {name}")),
        _ => Outcome::accepted(format!("blocks {name}")),
    }
}
