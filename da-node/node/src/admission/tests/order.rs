//! The order of the stages, and what is held meanwhile.

use proptest::prelude::*;

use super::*;

#[test]
fn a_submission_is_signed_after_it_is_stored() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let (ticket, effect) = rig.offered(header);
    assert_eq!(effect, Effect::LookUp(ticket, Box::new(header)));
    let (length, rows) = (rig.length(&header), rig.rows(&header));
    let effect = rig.step(Event::Found(ticket, Found::default()));
    assert_eq!(effect, Some(Effect::ReadBody { ticket, length, rows }));
    assert_eq!(rig.admission.in_flight(), (1, length as u64));
    assert!(matches!(rig.step(Event::BodyRead(ticket)), Some(Effect::Verify(..))));
    assert!(matches!(rig.step(Event::Verified(ticket, Ok(()))), Some(Effect::Store(..))));
    let digest = rig.admission.operator().domain.attestation(&header);
    assert_eq!(rig.step(Event::Stored(ticket, Ok(()))), Some(Effect::Sign(ticket, digest)));
    assert_eq!(rig.admission.in_flight(), (0, 0));
}

#[test]
fn what_is_stored_already_is_signed_again_without_its_body() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let (ticket, _) = rig.offered(header);
    let found = Found { reservation: Some(header.hash()), rows: rig.rows(&header) };
    let effect = rig.step(Event::Found(ticket, found));
    assert!(matches!(effect, Some(Effect::Sign(..))), "{effect:?}");
    // Rows without the reservation are none that were acknowledged.
    let (ticket, _) = rig.offered(header);
    let found = Found { reservation: None, rows: rig.rows(&header) };
    assert!(matches!(rig.step(Event::Found(ticket, found)), Some(Effect::ReadBody { .. })));
}

#[test]
fn a_header_whose_rows_moved_with_the_seed_is_taken_again() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let before = rig.rows(&header);
    rig.step(Event::Quorums(quorums(&[(5, 99)])));
    assert_ne!(rig.rows(&header), before, "the seeds give the same rows");
    let (ticket, _) = rig.offered(header);
    let found = Found { reservation: Some(header.hash()), rows: before };
    assert!(matches!(rig.step(Event::Found(ticket, found)), Some(Effect::ReadBody { .. })));
}

#[test]
fn a_quorum_replaced_during_the_work_is_not_signed_for() {
    let mut rig = Rig::new(Limits::default());
    let ticket = rig.until_store(rig.header(1));
    rig.step(Event::Quorums(quorums(&[(5, 99)])));
    let refusal = refused(rig.step(Event::Stored(ticket, Ok(()))));
    assert_eq!(refusal.code, RefusalCode::UnknownEpoch);
}

#[test]
fn a_header_that_expired_during_the_work_is_not_signed() {
    let mut rig = Rig::new(Limits::default());
    let ticket = rig.until_store(rig.header(1));
    rig.now += Duration::from_secs(3600);
    assert_eq!(refused(rig.step(Event::Stored(ticket, Ok(())))).code, RefusalCode::Expired);
}

#[test]
fn one_reservation_has_one_header_at_a_time() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let ticket = rig.until_body(header);
    let mut other = header;
    other.hashes_root = B256::repeat_byte(2);
    let (_, effect) = rig.offered(other);
    assert_eq!(code(effect), RefusalCode::ReservationUsed);
    let (_, effect) = rig.offered(header);
    assert_eq!(code(effect), RefusalCode::InProgress);
    // Another number of the same payer is free, and so is this one once the first is dropped.
    rig.until_body(rig.header(2));
    rig.step(Event::Dropped(ticket));
    rig.until_body(other);
}

#[test]
fn a_reservation_stays_held_while_its_write_runs() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let ticket = rig.until_store(header);
    assert_eq!(rig.step(Event::Dropped(ticket)), None);
    let mut other = header;
    other.expiry.0 += 1;
    let (_, effect) = rig.offered(other);
    assert_eq!(code(effect), RefusalCode::ReservationUsed);
    assert!(matches!(rig.step(Event::Stored(ticket, Ok(()))), Some(Effect::Sign(..))));
}

