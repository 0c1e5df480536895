//! Following the registry of a real L1, through epochs and reorganisations.

use std::time::{Duration, Instant};

use alloy::providers::Provider;
use alloy_primitives::{B256, U256, keccak256};
use cairn_da_client::registry::{Registry, RegistryError};
use cairn_da_node::admission::Quorums;
use cairn_da_node::l1::{Follower, Keeper, Registration, register};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{
    Domain, Epoch, Header, PayloadLength, QuorumId, Reservation, Shape, Snapshot, Timestamp,
    check_certificate,
};

use crate::l1::{Clockwork, ETHER, L1, account};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const LONG: Clockwork = Clockwork { epoch_length: 86_400, seed_delay: 1 };

pub(crate) fn secret(number: u32) -> SecretKey {
    SecretKey::derive(keccak256(number.to_be_bytes()).as_slice()).unwrap()
}

pub(crate) async fn register_operators(l1: &L1, count: u32) {
    for number in 0..count {
        let account = account(number);
        let registration = Registration {
            domain: l1.domain(),
            operator: account.address(),
            key: &secret(number),
            endpoint: format!("http://127.0.0.1:{number}"),
            stake: U256::from(ETHER * u128::from(number + 1)),
        };
        register(l1.provider(Some(account)), &registration).await.unwrap();
    }
}

pub(crate) async fn follower(l1: &L1, confirmations: u64) -> Follower {
    let registry = Registry::new(l1.provider(None), l1.domain()).await.unwrap();
    Follower::new(registry, confirmations)
}

pub(crate) fn keeper(l1: &L1) -> Keeper {
    Keeper::new(l1.provider(Some(account(18))), l1.registry, 0)
}

