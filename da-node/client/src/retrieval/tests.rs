//! The retrieval, driven step by step. A row of operator `o` holds what it says it is.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, keccak256};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{
    Epoch, Header, Operator, PayloadLength, QuorumId, Reservation, Shape, SlotTable, Snapshot,
    Stake, Timestamp,
};
use proptest::prelude::*;

use super::*;

const OPERATORS: u16 = 16;
const NEEDED: usize = 8;

fn table() -> (Shape, SlotTable) {
    let key = SecretKey::derive(keccak256(b"any").as_slice()).unwrap().public_key();
    let operator =
        |i: u16| Operator { address: Address::with_last_byte(i as u8 + 1), stake: Stake(1), key };
    let operators = (0..OPERATORS).map(operator).collect();
    let end = Timestamp(1);
    let snapshot =
        Snapshot::new(Epoch(1), QuorumId(0), B256::repeat_byte(1), end, operators).unwrap();
    let shape = Shape::new(NEEDED as u16, 1).unwrap();
    let header = Header {
        shape,
        payload_length: PayloadLength(100),
        hashes_root: B256::repeat_byte(2),
        payer: Address::repeat_byte(3),
        reservation: Reservation(1),
        epoch: Epoch(1),
        quorum: QuorumId(0),
        expiry: end,
    };
    (shape, snapshot.slot_table(&header))
}

fn content(row: RowIndex, good: bool) -> Vec<u8> {
    vec![row.0 as u8 + if good { 0 } else { 100 }; 32]
}

/// How an operator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    Liar,
    Garbage,
    Dead,
    Mute,
    Empty,
}

struct Rig {
    retrieval: Retrieval,
    now: Duration,
    asked: Vec<(OperatorIndex, RowIndex)>,
}

impl Rig {
    fn new(policy: RetrievalPolicy) -> Self {
        let (shape, table) = table();
        let retrieval = Retrieval::new(shape, usize::from(OPERATORS), &table, policy);
        Self { retrieval, now: Duration::from_secs(50), asked: Vec::new() }
    }

    /// Runs until the end against operators of such manners.
    fn run(&mut self, manner: impl Fn(OperatorIndex) -> Manner) -> RetrievalEffect {
        let mut events = vec![RetrievalEvent::Start];
        let mut wake = None;
        for _ in 0..10_000 {
            let event = match events.pop() {
                Some(event) => event,
                None => {
                    self.now = wake.take().expect("something to wait for");
                    RetrievalEvent::Tick
                }
            };
            for effect in self.retrieval.step(event, self.now) {
                match effect {
                    RetrievalEffect::Ask(operator, row, _) => {
                        self.asked.push((operator, row));
                        let answer = match manner(operator) {
                            Manner::Honest => RowAnswer::Row(content(row, true)),
                            Manner::Liar => RowAnswer::Row(content(row, false)),
                            Manner::Garbage => RowAnswer::Row(vec![1; 5]),
                            Manner::Dead => RowAnswer::Failed,
                            Manner::Empty => RowAnswer::Missing,
                            Manner::Mute => continue,
                        };
                        events.push(RetrievalEvent::Answered(operator, row, answer));
                    }
                    RetrievalEffect::Verify(rows) => {
                        let bad = |row: &RowIndex| {
                            self.retrieval.row(*row).unwrap() != content(*row, true)
                        };
                        let bad = rows.into_iter().filter(bad).collect();
                        events.push(RetrievalEvent::Verified(bad));
                    }
                    RetrievalEffect::WakeAt(time) => wake = Some(time),
                    end => return end,
                }
            }
        }
        panic!("no end");
    }

    fn rows(self) -> BTreeSet<u16> {
        let rows = self.retrieval.into_rows();
        assert!(rows.iter().all(|(row, bytes)| *bytes == content(*row, true)));
        rows.into_keys().map(|row| row.0).collect()
    }
}

#[test]
fn the_original_rows_are_asked_for_once_and_suffice() {
    let mut rig = Rig::new(RetrievalPolicy::default());
    assert_eq!(rig.run(|_| Manner::Honest), RetrievalEffect::Complete);
    assert_eq!(rig.asked.len(), NEEDED);
    assert_eq!(rig.rows(), (0..NEEDED as u16).collect());
}

#[test]
fn rows_of_dead_operators_are_replaced() {
    let mut rig = Rig::new(RetrievalPolicy::default());
    let dead = |operator: OperatorIndex| {
        if operator.0 < 8 { Manner::Dead } else { Manner::Honest }
    };
    assert_eq!(rig.run(dead), RetrievalEffect::Complete);
    assert_eq!(rig.rows().len(), NEEDED);
}

#[test]
fn liars_are_found_and_asked_nothing_more() {
    let mut rig = Rig::new(RetrievalPolicy::default());
    let lying = |operator: OperatorIndex| {
        if operator.0.is_multiple_of(2) { Manner::Liar } else { Manner::Honest }
    };
    assert_eq!(rig.run(lying), RetrievalEffect::Complete);
    assert_eq!(rig.rows().len(), NEEDED);
}

