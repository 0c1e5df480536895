//! The collection, driven step by step.

use alloy_primitives::{Address, B256, keccak256};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{
    CertificateStatus, Domain, Epoch, Header, Operator, PayloadLength, QuorumId, RefusalCode,
    Reservation, Shape, Snapshot, Stake, Timestamp, check_certificate,
};
use proptest::prelude::*;

use super::*;

const OPERATORS: u16 = 16;
const EXPIRY: Timestamp = Timestamp(1000);

fn secret(number: u16) -> SecretKey {
    SecretKey::derive(keccak256(number.to_be_bytes()).as_slice()).unwrap()
}

fn domain() -> Domain {
    Domain { chain_id: 1, registry: Address::repeat_byte(1) }
}

fn snapshot() -> Snapshot {
    let operator = |i: u16| Operator {
        address: Address::with_last_byte(i as u8 + 1),
        stake: Stake(1),
        key: secret(i).public_key(),
    };
    let operators = (0..OPERATORS).map(operator).collect();
    Snapshot::new(Epoch(1), QuorumId(0), B256::repeat_byte(1), EXPIRY, operators).unwrap()
}

fn header() -> Header {
    Header {
        shape: Shape::new(4, 10).unwrap(),
        payload_length: PayloadLength(1000),
        hashes_root: B256::repeat_byte(2),
        payer: Address::repeat_byte(3),
        reservation: Reservation(1),
        epoch: Epoch(1),
        quorum: QuorumId(0),
        expiry: EXPIRY,
    }
}

struct Rig {
    collection: Collection,
    now: Duration,
}

impl Rig {
    fn start(policy: CollectPolicy) -> Self {
        let collection = Collection::new(header(), domain(), snapshot().into(), policy);
        let mut rig = Self { collection, now: Duration::from_secs(100) };
        let effects = rig.step(CollectEvent::Start);
        let sent = effects.iter().filter(|effect| matches!(effect, CollectEffect::Send(..)));
        assert_eq!(sent.count(), usize::from(OPERATORS));
        rig
    }

    fn step(&mut self, event: CollectEvent) -> Vec<CollectEffect> {
        self.collection.step(event, self.now)
    }

    fn sign(&mut self, operator: u16) -> Vec<CollectEffect> {
        let signature = secret(operator).sign(domain().attestation(&header(), snapshot().seed()));
        let answer = Answer::Signature(signature.to_bytes().to_vec());
        self.step(CollectEvent::Answered(OperatorIndex(operator), answer))
    }

    fn answer(&mut self, operator: u16, answer: Answer) -> Vec<CollectEffect> {
        self.step(CollectEvent::Answered(OperatorIndex(operator), answer))
    }

    fn tick_at(&mut self, time: Duration) -> Vec<CollectEffect> {
        self.now = time;
        self.step(CollectEvent::Tick)
    }
}

fn failed() -> Answer {
    Answer::Failed("connection refused".into())
}

fn refusal(code: RefusalCode) -> Answer {
    Answer::Refused(Refusal::new(code, "no"))
}

fn wake(effects: &[CollectEffect]) -> Duration {
    match effects.last() {
        Some(CollectEffect::WakeAt(time)) => *time,
        other => panic!("{other:?}"),
    }
}

fn certified(effects: &[CollectEffect]) -> Vec<u16> {
    let Some(CollectEffect::Certified(certificate)) = effects.last() else { panic!("{effects:?}") };
    let bytes = certificate.encode();
    let status = check_certificate(&bytes, &domain(), Some(&snapshot()), EXPIRY);
    assert_eq!(status, CertificateStatus::Valid);
    certificate.signers.iter().map(|operator| operator.0).collect()
}

#[test]
fn all_signatures_certify_at_once() {
    let mut rig = Rig::start(CollectPolicy::default());
    for operator in 0..OPERATORS - 1 {
        wake(&rig.sign(operator));
    }
    let effects = rig.sign(OPERATORS - 1);
    assert_eq!(certified(&effects), (0..OPERATORS).collect::<Vec<_>>());
    assert_eq!(rig.step(CollectEvent::Tick), []);
}

