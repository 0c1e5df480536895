use super::*;

const LENGTH: u64 = 86_400;
const GENESIS: u64 = 1_000;
/// Some time in epoch 5.
const NOW: u64 = GENESIS + 5 * LENGTH + 100;

fn clock() -> EpochClock {
    EpochClock { genesis: GENESIS, length: NonZeroU64::new(LENGTH).unwrap() }
}

const FIRST: Turn = Turn { index: 0, operators: 1 };

fn signed(epoch: u64, mark: u64) -> Signed {
    Signed {
        epoch: Epoch(epoch),
        bitmap: vec![7],
        hashes_root: B256::left_padding_from(&mark.to_be_bytes()),
        depth: 2,
    }
}

/// Certificates as batch, epoch and time.
fn pending(certificates: &[(u64, u64, u64)]) -> BTreeMap<BatchIndex, Pending> {
    let certificate = |&(batch, epoch, time)| {
        let signed = Some(signed(epoch, batch));
        (BatchIndex(batch), Pending { time: Timestamp(time), signed, ..Pending::default() })
    };
    certificates.iter().map(certificate).collect()
}

fn step(pending: &BTreeMap<BatchIndex, Pending>, next: u64, now: u64) -> Step {
    next_step(pending, BatchIndex(next), &clock(), &FIRST, Timestamp(now))
}

fn report(certificates: &[(u64, u64)]) -> Step {
    Step::Report(certificates.iter().map(|(epoch, batch)| signed(*epoch, *batch)).collect())
}

#[test]
fn epochs_are_counted_as_the_registry_counts_them() {
    let clock = clock();
    assert_eq!(clock.at(Timestamp(0)), Epoch(0));
    assert_eq!(clock.at(Timestamp(GENESIS + LENGTH - 1)), Epoch(0));
    assert_eq!(clock.at(Timestamp(GENESIS + LENGTH)), Epoch(1));
    assert_eq!(clock.start(Epoch(1)), clock.end(Epoch(0)));
    assert_eq!(clock.end(Epoch(u64::MAX)), Timestamp(u64::MAX));
}

#[test]
fn a_certificate_waits_for_the_end_of_its_epoch() {
    let current = pending(&[(3, 5, NOW - 10)]);
    assert_eq!(step(&current, 3, NOW), Step::Wait);
    let end = GENESIS + 6 * LENGTH;
    // An old one is reported sooner; this one is too young until the epoch ends.
    let late = pending(&[(3, 5, end - 20)]);
    assert_eq!(step(&late, 3, end - 1), Step::Wait);
    assert_eq!(step(&late, 3, end), report(&[(5, 3)]));
    assert_eq!(step(&current, 3, NOW - 10 + AGE_MAX - 1), Step::Wait);
    assert_eq!(step(&current, 3, NOW - 10 + AGE_MAX), report(&[(5, 3)]));
    assert_eq!(step(&BTreeMap::new(), 3, u64::MAX), Step::Wait);
}

#[test]
fn one_of_a_completed_epoch_takes_those_before_it_along() {
    let mixed = pending(&[(3, 5, NOW - 2), (5, 4, NOW - 1), (6, 5, NOW)]);
    assert_eq!(step(&mixed, 3, NOW), report(&[(5, 3), (4, 5), (5, 6)]));
    // What is reported already is none of it.
    assert_eq!(step(&mixed, 6, NOW), Step::Wait);
}

#[test]
fn a_full_group_does_not_wait() {
    let all: Vec<_> = (0..GROUP as u64 + 3).map(|batch| (batch, 5, NOW)).collect();
    assert_eq!(step(&pending(&all[..GROUP - 1]), 0, NOW), Step::Wait);
    for count in [GROUP, GROUP + 3] {
        let Step::Report(group) = step(&pending(&all[..count]), 0, NOW) else { panic!("{count}") };
        assert_eq!(group.len(), GROUP);
        assert_eq!(group[GROUP - 1], signed(5, GROUP as u64 - 1));
    }
}

