//! The decisions against an L1 that mines, forgets, reorganises and refuses at random, and against
//! crashes at every point.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, U256, keccak256};
use proptest::prelude::*;

use super::{
    Effect, Event, FeeCeiling, Fees, Intent, MarketFees, Mined, Observation, Queue, RequestId,
    SendPolicy, Sent, TransactionKind,
};

const POLICY: SendPolicy = SendPolicy {
    confirmations: 3,
    in_flight_max: 3,
    raise_after: Duration::from_secs(10),
    resend_after: Duration::from_secs(5),
    refusals_max: 3,
    ceiling: FeeCeiling { max: u128::MAX / 4, blob: u128::MAX / 4 },
};

/// What a nonce's transactions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Request(RequestId),
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct Signed {
    content: Content,
    kind: TransactionKind,
    hash: B256,
    fees: Fees,
}

/// L1, the journal, and time.
struct World {
    now: Instant,
    queue: Queue,
    journal: BTreeMap<u64, Vec<Signed>>,
    pool: BTreeMap<u64, Signed>,
    /// Each block's transactions by nonce, and what makes its hash its own.
    blocks: Vec<(u64, Vec<(u64, Signed)>)>,
    market: MarketFees,
    refusing: bool,
    salt: u64,
    next_id: u64,
    /// In the order of their first blocks.
    first_seen: Vec<RequestId>,
    confirmed: Vec<(u64, Content)>,
    rejected: Vec<RequestId>,
    displaced: usize,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            queue: Queue::restore(POLICY, [], 0, 0, now),
            journal: BTreeMap::new(),
            pool: BTreeMap::new(),
            blocks: vec![(0, Vec::new())],
            market: MarketFees { base: 100, priority: 2, blob_base: 1 },
            refusing: false,
            salt: 0,
            next_id: 0,
            first_seen: Vec::new(),
            confirmed: Vec::new(),
            rejected: Vec::new(),
            displaced: 0,
        }
    }

    fn fresh(&mut self) -> u64 {
        self.salt += 1;
        self.salt
    }

    fn mined(&self) -> impl Iterator<Item = (u64, &(u64, Signed))> {
        let numbered = (0_u64..).zip(&self.blocks);
        numbered.flat_map(|(number, (_, mined))| mined.iter().map(move |one| (number, one)))
    }

    fn nonce(&self) -> u64 {
        self.mined().count() as u64
    }

    fn submit(&mut self, kind: TransactionKind) {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.step(Event::Submit(id, kind), usize::MAX);
    }

    /// Steps, and does up to `budget` things of what comes out; what is left is lost in a crash.
    fn step(&mut self, event: Event, budget: usize) {
        let mut effects = std::collections::VecDeque::from(self.queue.step(event, self.now));
        let mut budget = budget;
        while let Some(effect) = effects.pop_front() {
            if budget == 0 {
                self.restart();
                return;
            }
            budget -= 1;
            if let Some(event) = self.perform(effect) {
                effects.extend(self.queue.step(event, self.now));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Sign { nonce, intent, kind, fees } => {
                let hash = keccak256(U256::from(self.fresh()).to_be_bytes::<32>());
                let records = self.journal.entry(nonce).or_default();
                let content = match intent {
                    Intent::Request(id) => Content::Request(id),
                    Intent::Restored => records.last().expect("it is in the journal").content,
                    Intent::Cancel => Content::Nothing,
                };
                if let Some(last) = records.last() {
                    let least = last.fees.replacement(kind);
                    assert!(fees.max >= least.max && fees.priority >= least.priority, "{fees:?}");
                    assert!(fees.blob >= least.blob);
                    let given_up =
                        matches!(last.content, Content::Request(id) if self.rejected.contains(&id));
                    assert!(last.content == content || given_up, "nonce {nonce} has two contents");
                }
                records.push(Signed { content, kind, hash, fees });
                Some(Event::Signed { nonce, hash, fees })
            }
            Effect::Broadcast { nonce, hash } => {
                let records = &self.journal[&nonce];
                let signed = *records.iter().find(|signed| signed.hash == hash).expect("journaled");
                Some(Event::Sent { nonce, hash, sent: self.take(nonce, signed) })
            }
            Effect::Mined { nonce, id, hash, block } => {
                let mined = self.blocks[block.number as usize].1.iter();
                assert!({ mined }.any(|(it, signed)| (*it, signed.hash) == (nonce, hash)));
                self.first_seen.push(id);
                None
            }
            Effect::Confirmed { nonce, intent, hash, .. } => {
                let content = self.journal[&nonce].iter().find(|signed| signed.hash == hash);
                let content = content.expect("ours").content;
                if let Intent::Request(id) = intent {
                    assert_eq!(content, Content::Request(id));
                }
                self.confirmed.push((nonce, content));
                self.journal.remove(&nonce);
                None
            }
            Effect::Displaced { nonce, intent } => {
                assert_eq!(intent, Intent::Cancel, "nobody else uses the key");
                self.displaced += 1;
                self.journal.remove(&nonce);
                None
            }
            Effect::Rejected { id, .. } => {
                self.rejected.push(id);
                None
            }
        }
    }

    /// A pool as geth's.
    fn take(&mut self, nonce: u64, signed: Signed) -> Sent {
        if nonce < self.nonce() {
            return Sent::NonceUsed;
        }
        if self.refusing || self.pool.values().any(|other| other.kind != signed.kind) {
            return Sent::Refused;
        }
        if let Some(old) = self.pool.get(&nonce) {
            if old.hash == signed.hash {
                return Sent::Accepted;
            }
            let least = old.fees.replacement(old.kind);
            if signed.fees.max < least.max || signed.fees.priority < least.priority {
                return Sent::Underpriced;
            }
        }
        self.pool.insert(nonce, signed);
        Sent::Accepted
    }

    fn mine(&mut self) {
        let mut block = Vec::new();
        let mut nonce = self.nonce();
        while let Some(signed) = self.pool.get(&nonce).copied() {
            if !self.market.admits(&signed.fees, signed.kind) {
                break;
            }
            self.pool.remove(&nonce);
            block.push((nonce, signed));
            nonce += 1;
        }
        let salt = self.fresh();
        self.blocks.push((salt, block));
    }

    /// Replaces the newest blocks by empty ones; their transactions go back to the pool or are lost.
    fn reorg(&mut self, depth: usize, lost: bool) {
        let depth = depth.min(self.blocks.len() - 1);
        let kept = self.blocks.len() - depth;
        let dropped: Vec<_> = self.blocks.drain(kept..).flat_map(|(_, mined)| mined).collect();
        if !lost {
            self.pool.extend(dropped);
        }
        for _ in 0..depth {
            let salt = self.fresh();
            self.blocks.push((salt, Vec::new()));
        }
    }

    fn observe(&mut self, budget: usize) {
        let mined = self.mined().map(|(number, (nonce, signed))| {
            let salt = self.blocks[number as usize].0;
            let hash = keccak256(U256::from(salt).to_be_bytes::<32>());
            Mined { nonce: *nonce, hash: signed.hash, block: BlockNumHash { number, hash } }
        });
        let observation = Observation {
            head: self.blocks.len() as u64 - 1,
            nonce: self.nonce(),
            market: self.market,
            mined: mined.collect(),
        };
        self.step(Event::Observed(observation), budget);
    }

    fn restart(&mut self) {
        let records = self.journal.iter().map(|(nonce, records)| {
            let kind = records[records.len() - 1].kind;
            (*nonce, kind, records.iter().map(|signed| (signed.hash, signed.fees)).collect())
        });
        let latest = self.nonce();
        let pending = self.pool.keys().fold(latest, |next, nonce| next + u64::from(*nonce == next));
        self.queue = Queue::restore(POLICY, records, latest, pending, self.now);
    }

    /// L1 behaves from now on.
    fn settle(&mut self) {
        self.refusing = false;
        for _ in 0..400 {
            self.observe(usize::MAX);
            if self.queue.is_empty() {
                return;
            }
            self.now += Duration::from_secs(3);
            self.step(Event::Tick, usize::MAX);
            self.mine();
        }
        panic!("never done: {:#?}", self.queue);
    }
}

