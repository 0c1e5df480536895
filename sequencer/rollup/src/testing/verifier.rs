//! A verifier: the machine, its chain, and what it asks of L1.

use std::sync::Arc;

use super::{Chain, L1Source};
use crate::RollupConfig;
use crate::derivation::{BatchData, Derivation, DropReason, Effect, Event, ResetReason};
use crate::start::{KnownL1, SafeHeadEntry, Start, StartError, find_start};

/// A verifier.
#[derive(Debug)]
pub struct Verifier {
    /// What was derived.
    pub chain: Chain,
    /// The machine.
    pub machine: Derivation,
    /// Where the machine started.
    pub start: Start,
    /// What was dropped.
    pub dropped: Vec<DropReason>,
    /// Number of the finalized block.
    pub finalized: Option<u64>,
    /// Why it began anew.
    pub resets: Vec<ResetReason>,
    /// The L1 block that the machine waits for.
    wanted: Option<u64>,
}

impl Verifier {
    /// One that has derived nothing.
    pub fn new(config: &RollupConfig) -> Self {
        let chain = Chain::new(config);
        let genesis = config.genesis;
        let start = Start {
            unsafe_head: chain.head(),
            safe: chain.head(),
            l1: genesis.l1,
            system_config: genesis.system_config,
            processed: genesis.l1,
        };
        Self {
            machine: Derivation::new(Arc::new(config.clone()), &start),
            chain,
            start,
            dropped: Vec::new(),
            finalized: None,
            resets: Vec::new(),
            wanted: None,
        }
    }

    /// Derives until L1 ends.
    pub fn follow(&mut self, l1: &impl L1Source) {
        let mut event = match self.wanted {
            Some(number) => l1.block(number, self.machine.safe_head()).map(Event::L1Block),
            None => Some(Event::Start),
        };
        while let Some(next) = event {
            event = self.step(next, l1);
        }
    }

    /// Takes an event in; gives the next one.
    pub fn step(&mut self, event: Event, l1: &impl L1Source) -> Option<Event> {
        let effects = self.machine.step(event, &self.chain).expect("the machine goes on");
        self.take(effects, l1)
    }

    /// Does what the machine asks for; gives the next event.
    pub fn take(&mut self, effects: Vec<Effect>, l1: &impl L1Source) -> Option<Event> {
        let mut next = None;
        for effect in effects {
            assert!(next.is_none(), "the machine waits for one thing at a time");
            match effect {
                Effect::NeedL1Block { number, .. } => {
                    self.wanted = Some(number);
                    next = l1.block(number, self.machine.safe_head()).map(Event::L1Block);
                }
                Effect::NeedData(request) => {
                    let transaction = request.transaction;
                    next = Some(Event::Data(BatchData { transaction, data: l1.data(transaction) }));
                }
                Effect::Attributes(derived) => {
                    let applied = self.chain.apply(&derived);
                    next = Some(applied.map_or(Event::Invalid, Event::Applied));
                }
                Effect::SafeHead { l1, l2 } => {
                    self.chain.index.retain(|entry| entry.l1.number < l1.number);
                    self.chain.index.push(SafeHeadEntry { l1, l2: l2.id() });
                }
                Effect::Finalized(block) => self.finalized = Some(block.number),
                Effect::Dropped(reason) => self.dropped.push(reason),
                Effect::Reset(reason) => {
                    self.resets.push(reason);
                    self.restart(l1);
                    next = Some(Event::Start);
                }
            }
        }
        next
    }

    /// Begins anew from what is in the store, as after a crash.
    pub fn restart(&mut self, l1: &impl L1Source) {
        let mut known = KnownL1::new();
        let head = self.chain.head().number;
        self.start = loop {
            match find_start(&self.chain.config, head, 0, &self.chain, &known) {
                Ok(start) => break start,
                Err(StartError::NeedL1(number)) => {
                    known.insert(number, l1.hash(number));
                }
                Err(error) => panic!("{error}"),
            }
        };
        self.chain.blocks.truncate(self.start.unsafe_head.number as usize + 1);
        self.machine = Derivation::new(Arc::new(self.chain.config.clone()), &self.start);
        self.wanted = None;
    }
}
