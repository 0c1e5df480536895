//! Every reason to refuse.

use super::*;

fn offer_code(rig: &mut Rig, header: Header) -> RefusalCode {
    let (_, effect) = rig.offered(header);
    code(effect)
}

#[test]
fn before_l1_was_read_nothing_is_signed() {
    let rig = Rig::new(Limits::default());
    let mut blind = Admission::new(*rig.admission.operator(), Limits::default());
    let offer = Box::new(rig.offer(rig.header(1)));
    let effect = blind.step(Event::Offered(Ticket(0), offer), rig.now);
    assert_eq!(refused(effect).code, RefusalCode::L1Unavailable);
}

#[test]
fn behind_an_l1_that_stands_still_nothing_is_signed() {
    let limits = Limits { l1_max_age: Duration::from_secs(300), ..Limits::default() };
    let mut rig = Rig::new(limits);
    let ticket = rig.until_store(rig.header(1));
    rig.now += Duration::from_secs(300);
    rig.until_body(rig.header(2));
    rig.now += Duration::from_secs(1);
    let refusal = refused(rig.step(Event::Stored(ticket, Ok(()))));
    assert_eq!(refusal.code, RefusalCode::L1Unavailable);
    let header = rig.header(3);
    let (_, effect) = rig.offered(header);
    let refusal = refused(Some(effect));
    assert_eq!(refusal.code, RefusalCode::L1Unavailable);
    assert!(refusal.message.contains(&format!("block 10, the last one read, is of {NOW}")));
    // A newer block is enough, and one from the future is none that is old.
    for ahead in [0, 5000] {
        let mut newer = quorums(&[(5, 2)]);
        newer.head.time.0 = NOW + 301 + ahead;
        rig.step(Event::Quorums(newer));
        let ticket = rig.until_body(header);
        rig.step(Event::Dropped(ticket));
    }
}

#[test]
fn epochs_without_quorum_are_unknown_until_l1_has_them() {
    let mut rig = Rig::new(Limits::default());
    let mut header = rig.header(1);
    header.epoch = Epoch(6);
    let (_, effect) = rig.offered(header);
    let refusal = refused(Some(effect));
    assert_eq!(refusal.code, RefusalCode::UnknownEpoch);
    assert_eq!(refusal.retry_after_seconds, Some(5));
    rig.step(Event::Quorums(quorums(&[(5, 2), (6, 3)])));
    rig.until_body(header);
    // An epoch that L1 took back is unknown again.
    rig.step(Event::Quorums(quorums(&[(5, 2)])));
    header.reservation.0 += 1;
    assert_eq!(offer_code(&mut rig, header), RefusalCode::UnknownEpoch);
}

#[test]
fn who_is_no_operator_refuses() {
    let mut rig = Rig::new(Limits::default());
    let mut elsewhere = quorums(&[]);
    elsewhere.snapshots.insert(Epoch(5), Arc::new(snapshot(5, 2, 1)));
    rig.step(Event::Quorums(elsewhere));
    let header = rig.header(1);
    assert_eq!(offer_code(&mut rig, header), RefusalCode::NotAnOperator);
    // Registered, with a key that this node has not.
    let operator = Operator { key: secret(9).public_key(), ..*rig.admission.operator() };
    let mut other = Admission::new(operator, Limits::default());
    other.step(Event::Quorums(quorums(&[(5, 2)])), rig.now);
    let offer = Box::new(rig.offer(header));
    let refusal = refused(other.step(Event::Offered(Ticket(0), offer), rig.now));
    assert_eq!(refusal.code, RefusalCode::NotAnOperator);
    assert!(refusal.message.contains("another key"), "{refusal}");
}