#[derive(Debug, Clone)]
enum Action {
    Submit(bool),
    Mine,
    Observe(usize),
    Tick(u64, usize),
    Reorg(usize, bool),
    Forget,
    Base(u128),
    Restart,
    Refuse(bool),
}

fn action(refusals: bool) -> impl Strategy<Value = Action> {
    let budget = || prop_oneof![3 => Just(usize::MAX), 1 => 0_usize..5];
    prop_oneof![
        4 => any::<bool>().prop_map(Action::Submit),
        4 => Just(Action::Mine),
        4 => budget().prop_map(Action::Observe),
        4 => (0_u64..20, budget()).prop_map(|(seconds, budget)| Action::Tick(seconds, budget)),
        1 => (1_usize..3, any::<bool>()).prop_map(|(depth, lost)| Action::Reorg(depth, lost)),
        1 => Just(Action::Forget),
        1 => (1_u128..10_000).prop_map(Action::Base),
        1 => Just(Action::Restart),
        u32::from(refusals) => any::<bool>().prop_map(Action::Refuse),
    ]
}

fn run(world: &mut World, actions: Vec<Action>) {
    for action in actions {
        match action {
            Action::Submit(true) => world.submit(TransactionKind::Blobs),
            Action::Submit(false) => world.submit(TransactionKind::Plain),
            Action::Mine => world.mine(),
            Action::Observe(budget) => world.observe(budget),
            Action::Tick(seconds, budget) => {
                world.now += Duration::from_secs(seconds);
                world.step(Event::Tick, budget);
            }
            Action::Reorg(depth, lost) => world.reorg(depth, lost),
            Action::Forget => world.pool.clear(),
            Action::Base(base) => world.market.base = base,
            Action::Restart => world.restart(),
            Action::Refuse(refusing) => world.refusing = refusing,
        }
    }
    world.settle();
}