#[test]
fn stragglers_are_waited_for_shortly_once_two_thirds_have_signed() {
    let policy = CollectPolicy::default();
    let mut rig = Rig::start(policy);
    let start = rig.now;
    // 16 slots of 16 operators: eleven are two thirds.
    for operator in 0..10 {
        assert_eq!(wake(&rig.sign(operator)), start + policy.deadline);
    }
    rig.now += Duration::from_secs(1);
    let last = rig.now + policy.straggler_time;
    assert_eq!(wake(&rig.sign(10)), last);
    rig.now += policy.straggler_time / 2;
    assert_eq!(wake(&rig.sign(12)), last, "the wait is not prolonged");
    let effects = rig.tick_at(last);
    assert_eq!(certified(&effects), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
}

#[test]
fn certified_as_soon_as_nobody_else_can_sign() {
    let mut rig = Rig::start(CollectPolicy::default());
    for operator in 11..OPERATORS {
        rig.answer(operator, refusal(RefusalCode::NotAnOperator));
    }
    for operator in 0..10 {
        wake(&rig.sign(operator));
    }
    assert_eq!(certified(&rig.sign(10)).len(), 11);
}

#[test]
fn passing_failures_are_tried_again_with_growing_pauses_and_then_given_up() {
    let policy = CollectPolicy::default();
    let mut rig = Rig::start(policy);
    let mut pause = policy.pause;
    for _ in 1..policy.attempts {
        let due = wake(&rig.answer(0, failed()));
        assert_eq!(due, rig.now + pause);
        pause *= 2;
        let early = rig.tick_at(due - Duration::from_millis(1));
        assert_eq!(early, [CollectEffect::WakeAt(due)]);
        let effects = rig.tick_at(due);
        let send = CollectEffect::Send(OperatorIndex(0), policy.attempt_time);
        assert_eq!(effects[0], send);
    }
    let effects = rig.answer(0, failed());
    assert_eq!(effects.len(), 1);
    let later = rig.tick_at(rig.now + Duration::from_secs(5));
    assert_eq!(later.len(), 1, "not sent again: {later:?}");
}

#[test]
fn a_node_may_ask_for_a_longer_pause_within_bounds() {
    let policy = CollectPolicy::default();
    let mut rig = Rig::start(policy);
    let asked = |seconds| {
        let refusal = Refusal::new(RefusalCode::RateLimited, "slow down");
        Answer::Refused(refusal.retry_after(Duration::from_secs(seconds)))
    };
    assert_eq!(wake(&rig.answer(0, asked(2))), rig.now + Duration::from_secs(2));
    let mut rig = Rig::start(policy);
    assert_eq!(wake(&rig.answer(0, asked(3600))), rig.now + policy.longest_pause);
}

#[test]
fn a_header_in_progress_is_sent_until_the_deadline() {
    let policy = CollectPolicy::default();
    let mut rig = Rig::start(policy);
    let end = rig.now + policy.deadline;
    let mut pauses = Vec::new();
    loop {
        let due = wake(&rig.answer(0, refusal(RefusalCode::InProgress)));
        if due == end {
            break;
        }
        pauses.push(due - rig.now);
        let effects = rig.tick_at(due);
        assert!(matches!(effects[0], CollectEffect::Send(OperatorIndex(0), _)), "{effects:?}");
    }
    assert!(pauses.len() > policy.attempts as usize, "{pauses:?}");
    assert_eq!(pauses[..3], [1, 2, 4].map(|times| policy.pause * times));
    assert!(pauses.iter().all(|pause| *pause <= policy.longest_pause));
    // Other failures still count.
    let mut rig = Rig::start(policy);
    for _ in 0..policy.attempts {
        let due = wake(&rig.answer(0, refusal(RefusalCode::InProgress)));
        rig.tick_at(due);
    }
    for _ in 1..policy.attempts {
        let due = wake(&rig.answer(0, failed()));
        assert!(due < rig.now + policy.deadline);
        let effects = rig.tick_at(due);
        assert!(matches!(effects[0], CollectEffect::Send(..)), "{effects:?}");
    }
    assert_eq!(rig.answer(0, failed()).len(), 1);
    let later = rig.tick_at(rig.now + Duration::from_secs(5));
    assert_eq!(later.len(), 1, "not sent again: {later:?}");
}

#[test]
fn lasting_refusals_and_lies_are_not_tried_again() {
    let mut rig = Rig::start(CollectPolicy::default());
    let deadline = rig.now + CollectPolicy::default().deadline;
    assert_eq!(wake(&rig.answer(0, refusal(RefusalCode::WrongRow))), deadline);
    assert_eq!(wake(&rig.answer(1, Answer::Signature(vec![1; 96]))), deadline);
    assert_eq!(wake(&rig.answer(2, Answer::Signature(Vec::new()))), deadline);
    // A good signature of someone else, and a good one under another header.
    let digest = domain().attestation(&header(), snapshot().seed());
    let others = secret(5).sign(digest).to_bytes().to_vec();
    assert_eq!(wake(&rig.answer(3, Answer::Signature(others))), deadline);
    let mut other = header();
    other.reservation.0 += 1;
    let elsewhere =
        secret(4).sign(domain().attestation(&other, snapshot().seed())).to_bytes().to_vec();
    assert_eq!(wake(&rig.answer(4, Answer::Signature(elsewhere))), deadline);
    for operator in 5..15 {
        wake(&rig.sign(operator));
    }
    assert_eq!(certified(&rig.sign(15)).len(), 11);
}

#[test]
fn gives_up_when_two_thirds_are_out_of_reach() {
    let mut rig = Rig::start(CollectPolicy::default());
    for operator in 0..5 {
        wake(&rig.answer(operator, refusal(RefusalCode::ReservationUsed)));
    }
    let effects = rig.answer(5, refusal(RefusalCode::ReservationUsed));
    let [CollectEffect::GaveUp(shortfall)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((shortfall.signed, shortfall.needed, shortfall.slots), (0, 11, 16));
    assert_eq!(shortfall.failures.len(), 16);
    assert!(shortfall.to_string().contains("operator 0: ReservationUsed: no"), "{shortfall}");
    assert_eq!(rig.sign(6), []);
}

#[test]
fn gives_up_at_the_deadline_and_no_attempt_outlasts_it() {
    let policy = CollectPolicy { deadline: Duration::from_secs(3), ..CollectPolicy::default() };
    let mut rig = Rig::start(policy);
    let start = rig.now;
    rig.now += Duration::from_secs(1);
    let due = wake(&rig.answer(0, failed()));
    let effects = rig.tick_at(due);
    assert_eq!(effects[0], CollectEffect::Send(OperatorIndex(0), start + policy.deadline - due));
    let effects = rig.tick_at(start + policy.deadline);
    assert!(matches!(effects.last(), Some(CollectEffect::GaveUp(_))), "{effects:?}");
}

#[test]
fn one_answer_counts_once() {
    let mut rig = Rig::start(CollectPolicy::default());
    for _ in 0..20 {
        rig.sign(0);
    }
    assert_eq!(rig.collection.signed(), 1);
    rig.answer(0, failed());
    rig.step(CollectEvent::Answered(OperatorIndex(999), failed()));
    assert_eq!(rig.collection.signed(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever operators do in whatever order, the collection ends by its deadline, with a valid
    /// certificate exactly if two thirds signed in time.
    #[test]
    fn it_always_ends_rightly(
        script in prop::collection::vec((0..OPERATORS, 0_u8..6, 0_u64..3000), 0..60),
    ) {
        let mut rig = Rig::start(CollectPolicy::default());
        let end = rig.now + CollectPolicy::default().deadline;
        let mut last = Vec::new();
        for (operator, act, wait) in script {
            rig.now += Duration::from_millis(wait);
            let effects = match act {
                0..=2 => rig.sign(operator),
                3 => rig.answer(operator, failed()),
                4 => rig.answer(operator, refusal(RefusalCode::WrongRow)),
                _ => rig.step(CollectEvent::Tick),
            };
            if !effects.is_empty() {
                last = effects;
            }
        }
        for effects in [rig.tick_at(end.max(rig.now)), rig.tick_at(end.max(rig.now))] {
            if !effects.is_empty() {
                last = effects;
            }
        }
        match last.last() {
            Some(CollectEffect::Certified(_)) => prop_assert!(certified(&last).len() >= 11),
            Some(CollectEffect::GaveUp(shortfall)) => prop_assert!(shortfall.signed < 11),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
