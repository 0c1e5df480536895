//! What bodies take up in memory, and what they do not.

use super::*;

/// A header whose bodies take more than the first room.
fn large(rig: &Rig, reservation: u64) -> Header {
    Header { shape: Shape::new(4, 4096).unwrap(), ..rig.header(reservation) }
}

fn fresh_payer(number: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(number)).unwrap()
}

/// The room that a body gets when what it had is full.
fn filled(rig: &mut Rig, ticket: Ticket) -> usize {
    match rig.step(Event::Filled(ticket)) {
        Some(Effect::ReadOn(of, room)) if of == ticket => room,
        other => panic!("no room: {other:?}"),
    }
}

#[test]
fn a_body_takes_room_as_it_arrives() {
    let mut rig = Rig::new(Limits::default());
    let header = large(&rig, 1);
    let length = rig.length(&header);
    assert!(length > 4 << 16, "{length}");
    let (ticket, _) = rig.offered(header);
    assert_eq!(rig.admission.in_flight(), (1, 0));
    match rig.step(Event::Found(ticket, Found::default())) {
        Some(Effect::ReadBody { length: whole, room, .. }) => {
            assert_eq!((whole, room), (length, 1 << 16));
        }
        other => panic!("{other:?}"),
    }
    // A body without the room to read it was not read.
    assert_eq!(rig.step(Event::BodyRead(ticket)), None);
    let mut rooms = Vec::new();
    while rooms.last() != Some(&length) {
        rooms.push(filled(&mut rig, ticket));
        assert_eq!(rig.admission.in_flight(), (1, rooms[rooms.len() - 1] as u64));
    }
    assert_eq!(rooms[..2], [2 << 16, 4 << 16]);
    assert_eq!(filled(&mut rig, ticket), length, "no more than there is to come");
    assert!(matches!(rig.step(Event::BodyRead(ticket)), Some(Effect::Verify(..))));
    assert_eq!(rig.step(Event::Filled(ticket)), None);
    assert_eq!(rig.admission.in_flight(), (1, length as u64));
}

#[test]
fn payers_who_send_headers_alone_keep_nobody_out() {
    let rig = Rig::new(Limits::default());
    let length = rig.length(&large(&rig, 1)) as u64;
    let mut rig = Rig::new(Limits { in_flight_bytes: 3 * length, ..Limits::default() });
    // With all that they announce they would take three times of what there is.
    for number in 10..19 {
        rig.payer = fresh_payer(number);
        let header = large(&rig, 1);
        rig.until_body(header);
    }
    rig.payer = fresh_payer(3);
    let header = large(&rig, 1);
    let whole = rig.length(&header);
    let ticket = rig.until_body(header);
    while filled(&mut rig, ticket) < whole {}
    assert!(matches!(rig.step(Event::BodyRead(ticket)), Some(Effect::Verify(..))));
}

#[test]
fn a_body_that_finds_no_room_is_refused_and_gives_back_what_it_had() {
    let mut rig = Rig::new(Limits { in_flight_bytes: 3 << 16, ..Limits::default() });
    let header = large(&rig, 1);
    let first = rig.until_body(header);
    rig.payer = fresh_payer(9);
    let header = large(&rig, 1);
    let second = rig.until_body(header);
    assert_eq!(filled(&mut rig, first), 2 << 16);
    let refusal = refused(rig.step(Event::Filled(second)));
    assert_eq!(refusal.code, RefusalCode::Busy);
    assert_eq!(rig.admission.in_flight(), (1, 2 << 16));
    assert_eq!(rig.step(Event::Filled(second)), None);
    rig.step(Event::Dropped(first));
    assert_eq!(rig.admission.in_flight(), (0, 0));
    // Its reservation is free, too.
    let again = rig.until_body(header);
    assert_eq!(filled(&mut rig, again), 2 << 16);
}

proptest::proptest! {
    /// Whatever bodies do, what they take up is counted, and never more than there is.
    #[test]
    fn room_is_bounded_and_given_back(
        acts in proptest::collection::vec((0_u8..4, 0_usize..6), 1..120),
    ) {
        let most = 20 << 16;
        let mut rig = Rig::new(Limits { in_flight_bytes: most, ..Limits::default() });
        let mut rooms = BTreeMap::new();
        let mut offered = 0;
        for (act, at) in acts {
            let picked = rooms.keys().nth(at).copied();
            match (act, picked) {
                (0, _) => {
                    offered += 1;
                    rig.payer = fresh_payer(offered);
                    let header = large(&rig, 1);
                    let (ticket, _) = rig.offered(header);
                    let effect = rig.step(Event::Found(ticket, Found::default()));
                    if let Some(Effect::ReadBody { room, .. }) = effect {
                        rooms.insert(ticket, room);
                    }
                }
                (1, Some(ticket)) => {
                    rig.step(Event::Dropped(ticket));
                    rooms.remove(&ticket);
                }
                (_, Some(ticket)) => match rig.step(Event::Filled(ticket)) {
                    Some(Effect::ReadOn(_, room)) => {
                        rooms.insert(ticket, room);
                    }
                    _ => {
                        rooms.remove(&ticket);
                    }
                },
                _ => {}
            }
            let held = rooms.values().sum::<usize>() as u64;
            proptest::prop_assert_eq!(rig.admission.in_flight(), (rooms.len(), held));
            proptest::prop_assert!(held <= most);
        }
    }
}
