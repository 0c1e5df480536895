//! Arbitrary orders of events.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Act {
    Offer(u64, u8),
    Found(usize, bool),
    Filled(usize),
    BodyRead(usize),
    Dropped(usize),
    Verified(usize, bool),
    Stored(usize, bool),
    Reseed(u8),
    /// L1 replaces the quorum between the offer and what the store says.
    OfferReseedFound(u64, u8, u8),
}

fn act() -> impl Strategy<Value = Act> {
    // Counted from the last offer back.
    let ticket = 0_usize..4;
    prop_oneof![
        3 => (0_u64..3, 0_u8..2).prop_map(|(reservation, root)| Act::Offer(reservation, root)),
        3 => (ticket.clone(), any::<bool>()).prop_map(|(t, used)| Act::Found(t, used)),
        2 => ticket.clone().prop_map(Act::Filled),
        3 => ticket.clone().prop_map(Act::BodyRead),
        1 => ticket.clone().prop_map(Act::Dropped),
        3 => (ticket.clone(), any::<bool>()).prop_map(|(t, good)| Act::Verified(t, good)),
        3 => (ticket, any::<bool>()).prop_map(|(t, good)| Act::Stored(t, good)),
        1 => (0_u8..3).prop_map(Act::Reseed),
        1 => (0_u64..3, 0_u8..2, 0_u8..3).prop_map(|(r, h, seed)| Act::OfferReseedFound(r, h, seed)),
    ]
}

/// A store that behaves like ours, and who asked it for what.
struct Shell {
    rig: Rig,
    headers: Vec<Header>,
    kept: BTreeMap<Reservation, (B256, BTreeSet<RowIndex>)>,
    writes: BTreeMap<Ticket, Vec<RowIndex>>,
}

impl Shell {
    fn new() -> Self {
        let rig = Rig::new(Limits::default());
        Self { rig, headers: Vec::new(), kept: BTreeMap::new(), writes: BTreeMap::new() }
    }

    fn ticket(&self, back: usize) -> Option<Ticket> {
        let at = self.headers.len().checked_sub(back + 1)?;
        Some(Ticket(at as u64))
    }

    fn header(&self, ticket: Ticket) -> &Header {
        &self.headers[ticket.0 as usize]
    }

    fn offer(&mut self, reservation: u64, root: u8) -> (Ticket, Effect) {
        let mut header = self.rig.header(reservation);
        header.hashes_root = B256::repeat_byte(root);
        self.headers.push(header);
        self.rig.offered(header)
    }

    fn found(&mut self, ticket: Ticket, seen: bool) -> Option<Effect> {
        let header = self.header(ticket);
        let kept = self.kept.get(&header.reservation);
        let rows = kept.filter(|(hash, _)| seen && *hash == header.hash());
        let rows = rows.map(|(_, rows)| rows.iter().copied().collect()).unwrap_or_default();
        let found = Found { reservation: kept.map(|(hash, _)| *hash), rows };
        self.rig.step(Event::Found(ticket, found))
    }

    fn stored(&mut self, ticket: Ticket, good: bool) -> Option<Effect> {
        let rows = self.writes.remove(&ticket)?;
        if !good {
            let lost = StoreFault::Failed("lost".into());
            return self.rig.step(Event::Stored(ticket, Err(lost)));
        }
        let header = *self.header(ticket);
        let empty = || (header.hash(), BTreeSet::new());
        let kept = self.kept.entry(header.reservation).or_insert_with(empty);
        assert_eq!(kept.0, header.hash(), "the store had to refuse");
        kept.1.extend(rows);
        self.rig.step(Event::Stored(ticket, Ok(())))
    }

    fn act(&mut self, act: &Act) -> Option<Effect> {
        match *act {
            Act::Offer(reservation, root) => Some(self.offer(reservation, root).1),
            Act::Found(back, seen) => self.ticket(back).and_then(|it| self.found(it, seen)),
            Act::Filled(back) => self.ticket(back).and_then(|it| self.step(Event::Filled(it))),
            Act::BodyRead(back) => self.ticket(back).and_then(|it| self.step(Event::BodyRead(it))),
            Act::Dropped(back) => self.ticket(back).and_then(|it| self.step(Event::Dropped(it))),
            Act::Verified(back, good) => {
                let verdict =
                    good.then_some(()).ok_or_else(|| Refusal::new(RefusalCode::WrongRow, "row 1"));
                self.ticket(back).and_then(|it| self.step(Event::Verified(it, verdict)))
            }
            Act::Stored(back, good) => self.ticket(back).and_then(|it| self.stored(it, good)),
            Act::Reseed(seed) => self.step(Event::Quorums(quorums(&[(5, seed)]))),
            Act::OfferReseedFound(reservation, root, seed) => {
                let (ticket, effect) = self.offer(reservation, root);
                self.step(Event::Quorums(quorums(&[(5, seed)])));
                match effect {
                    Effect::LookUp(..) => self.found(ticket, true),
                    other => Some(other),
                }
            }
        }
    }

    fn step(&mut self, event: Event) -> Option<Effect> {
        self.rig.step(event)
    }
}

proptest! {
    /// Whatever happens in whatever order, with a store that behaves like ours: nothing is signed
    /// but what was written, with every row that the quorum of now gives the node, and no
    /// reservation gets two headers.
    #[test]
    fn no_order_of_events_signs_what_is_not_stored(acts in prop::collection::vec(act(), 1..80)) {
        let mut shell = Shell::new();
        for act in acts {
            match shell.act(&act) {
                Some(Effect::Store(ticket, rows)) => {
                    shell.writes.insert(ticket, rows);
                }
                Some(Effect::Sign(ticket, digest)) => {
                    let header = shell.header(ticket);
                    let kept = shell.kept.get(&header.reservation);
                    prop_assert_eq!(kept.map(|(hash, _)| *hash), Some(header.hash()));
                    let rows = shell.rig.rows(header);
                    prop_assert!(rows.iter().all(|row| kept.is_some_and(|it| it.1.contains(row))));
                    prop_assert_eq!(digest, shell.rig.digest(header));
                }
                _ => {}
            }
        }
    }
}