#[test]
fn a_header_must_expire_in_the_future_but_within_the_retention() {
    let mut rig = Rig::new(Limits::default());
    let mut header = rig.header(1);
    let retention = rig_retention();
    for (expiry, expected) in [
        (NOW - 1, RefusalCode::Expired),
        (NOW, RefusalCode::Expired),
        (NOW + retention + 1, RefusalCode::ExpiryTooLate),
        (u64::MAX, RefusalCode::ExpiryTooLate),
    ] {
        header.expiry = Timestamp(expiry);
        assert_eq!(offer_code(&mut rig, header), expected, "{expiry}");
    }
    header.expiry = Timestamp(NOW + retention);
    rig.until_body(header);
    // On a clock that is ahead everything has expired, and the refusal says what time it is here.
    rig.now += Duration::from_secs(2 * retention);
    let (_, effect) = rig.offered(header);
    let refusal = refused(Some(effect));
    assert!(refusal.message.contains(&(NOW + 2 * retention).to_string()), "{refusal}");
}

fn rig_retention() -> u64 {
    Limits::default().retention.as_secs()
}

#[test]
fn rows_are_not_kept_longer_than_certificates_can_be_valid() {
    let limits = Limits { retention: Duration::from_secs(365 * 86_400), ..Limits::default() };
    let mut rig = Rig::new(limits);
    let mut header = rig.header(1);
    header.expiry = Timestamp(NOW + 100 * 86_400 + 1);
    assert_eq!(offer_code(&mut rig, header), RefusalCode::ExpiryTooLate);
    header.expiry.0 -= 1;
    rig.until_body(header);
}

#[test]
fn the_payer_must_have_signed_and_be_served() {
    let mut rig = Rig::new(Limits::default());
    let mut offer = rig.offer(rig.header(1));
    offer.header.expiry.0 += 1;
    let (_, effect) = rig.offered_as(offer);
    assert_eq!(code(effect), RefusalCode::PayerSignature);
    let allowed = [Address::repeat_byte(1)].into();
    let mut closed = Rig::new(Limits { payers_allowed: allowed, ..Limits::default() });
    let header = closed.header(1);
    assert_eq!(offer_code(&mut closed, header), RefusalCode::PayerNotServed);
    let allowed = [closed.payer.address()].into();
    let mut open = Rig::new(Limits { payers_allowed: allowed, ..Limits::default() });
    open.until_body(open.header(1));
}

#[test]
fn bodies_of_another_length_or_above_the_limit_are_refused_before_they_are_read() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let length = rig.length(&header) as u64;
    for wrong in [0, length - 1, length + 1, u64::MAX] {
        let offer = Offer { announced_length: Some(wrong), ..rig.offer(header) };
        let (_, effect) = rig.offered_as(offer);
        assert_eq!(code(effect), RefusalCode::Malformed, "{wrong}");
    }
    let offer = Offer { announced_length: Some(length), ..rig.offer(header) };
    assert!(matches!(rig.offered_as(offer).1, Effect::LookUp(..)));
    let mut small = Rig::new(Limits { max_body_bytes: length - 1, ..Limits::default() });
    assert_eq!(offer_code(&mut small, header), RefusalCode::TooLarge);
}

#[test]
fn a_used_reservation_is_refused() {
    let mut rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let (ticket, _) = rig.offered(header);
    let found = Found { reservation: Some(B256::repeat_byte(5)), rows: Vec::new() };
    let refusal = refused(rig.step(Event::Found(ticket, found)));
    assert_eq!(refusal.code, RefusalCode::ReservationUsed);
    assert_eq!(rig.admission.in_flight(), (0, 0));
    // The store has the last word.
    let ticket = rig.until_store(header);
    let fault = StoreFault::ReservationUsed(B256::repeat_byte(5));
    let refusal = refused(rig.step(Event::Stored(ticket, Err(fault))));
    assert_eq!(refusal.code, RefusalCode::ReservationUsed);
}

