//! A verifier that checks what it derives.

use std::collections::BTreeSet;

use cairn_rollup::derivation::{DerivedAttributes, Effect, Event};
use cairn_rollup::testing;

use super::rules::{check_attributes, check_end_of_l1};
use super::world::{Posted, World};

#[derive(Debug)]
pub(super) struct Verifier<'a> {
    world: &'a World,
    pub(super) inner: testing::Verifier,
    /// Blocks with transactions of a batch.
    pub(super) from_batches: usize,
    /// Blocks that did not execute.
    pub(super) replaced: usize,
    /// Attributes that were given out last.
    given: Option<DerivedAttributes>,
}

impl<'a> Verifier<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let inner = testing::Verifier::new(&world.config);
        Self { world, inner, from_batches: 0, replaced: 0, given: None }
    }

    /// Derives until L1 ends; with `restarts` from the store again behind every other L1 block.
    pub(super) fn follow(&mut self, l1: &Posted<'_>, restarts: bool) {
        let mut restarted = BTreeSet::new();
        let mut next = Some(Event::Start);
        while let Some(event) = next {
            next = self.step(event, l1);
            let Some(Event::L1Block(block)) = &next else { continue };
            let done = block.number - 1;
            let due = restarts && done.is_multiple_of(2) && self.has_read(done);
            if due && restarted.insert(done) {
                let head = self.inner.chain.head();
                self.inner.restart(l1);
                assert_eq!(self.inner.start.unsafe_head, head, "L1 stays as it is");
                next = Some(Event::Start);
            }
        }
    }

    /// Whether the safe-head index has that L1 block.
    fn has_read(&self, l1: u64) -> bool {
        self.inner.chain.index.last().is_some_and(|entry| entry.l1.number == l1)
    }

    /// Takes an event in; gives the next one.
    fn step(&mut self, event: Event, l1: &Posted<'_>) -> Option<Event> {
        let invalid = matches!(event, Event::Invalid);
        let inner = &mut self.inner;
        let effects = inner.machine.step(event, &inner.chain).expect("the machine goes on");
        let mut from_batch = false;
        for effect in &effects {
            match effect {
                Effect::Attributes(derived) => {
                    self.check(derived, invalid);
                    from_batch = !derived.attributes.transactions.is_empty();
                }
                Effect::SafeHead { l1, l2 } => {
                    assert_eq!(l2, self.inner.machine.safe_head());
                    check_end_of_l1(self.world, l1.number, l2);
                }
                Effect::Finalized(block) => panic!("nothing is final, not {block:?}"),
                Effect::Reset(reason) => panic!("L1 stays as it is: {reason}"),
                Effect::NeedL1Block { .. } | Effect::NeedData(_) | Effect::Dropped(_) => {}
            }
        }
        let next = self.inner.take(effects, l1);
        self.from_batches += usize::from(from_batch && matches!(next, Some(Event::Applied(_))));
        next
    }

    /// `instead`: these come for attributes that did not execute.
    fn check(&mut self, derived: &DerivedAttributes, instead: bool) {
        check_attributes(self.world, self.inner.machine.safe_head(), derived);
        if instead {
            let mut before = self.given.take().expect("there were attributes");
            assert!(!before.attributes.transactions.is_empty(), "deposits do not execute");
            before.attributes.transactions.clear();
            let last_in_span = derived.last_in_span;
            assert!(*derived == DerivedAttributes { last_in_span, ..before }, "other deposits");
            self.replaced += 1;
        }
        self.given = Some(derived.clone());
    }
}
