//! A verifier: the machine, its chain, and what it asks of L1.

use std::collections::BTreeMap;

use cairn_rollup::derivation::{BatchData, Derivation, DerivedAttributes, Effect, Event};
use cairn_rollup::start::{KnownL1, SafeHeadEntry, Start, StartError, find_start};

use super::chain::Chain;
use super::rules::{check_attributes, check_end_of_l1};
use super::world::{Posted, World};
use crate::fuzz::Outcome;

#[derive(Debug)]
pub(super) struct Verifier<'a> {
    world: &'a World,
    pub(super) chain: Chain<'a>,
    machine: Derivation,
    pub(super) dropped: Vec<Outcome>,
    /// Blocks with transactions of a batch.
    pub(super) from_batches: usize,
    /// Blocks that did not execute.
    pub(super) replaced: usize,
    /// Attributes that were given out last.
    given: Option<DerivedAttributes>,
}

impl<'a> Verifier<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let chain = Chain::new(world);
        let genesis = &world.config.genesis;
        let start = Start {
            unsafe_head: chain.head(),
            safe: chain.head(),
            l1: genesis.l1,
            system_config: genesis.system_config,
            processed: genesis.l1,
        };
        Self {
            world,
            machine: Derivation::new(world.config.clone(), &start),
            chain,
            dropped: Vec::new(),
            from_batches: 0,
            replaced: 0,
            given: None,
        }
    }

    /// Derives until L1 ends; with `restarts` from the store again behind every other L1 block.
    pub(super) fn follow(&mut self, l1: &mut Posted<'_>, restarts: bool) {
        let mut restarted = BTreeMap::new();
        let mut next = Some(Event::Start);
        while let Some(event) = next {
            next = self.step(event, l1);
            let Some(Event::L1Block(block)) = &next else { continue };
            let done = block.number - 1;
            let due = restarts && done.is_multiple_of(2) && self.has_read(done);
            if due && restarted.insert(done, ()).is_none() {
                self.restart(l1);
                next = Some(Event::Start);
            }
        }
    }

    /// Whether the safe-head index has that L1 block.
    fn has_read(&self, l1: u64) -> bool {
        self.chain.index.last().is_some_and(|entry| entry.l1.number == l1)
    }

    /// Takes an event in; gives the next one.
    fn step(&mut self, event: Event, l1: &mut Posted<'_>) -> Option<Event> {
        let invalid = matches!(event, Event::Invalid);
        let effects = self.machine.step(event, &self.chain).expect("the machine goes on");
        let mut next = None;
        for effect in effects {
            assert!(next.is_none(), "the machine waits for one thing at a time");
            match effect {
                Effect::NeedL1Block { number, .. } => {
                    next = l1.block(number, self.machine.safe_head()).map(Event::L1Block);
                }
                Effect::NeedData(request) => {
                    let transaction = request.transaction;
                    next = Some(Event::Data(BatchData { transaction, data: l1.data(transaction) }));
                }
                Effect::Attributes(derived) => next = Some(self.apply(*derived, invalid)),
                Effect::SafeHead { l1, l2 } => {
                    assert_eq!(l2, *self.machine.safe_head());
                    check_end_of_l1(self.world, l1.number, &l2);
                    self.chain.index.retain(|entry| entry.l1.number < l1.number);
                    self.chain.index.push(SafeHeadEntry { l1, l2: l2.id() });
                }
                Effect::Dropped(reason) => self.dropped.push(Outcome::error(&reason)),
                Effect::Finalized(block) => panic!("nothing is final, not {block:?}"),
                Effect::Reset(reason) => panic!("L1 stays as it is: {reason}"),
            }
        }
        next
    }

    /// `instead`: these come for attributes that did not execute.
    fn apply(&mut self, derived: DerivedAttributes, instead: bool) -> Event {
        check_attributes(self.world, self.machine.safe_head(), &derived);
        if instead {
            let mut before = self.given.take().expect("there were attributes");
            assert!(!before.attributes.transactions.is_empty(), "deposits do not execute");
            before.attributes.transactions.clear();
            let last_in_span = derived.last_in_span;
            assert!(derived == DerivedAttributes { last_in_span, ..before }, "other deposits");
            self.replaced += 1;
        }
        let applied = self.chain.apply(&derived);
        self.from_batches +=
            usize::from(applied.is_some() && !derived.attributes.transactions.is_empty());
        self.given = Some(derived);
        applied.map_or(Event::Invalid, Event::Applied)
    }

    /// Begins anew from what is in the store, as after a crash.
    fn restart(&mut self, l1: &Posted<'_>) {
        let mut known = KnownL1::new();
        let head = self.chain.head().number;
        let start = loop {
            match find_start(&self.world.config, head, 0, &self.chain, &known) {
                Ok(start) => break start,
                Err(StartError::NeedL1(number)) => {
                    known.insert(number, l1.hash(number));
                }
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(start.unsafe_head, self.chain.head(), "L1 stays as it is");
        self.machine = Derivation::new(self.world.config.clone(), &start);
    }
}
