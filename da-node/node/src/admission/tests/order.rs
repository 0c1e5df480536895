//! The order of the stages, and what is held meanwhile.

use super::*;

#[test]
fn a_submission_is_signed_after_it_is_stored() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let (ticket, effect) = rig.offered(header);
    assert_eq!(effect, Effect::LookUp(ticket, Box::new(header)));
    let (length, rows) = (rig.length(&header), rig.rows(&header));
    let effect = rig.step(Event::Found(ticket, Found::default()));
    assert_eq!(effect, Some(Effect::ReadBody { ticket, length, room: length, rows }));
    assert_eq!(rig.admission.in_flight(), (1, length as u64));
    assert!(matches!(rig.step(Event::BodyRead(ticket)), Some(Effect::Verify(..))));
    assert!(matches!(rig.step(Event::Verified(ticket, Ok(()))), Some(Effect::Store(..))));
    let digest = rig.digest(&header);
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
fn a_quorum_replaced_during_the_look_up_is_not_signed_for() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let found = Found { reservation: Some(header.hash()), rows: rig.rows(&header) };
    let (ticket, _) = rig.offered(header);
    rig.step(Event::Quorums(quorums(&[(5, 99)])));
    let refusal = refused(rig.step(Event::Found(ticket, found.clone())));
    assert_eq!(refusal.code, RefusalCode::UnknownEpoch);
    assert_eq!(rig.admission.in_flight(), (0, 0));
    // Nor is a header that expired meanwhile.
    rig.step(Event::Quorums(quorums(&[(5, 2)])));
    let (ticket, _) = rig.offered(header);
    rig.now += Duration::from_secs(3600);
    let refusal = refused(rig.step(Event::Found(ticket, found)));
    assert_eq!(refusal.code, RefusalCode::Expired);
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
    // Another number of the same payer is free, and so is this one once the first is dropped.
    rig.until_body(rig.header(2));
    rig.step(Event::Dropped(ticket));
    rig.until_body(other);
}

#[test]
fn who_replays_a_header_does_not_keep_its_payer_out() {
    let rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let length = rig.length(&header) as u64;
    let payer_burst_bytes = length;
    let mut rig = Rig::new(Limits { payer_burst_bytes, ..Limits::default() });
    // The header is paid for once.
    let [replayed, wrong, good, late] = [(); 4].map(|()| rig.until_body(header));
    assert_eq!(rig.admission.in_flight(), (4, 4 * length));
    let (_, effect) = rig.offered(header);
    assert_eq!(code(effect), RefusalCode::InProgress);
    let mut other = header;
    other.expiry.0 += 1;
    let (_, effect) = rig.offered(other);
    assert_eq!(code(effect), RefusalCode::ReservationUsed);
    rig.step(Event::BodyRead(wrong));
    let refusal = Refusal::new(RefusalCode::WrongRow, "row 3");
    rig.step(Event::Verified(wrong, Err(refusal)));
    for ticket in [good, late] {
        rig.step(Event::BodyRead(ticket));
        assert!(matches!(rig.step(Event::Verified(ticket, Ok(()))), Some(Effect::Store(..))));
    }
    for ticket in [good, late] {
        let effect = rig.step(Event::Stored(ticket, Ok(())));
        assert!(matches!(effect, Some(Effect::Sign(..))), "{effect:?}");
    }
    // What is still sent holds the reservation.
    let (_, effect) = rig.offered(other);
    assert_eq!(code(effect), RefusalCode::ReservationUsed);
    rig.step(Event::Dropped(replayed));
    assert_eq!(rig.admission.in_flight(), (0, 0));
    assert!(matches!(rig.offered(other).1, Effect::LookUp(..)));
}

#[test]
fn senders_of_one_header_share_the_room_of_its_payer() {
    let rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let payer_in_flight_bytes = 2 * rig.length(&header) as u64;
    let mut rig = Rig::new(Limits { payer_in_flight_bytes, ..Limits::default() });
    let first = rig.until_body(header);
    rig.until_body(header);
    let (_, effect) = rig.offered(header);
    assert_eq!(code(effect), RefusalCode::InProgress);
    rig.step(Event::Dropped(first));
    rig.until_body(header);
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
    // Of the current epoch 5 the one before is signed for.
    let prune = |before| Some(Effect::Prune { before: Timestamp(before), signable: Epoch(4) });
    assert_eq!(at(&mut rig), prune(NOW - 10));
    // A clock a year ahead prunes nothing that L1 says is alive, and neither does one behind.
    rig.now += Duration::from_secs(365 * 86_400);
    assert_eq!(at(&mut rig), prune(NOW - 10));
    rig.now = Duration::from_secs(NOW - 100);
    assert_eq!(at(&mut rig), prune(NOW - 110));
    let operator = *rig.admission.operator();
    let mut blind = Admission::new(operator, Limits::default());
    assert_eq!(blind.step(Event::Tick, rig.now), None);
}