#[test]
fn rows_are_pruned_when_both_clocks_say_so() {
    let limits = Limits { prune_grace: Duration::from_secs(10), ..Limits::default() };
    let mut rig = Rig::new(limits);
    let at = |rig: &mut Rig| rig.step(Event::Tick);
    assert_eq!(at(&mut rig), Some(Effect::Prune(Timestamp(NOW - 10))));
    // A clock a year ahead prunes nothing that L1 says is alive, and neither does one behind.
    rig.now += Duration::from_secs(365 * 86_400);
    assert_eq!(at(&mut rig), Some(Effect::Prune(Timestamp(NOW - 10))));
    rig.now = Duration::from_secs(NOW - 100);
    assert_eq!(at(&mut rig), Some(Effect::Prune(Timestamp(NOW - 110))));
    let operator = *rig.admission.operator();
    let mut blind = Admission::new(operator, Limits::default());
    assert_eq!(blind.step(Event::Tick, rig.now), None);
}

#[derive(Debug, Clone)]
enum Act {
    Offer(u64, u8),
    Found(u64, bool),
    BodyRead(u64),
    Dropped(u64),
    Verified(u64, bool),
    Stored(u64, bool),
    Reseed(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let ticket = 0_u64..24;
    prop_oneof![
        3 => (0_u64..3, 0_u8..3).prop_map(|(reservation, root)| Act::Offer(reservation, root)),
        3 => (ticket.clone(), any::<bool>()).prop_map(|(t, used)| Act::Found(t, used)),
        3 => ticket.clone().prop_map(Act::BodyRead),
        1 => ticket.clone().prop_map(Act::Dropped),
        3 => (ticket.clone(), any::<bool>()).prop_map(|(t, good)| Act::Verified(t, good)),
        3 => (ticket, any::<bool>()).prop_map(|(t, good)| Act::Stored(t, good)),
        1 => (0_u8..3).prop_map(Act::Reseed),
    ]
}

proptest! {
    /// Whatever happens in whatever order, with a store that behaves like ours: nothing is signed
    /// that was not written, and no reservation gets two headers.
    #[test]
    fn no_order_of_events_signs_what_is_not_stored(acts in prop::collection::vec(act(), 1..80)) {
        let mut rig = Rig::new(Limits::default());
        let mut headers = std::collections::HashMap::new();
        let mut stored = std::collections::HashMap::new();
        let mut writes = std::collections::HashSet::new();
        for act in acts {
            let effect = match act {
                Act::Offer(reservation, root) => {
                    let mut header = rig.header(reservation);
                    header.hashes_root = B256::repeat_byte(root);
                    let (ticket, effect) = rig.offered(header);
                    headers.insert(ticket, header);
                    Some(effect)
                }
                Act::Found(t, seen) => {
                    let Some(header) = headers.get(&Ticket(t)) else { continue };
                    let kept = stored.get(&header.reservation).copied();
                    let rows = if seen && kept == Some(header.hash()) {
                        rig.rows(header)
                    } else {
                        Vec::new()
                    };
                    rig.step(Event::Found(Ticket(t), Found { reservation: kept, rows }))
                }
                Act::BodyRead(t) => rig.step(Event::BodyRead(Ticket(t))),
                Act::Dropped(t) => rig.step(Event::Dropped(Ticket(t))),
                Act::Verified(t, good) => {
                    let bad = || Refusal::new(RefusalCode::WrongRow, "row 1");
                    rig.step(Event::Verified(Ticket(t), good.then_some(()).ok_or_else(bad)))
                }
                Act::Stored(t, good) => {
                    let ticket = Ticket(t);
                    let result = if writes.remove(&ticket) && good {
                        let header = headers[&ticket];
                        let kept = *stored.entry(header.reservation).or_insert(header.hash());
                        prop_assert_eq!(kept, header.hash(), "the store had to refuse");
                        Ok(())
                    } else if good {
                        continue;
                    } else {
                        Err(StoreFault::Failed("lost".into()))
                    };
                    rig.step(Event::Stored(ticket, result))
                }
                Act::Reseed(seed) => rig.step(Event::Quorums(quorums(&[(5, seed)]))),
            };
            match effect {
                Some(Effect::Store(ticket, _)) => {
                    writes.insert(ticket);
                }
                Some(Effect::Sign(ticket, digest)) => {
                    let header = headers[&ticket];
                    prop_assert_eq!(stored.get(&header.reservation), Some(&header.hash()));
                    prop_assert_eq!(digest, rig.admission.operator().domain.attestation(&header));
                }
                _ => {}
            }
        }
    }
}