/// Keeps and follows until a condition holds.
pub(crate) async fn until(
    keeper: &mut Keeper,
    follower: &mut Follower,
    condition: impl Fn(&Quorums) -> bool,
) -> Quorums {
    let start = Instant::now();
    loop {
        keeper.poll().await.unwrap();
        if let Some(quorums) = follower.poll().await.unwrap()
            && condition(&quorums)
        {
            return quorums;
        }
        assert!(start.elapsed() < PATIENCE, "the condition never held");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_and_seeds_are_taken_and_followed() {
    let Some(l1) = L1::start(LONG).await else { return };
    register_operators(&l1, 5).await;
    let (mut keeper, mut follower) = (keeper(&l1), follower(&l1, 0).await);
    let quorums = until(&mut keeper, &mut follower, |quorums| quorums.snapshots.len() == 2).await;
    assert_eq!(quorums.current, Epoch(0));
    let snapshot = &quorums.snapshots[&Epoch(0)];
    assert_eq!(snapshot.operators().len(), 5);
    for number in 0..5 {
        let index = snapshot.index_of(account(number).address()).unwrap();
        let operator = snapshot.operator(index).unwrap();
        assert_eq!(operator.key, secret(number).public_key());
        assert_eq!(operator.stake.0, ETHER * u128::from(number + 1));
    }
    let order: Vec<_> = snapshot.operators().iter().map(|operator| operator.address).collect();
    assert!(order.is_sorted());
    assert_ne!(snapshot.seed(), quorums.snapshots[&Epoch(1)].seed());
    let registry = Registry::new(l1.provider(None), l1.domain()).await.unwrap();
    let quorum = registry.latest_quorum(Epoch(0)).await.unwrap().unwrap();
    assert_eq!(quorum.snapshot, **snapshot);
    assert!(quorum.endpoints.iter().all(|endpoint| endpoint.starts_with("http://127.0.0.1:")));
    assert_eq!(registry.latest_quorum(Epoch(7)).await.unwrap(), None);
    slots_agree(&l1, snapshot).await;
}

/// The contract and our code count the slots of every set of signers alike.
async fn slots_agree(l1: &L1, snapshot: &Snapshot) {
    let verifier = l1.deploy_verifier().await;
    let now = Timestamp(l1.time().await);
    let mut seen = std::collections::BTreeSet::new();
    for rows in [1, 4, 256] {
        let header = Header {
            shape: Shape::new(rows, 10).unwrap(),
            payload_length: PayloadLength(300),
            hashes_root: B256::repeat_byte(1),
            payer: account(17).address(),
            reservation: Reservation(1),
            epoch: snapshot.epoch(),
            quorum: QuorumId(0),
            expiry: Timestamp(now.0 + 1000),
        };
        let signature =
            secret(0).sign(l1.domain().attestation(&header, snapshot.seed())).to_bytes();
        for bitmap in 0..32 {
            let certificate = [&header.encode()[..], &signature, &[bitmap]].concat();
            let ours = check_certificate(&certificate, &l1.domain(), Some(snapshot), now);
            let theirs = l1.check(verifier, &certificate).await;
            assert_eq!(theirs, ours as u8, "{rows} rows, signers {bitmap:05b}");
            seen.insert(theirs);
        }
    }
    assert_eq!(seen, [7, 9].into(), "too few slots, and enough with a wrong signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn epochs_pass_and_old_ones_are_forgotten() {
    let short = Clockwork { epoch_length: 10, seed_delay: 1 };
    let Some(l1) = L1::start(short).await else { return };
    register_operators(&l1, 4).await;
    let (mut keeper, mut follower) = (keeper(&l1), follower(&l1, 1).await);
    let first = until(&mut keeper, &mut follower, |quorums| quorums.snapshots.len() >= 2).await;
    let last = until(&mut keeper, &mut follower, |quorums| {
        quorums.current.0 >= first.current.0 + 2 && quorums.snapshots.len() >= 2
    })
    .await;
    let kept: Vec<_> = last.snapshots.keys().map(|epoch| epoch.0).collect();
    let current = last.current.0;
    assert!(kept.iter().all(|epoch| (current - 1..=current + 1).contains(epoch)), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_that_changes_the_seed_is_read_again() {
    let Some(l1) = L1::start(LONG).await else { return };
    register_operators(&l1, 4).await;
    let provider = l1.provider(None);
    let before: U256 = provider.raw_request("evm_snapshot".into(), ()).await.unwrap();
    let mut follower = follower(&l1, 0).await;
    let first =
        until(&mut keeper(&l1), &mut follower, |quorums| quorums.snapshots.len() == 2).await;
    // L1 goes back to where there was no snapshot, and on another way.
    let reverted: bool = provider.raw_request("evm_revert".into(), [before]).await.unwrap();
    assert!(reverted);
    let gone = until_polled(&mut follower).await;
    assert!(gone.snapshots.is_empty() && gone.head.number < first.head.number, "{gone:?}");
    let second =
        until(&mut keeper(&l1), &mut follower, |quorums| quorums.snapshots.len() == 2).await;
    let seeds = |quorums: &Quorums| quorums.snapshots[&Epoch(0)].seed();
    assert_ne!(seeds(&first), seeds(&second));
    let registry = Registry::new(provider, l1.domain()).await.unwrap();
    let truth = registry.latest_quorum(Epoch(0)).await.unwrap().unwrap();
    assert_eq!(truth.snapshot, *second.snapshots[&Epoch(0)]);
}

pub(crate) async fn until_polled(follower: &mut Follower) -> Quorums {
    let start = Instant::now();
    loop {
        if let Some(quorums) = follower.poll().await.unwrap() {
            return quorums;
        }
        assert!(start.elapsed() < PATIENCE, "L1 stands still");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_and_a_missing_registry_are_told_apart() {
    let Some(l1) = L1::start(LONG).await else { return };
    let elsewhere = Domain { chain_id: 1, ..l1.domain() };
    let wrong = Registry::new(l1.provider(None), elsewhere).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::WrongChain { expected: 1, found: 31337 }), "{wrong}");
    let nowhere = Domain { registry: account(17).address(), ..l1.domain() };
    let registry = Registry::new(l1.provider(None), nowhere).await.unwrap();
    let missing = Follower::new(registry, 0).poll().await.unwrap_err();
    assert!(matches!(missing, RegistryError::NoRegistry { .. }), "{missing}");
    let url = "http://127.0.0.1:1".parse().unwrap();
    let dead = alloy::providers::ProviderBuilder::new().connect_http(url).erased();
    let dead = Registry::new(dead, l1.domain()).await.unwrap_err();
    assert!(matches!(dead, RegistryError::Provider(_)), "{dead}");
}