/// Of each nonce one transaction is mined, and requests once each, in their order.
fn check(world: &World) -> Result<(), TestCaseError> {
    let mined: Vec<_> =
        world.mined().map(|(_, (nonce, signed))| (*nonce, signed.content)).collect();
    let nonces: Vec<_> = mined.iter().map(|(nonce, _)| *nonce).collect();
    prop_assert_eq!(&nonces, &(0..mined.len() as u64).collect::<Vec<_>>());
    let requests: Vec<_> = mined
        .iter()
        .filter_map(|(_, content)| match content {
            Content::Request(id) => Some(*id),
            Content::Nothing => None,
        })
        .collect();
    prop_assert!(requests.windows(2).all(|pair| pair[0] < pair[1]), "{requests:?}");
    // What was said to be mined is.
    for (nonce, content) in &world.confirmed {
        prop_assert!(mined.contains(&(*nonce, *content)));
    }
    prop_assert!(world.journal.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn each_nonce_and_each_request_is_mined_once(
        actions in prop::collection::vec(action(false), 0..120),
    ) {
        let mut world = World::new();
        run(&mut world, actions);
        check(&world)?;
        prop_assert!(world.rejected.is_empty());
    }

    #[test]
    fn refusals_end_and_never_block_those_behind(
        actions in prop::collection::vec(action(true), 0..120),
    ) {
        let mut world = World::new();
        run(&mut world, actions);
        check(&world)?;
    }
}

#[test]
fn without_crashes_every_request_is_answered() {
    let mut world = World::new();
    for index in 0..20 {
        let kind = if index % 5 < 2 { TransactionKind::Blobs } else { TransactionKind::Plain };
        world.submit(kind);
    }
    world.settle();
    assert_eq!(world.first_seen, (0..20).map(RequestId).collect::<Vec<_>>());
    let answered: Vec<_> = (0..20).map(|id| (id, Content::Request(RequestId(id)))).collect();
    assert_eq!(world.confirmed, answered);
}

#[test]
fn a_stuck_transaction_is_raised_until_it_is_mined() {
    let mut world = World::new();
    world.observe(usize::MAX);
    world.submit(TransactionKind::Plain);
    let first = world.journal[&0][0].fees;
    world.market.base = first.max * 3;
    world.mine();
    assert_eq!(world.nonce(), 0);
    world.now += POLICY.raise_after;
    world.observe(usize::MAX);
    let raised = world.journal[&0][1].fees;
    assert!(raised.max >= first.max * 6);
    world.mine();
    assert_eq!(world.nonce(), 1);
}

#[test]
fn what_a_reorganisation_unmined_is_sent_again_at_once() {
    let mut world = World::new();
    world.observe(usize::MAX);
    world.submit(TransactionKind::Plain);
    assert_eq!(world.queue.unmined(), 1);
    world.mine();
    world.observe(usize::MAX);
    assert_eq!((world.queue.unmined(), &world.first_seen[..]), (0, &[RequestId(0)][..]));
    world.reorg(1, true);
    assert!(world.pool.is_empty());
    world.observe(usize::MAX);
    assert_eq!(world.pool[&0].hash, world.journal[&0][0].hash);
    assert_eq!(world.queue.unmined(), 1);
}

#[test]
fn a_request_that_nobody_takes_is_given_up_and_its_nonce_used_up() {
    let mut world = World::new();
    world.observe(usize::MAX);
    world.refusing = true;
    world.submit(TransactionKind::Plain);
    for _ in 0..POLICY.refusals_max {
        world.now += POLICY.resend_after;
        world.step(Event::Tick, usize::MAX);
    }
    assert_eq!(world.rejected, [RequestId(0)]);
    world.settle();
    assert_eq!(world.confirmed, [(0, Content::Nothing)]);
}

#[test]
fn a_nonce_that_somebody_else_used_is_told_of() {
    let now = Instant::now();
    let mut queue = Queue::restore(POLICY, [], 5, 5, now);
    let look = |head, nonce| Event::Observed(Observation { head, nonce, ..Observation::default() });
    queue.step(look(10, 5), now);
    let effects = queue.step(Event::Submit(RequestId(0), TransactionKind::Plain), now);
    assert!(matches!(effects[..], [Effect::Sign { nonce: 5, .. }]));
    let (hash, fees) = (B256::ZERO, Fees::default());
    queue.step(Event::Signed { nonce: 5, hash, fees }, now);
    assert_eq!(queue.step(look(11, 6), now), []);
    assert_eq!(queue.step(look(12, 6), now), []);
    let displaced = Effect::Displaced { nonce: 5, intent: Intent::Request(RequestId(0)) };
    assert_eq!(queue.step(look(13, 6), now), [displaced]);
}

#[test]
fn pending_nonces_that_the_journal_does_not_know_are_used_up_if_they_stay() {
    let now = Instant::now();
    let mut queue = Queue::restore(POLICY, [], 5, 7, now);
    let market = MarketFees { base: 100, priority: 1, blob_base: 1 };
    let look =
        |nonce| Event::Observed(Observation { head: 1, nonce, market, ..Observation::default() });
    assert_eq!(queue.step(look(5), now), []);
    let later = now + POLICY.raise_after;
    let effects = queue.step(look(6), later);
    // 5 was mined meanwhile; 6 was not.
    assert!(matches!(effects[..], [Effect::Sign { nonce: 6, intent: Intent::Cancel, .. }]));
    let effects = queue.step(Event::Submit(RequestId(0), TransactionKind::Plain), later);
    assert!(matches!(effects[..], [Effect::Sign { nonce: 7, .. }]));
}

/// A queue whose nonces 5 and 6 were mined and forgotten, and unmined since.
fn reorganised(now: Instant) -> (Queue, impl Fn(u64, u64) -> Event) {
    let market = MarketFees { base: 100, priority: 1, blob_base: 1 };
    let look = move |head, nonce| {
        Event::Observed(Observation { head, nonce, market, ..Observation::default() })
    };
    let mut queue = Queue::restore(POLICY, [], 5, 5, now);
    queue.step(look(10, 7), now);
    assert_eq!(queue.step(look(11, 5), now), []);
    assert_eq!(queue.step(look(12, 5), now), []);
    (queue, look)
}

#[test]
fn a_nonce_that_a_deep_reorganisation_freed_is_given_out_again() {
    let now = Instant::now();
    let (mut queue, look) = reorganised(now);
    assert_eq!(queue.step(look(13, 5), now), []);
    let effects = queue.step(Event::Submit(RequestId(0), TransactionKind::Plain), now);
    assert!(matches!(effects[..], [Effect::Sign { nonce: 5, intent: Intent::Request(_), .. }]));
}

#[test]
fn nonces_that_a_deep_reorganisation_freed_are_used_up_below_one_in_doubt() {
    let now = Instant::now();
    let (mut queue, look) = reorganised(now);
    let effects = queue.step(Event::Submit(RequestId(0), TransactionKind::Plain), now);
    assert!(matches!(effects[..], [Effect::Sign { nonce: 7, .. }]), "too early to tell");
    queue.step(Event::Signed { nonce: 7, hash: B256::ZERO, fees: Fees::default() }, now);
    let effects = queue.step(look(13, 5), now);
    let signed = |effect: &Effect| match effect {
        Effect::Sign { nonce, intent: Intent::Cancel, .. } => Some(*nonce),
        _ => None,
    };
    assert_eq!(effects.iter().filter_map(signed).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn what_could_not_be_signed_is_tried_again_with_the_next_tick() {
    let now = Instant::now();
    let mut queue = Queue::restore(POLICY, [], 0, 0, now);
    queue.step(Event::Observed(Observation::default()), now);
    let sign = queue.step(Event::Submit(RequestId(0), TransactionKind::Plain), now);
    assert_eq!(queue.step(Event::NotSigned(0), now), []);
    assert_eq!(queue.step(Event::Tick, now), sign);
}