#[test]
fn long_ways_between_certificates_are_walked_in_parts() {
    let near = pending(&[(WALK_MAX, 4, NOW)]);
    assert_eq!(step(&near, 0, NOW), report(&[(4, WALK_MAX)]));
    let far = pending(&[(WALK_MAX + 1, 4, NOW)]);
    assert_eq!(step(&far, 0, NOW), Step::Pass(WALK_MAX + 1));
    let very_far = pending(&[(PASS_MAX * 2, 4, NOW)]);
    assert_eq!(step(&very_far, 0, NOW), Step::Pass(PASS_MAX));
    assert_eq!(step(&very_far, PASS_MAX, NOW), Step::Pass(PASS_MAX));
    // Not before there is something to report.
    assert_eq!(step(&pending(&[(PASS_MAX, 5, NOW)]), 0, NOW), Step::Wait);
    // Behind the first, a way that is too long ends the group, which counts as full.
    let apart = pending(&[(0, 5, NOW), (1, 5, NOW), (WALK_MAX + 3, 5, NOW)]);
    assert_eq!(step(&apart, 0, NOW), report(&[(5, 0), (5, 1)]));
    let together = pending(&[(0, 5, NOW), (1, 5, NOW), (WALK_MAX + 2, 5, NOW)]);
    assert_eq!(step(&together, 0, NOW), Step::Wait);
}

#[test]
fn nothing_is_reported_past_a_certificate_that_nobody_sees() {
    let mut certificates = pending(&[(3, 4, NOW), (4, 4, NOW), (5, 4, NOW)]);
    certificates.get_mut(&BatchIndex(4)).unwrap().signed = None;
    assert_eq!(step(&certificates, 3, NOW), report(&[(4, 3)]));
    assert_eq!(step(&certificates, 4, NOW), Step::Blocked(BatchIndex(4)));
    assert_eq!(step(&certificates, 5, NOW), report(&[(4, 5)]));
    let complete = |next| complete_before(&certificates, BatchIndex(next), Epoch(4));
    assert!(!complete(4), "nobody knows its epoch");
    assert!(complete(5));
}

#[test]
fn all_is_reported_when_only_the_current_epoch_is_left() {
    let certificates = pending(&[(3, 4, NOW), (4, 5, NOW)]);
    let complete = |next| complete_before(&certificates, BatchIndex(next), Epoch(5));
    assert!(!complete(3));
    assert!(complete(4) && complete(5));
}

#[test]
fn each_operator_has_its_turn_and_none_waits_for_long() {
    let clock = clock();
    for number in [0, 7, u64::MAX] {
        let wait = |index| Turn { index, operators: 5 }.wait(number, &clock);
        let mut waits: Vec<_> = (0..5).map(wait).collect();
        assert_eq!(wait(u64::MAX), 5 * TURN, "who is not in the quorum is last");
        waits.sort_unstable();
        assert_eq!(waits, [0, TURN, 2 * TURN, 3 * TURN, 4 * TURN]);
    }
    let first =
        |number| (0..5).find(|&index| Turn { index, operators: 5 }.wait(number, &clock) == 0);
    assert_ne!(first(0), first(1), "the first one changes");
    let short = EpochClock { length: NonZeroU64::new(120).unwrap(), ..clock };
    assert_eq!(Turn { index: 199, operators: 200 }.wait(0, &short), 29);
    assert_eq!(Turn { index: u64::MAX, operators: 200 }.wait(0, &short), 30);
    assert_eq!(Turn { index: u64::MAX, operators: 0 }.wait(9, &short), 24);
}

#[test]
fn an_operator_reports_in_its_turn() {
    let certificates = pending(&[(0, 4, NOW)]);
    let last = Turn { index: 2, operators: 3 };
    let step = |now| next_step(&certificates, BatchIndex(0), &clock(), &last, Timestamp(now));
    assert_eq!(step(NOW + 2 * TURN - 1), Step::Wait);
    assert_eq!(step(NOW + 2 * TURN), report(&[(4, 0)]));
}