#[test]
fn wrong_rows_are_refused_and_count_against_the_payer() {
    let rig = Rig::new(Limits::default());
    let header = rig.header(1);
    let length = rig.length(&header) as u64;
    let limits =
        Limits { payer_burst_bytes: length, payer_bytes_per_second: 1, ..Limits::default() };
    let mut rig = Rig::new(limits);
    let ticket = rig.until_body(header);
    rig.step(Event::BodyRead(ticket));
    let wrong = Refusal::new(RefusalCode::WrongRow, "row 3");
    let refusal = refused(rig.step(Event::Verified(ticket, Err(wrong.clone()))));
    assert_eq!(refusal, wrong);
    let (ticket, _) = rig.offered(header);
    let refusal = refused(rig.step(Event::Found(ticket, Found::default())));
    assert_eq!(refusal.code, RefusalCode::RateLimited);
    assert_eq!(refusal.retry_after_seconds, Some(length));
    rig.now += Duration::from_secs(length);
    rig.tell_time();
    rig.until_body(header);
}

#[test]
fn work_in_progress_is_bounded_in_all_and_for_each_payer() {
    let rig = Rig::new(Limits::default());
    // Room for any two of them, not for three.
    let [one, two, three] = [1, 2, 3].map(|number| rig.length(&rig.header(number)) as u64);
    let in_flight_bytes = two + one.max(three);
    let mut rig = Rig::new(Limits { in_flight_bytes, ..Limits::default() });
    let first = rig.until_body(rig.header(1));
    rig.until_body(rig.header(2));
    let third = rig.header(3);
    let (ticket, _) = rig.offered(third);
    let refusal = refused(rig.step(Event::Found(ticket, Found::default())));
    assert_eq!(refusal.code, RefusalCode::Busy);
    rig.step(Event::Dropped(first));
    rig.until_body(third);

    // One payer's share; alone a body may be larger.
    for share in [two + one.max(three), 1] {
        let mut rig = Rig::new(Limits { payer_in_flight_bytes: share, ..Limits::default() });
        rig.until_body(rig.header(1));
        let second = rig.header(2);
        let third = if share == 1 {
            second
        } else {
            rig.until_body(second);
            third
        };
        assert_eq!(offer_code(&mut rig, third), RefusalCode::RateLimited);
        rig.payer = PrivateKeySigner::from_bytes(&B256::repeat_byte(4)).unwrap();
        rig.until_body(rig.header(3));
    }

    let mut rig = Rig::new(Limits { in_flight_per_payer: 1, ..Limits::default() });
    rig.until_body(rig.header(1));
    let second = rig.header(2);
    assert_eq!(offer_code(&mut rig, second), RefusalCode::RateLimited);
    rig.payer = PrivateKeySigner::from_bytes(&B256::repeat_byte(4)).unwrap();
    rig.until_body(rig.header(1));
}

#[test]
fn a_full_disk_signs_nothing_and_says_why() {
    let mut rig = Rig::new(Limits::default());
    let ticket = rig.until_store(rig.header(1));
    let fault = StoreFault::NoSpace("No space left on device".into());
    let refusal = refused(rig.step(Event::Stored(ticket, Err(fault))));
    assert_eq!(refusal.code, RefusalCode::DiskFull);
    let header = rig.header(2);
    let (_, effect) = rig.offered(header);
    let refusal = refused(Some(effect));
    assert_eq!(refusal.code, RefusalCode::DiskFull);
    assert!(refusal.message.contains("No space left"), "{refusal}");
    rig.step(Event::Disk(Disk::Low { free: 5, wanted: 10 }));
    let (_, effect) = rig.offered(header);
    assert!(refused(Some(effect)).message.contains("5 bytes free"));
    rig.step(Event::Disk(Disk::Free));
    rig.until_body(header);
}

#[test]
fn a_failed_write_is_an_internal_error() {
    let mut rig = Rig::new(Limits::default());
    let ticket = rig.until_store(rig.header(1));
    let refusal = refused(rig.step(Event::Stored(ticket, Err(StoreFault::Failed("io".into())))));
    assert_eq!(refusal.code, RefusalCode::Internal);
    assert_eq!(rig.admission.in_flight(), (0, 0));
}