#[test]
fn a_mute_operator_holds_nothing_up_for_longer_than_the_hedge() {
    let policy = RetrievalPolicy::default();
    let mut rig = Rig::new(policy);
    let start = rig.now;
    let mute = |operator: OperatorIndex| {
        if operator.0 < 4 { Manner::Mute } else { Manner::Honest }
    };
    assert_eq!(rig.run(mute), RetrievalEffect::Complete);
    assert!(rig.now - start <= 3 * policy.hedge_after, "{:?}", rig.now - start);
}

#[test]
fn a_late_answer_still_counts() {
    let mut rig = Rig::new(RetrievalPolicy::default());
    let effects = rig.retrieval.step(RetrievalEvent::Start, rig.now);
    let asks: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            RetrievalEffect::Ask(operator, row, _) => Some((*operator, *row)),
            _ => None,
        })
        .collect();
    rig.now += Duration::from_secs(1);
    let hedged = rig.retrieval.step(RetrievalEvent::Tick, rig.now);
    assert!(hedged.iter().any(|effect| matches!(effect, RetrievalEffect::Ask(..))));
    let mut last = Vec::new();
    for (operator, row) in asks {
        let answer = RowAnswer::Row(content(row, true));
        last = rig.retrieval.step(RetrievalEvent::Answered(operator, row, answer), rig.now);
    }
    assert!(matches!(&last[0], RetrievalEffect::Verify(rows) if rows.len() == NEEDED));
    let end = rig.retrieval.step(RetrievalEvent::Verified(Vec::new()), rig.now);
    assert_eq!(end, [RetrievalEffect::Complete]);
    assert_eq!(rig.retrieval.step(RetrievalEvent::Tick, rig.now), []);
}

#[test]
fn gives_up_when_nobody_is_left() {
    let mut rig = Rig::new(RetrievalPolicy::default());
    let manner = |operator: OperatorIndex| match operator.0 % 4 {
        0 => Manner::Dead,
        1 => Manner::Garbage,
        2 => Manner::Empty,
        _ => {
            if operator.0 < 8 {
                Manner::Liar
            } else {
                Manner::Honest
            }
        }
    };
    match rig.run(manner) {
        RetrievalEffect::GaveUp(missing) => {
            assert!(missing.rows < NEEDED && missing.needed == NEEDED, "{missing:?}");
            assert_eq!(missing.silent, 4);
            assert!(missing.liars >= 4, "{missing}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn gives_up_at_the_deadline_when_all_are_mute() {
    let policy = RetrievalPolicy::default();
    let mut rig = Rig::new(policy);
    let start = rig.now;
    let end = rig.run(|_| Manner::Mute);
    assert!(matches!(end, RetrievalEffect::GaveUp(Missing { rows: 0, .. })), "{end:?}");
    assert_eq!(rig.now, start + policy.deadline);
}

#[test]
fn operators_are_not_asked_for_more_at_a_time_than_the_policy_says() {
    let policy = RetrievalPolicy { requests_per_operator: 1, ..RetrievalPolicy::default() };
    let mut rig = Rig::new(policy);
    let effects = rig.retrieval.step(RetrievalEvent::Start, rig.now);
    let mut asked = BTreeSet::new();
    for effect in effects {
        if let RetrievalEffect::Ask(operator, _, _) = effect {
            assert!(asked.insert(operator), "{operator} was asked twice");
        }
    }
    assert_eq!(asked.len(), NEEDED);
}

proptest! {
    /// With a quarter of the rows at honest operators the payload always comes back, whatever the
    /// others do.
    #[test]
    fn honest_operators_with_enough_rows_suffice(
        manners in prop::collection::vec(0_u8..6, usize::from(OPERATORS)),
    ) {
        let manner = |operator: OperatorIndex| match manners[operator.as_usize()] {
            0 => Manner::Liar,
            1 => Manner::Garbage,
            2 => Manner::Dead,
            3 => Manner::Mute,
            4 => Manner::Empty,
            _ => Manner::Honest,
        };
        let (_, table) = table();
        let honest: BTreeSet<_> = (0..OPERATORS)
            .map(OperatorIndex)
            .filter(|operator| manner(*operator) == Manner::Honest)
            .flat_map(|operator| table.rows_of(operator))
            .collect();
        let mut rig = Rig::new(RetrievalPolicy::default());
        let end = rig.run(manner);
        if honest.len() >= NEEDED {
            prop_assert_eq!(end, RetrievalEffect::Complete);
            prop_assert_eq!(rig.rows().len(), NEEDED);
        } else {
            prop_assert!(matches!(end, RetrievalEffect::GaveUp(_)), "{:?}", end);
        }
    }
}
