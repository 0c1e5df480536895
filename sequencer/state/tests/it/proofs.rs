//! Proofs at the tip, above it and below it, checked with `alloy_trie`.

use std::sync::Arc;

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount, proof::verify_proof};
use cairn_primitives::Account;
use cairn_state::{Keep, Layer, Options, StateError, StateView, Store};
use rand::Rng;

use crate::chain::{Chain, Model, address, identity, options};

pub(crate) fn check(view: &StateView, root: B256, model: &Model, pool: u64) {
    for n in (0..pool + 10).step_by(3) {
        let address = address(n);
        let slots: Vec<_> = (0..pool).step_by(5).map(U256::from).collect();
        let proof = view.proof(address, &slots).unwrap();
        assert_eq!(proof.account, model.account(address));
        let leaf = proof.account.map(|account| {
            let Account { nonce, balance, code_hash } = account;
            alloy_rlp::encode(TrieAccount::new(nonce, balance, proof.storage_root, code_hash))
        });
        verify_proof(root, Nibbles::unpack(keccak256(address)), leaf, &proof.nodes).unwrap();
        assert_eq!(proof.storage.len(), slots.len());
        for storage in &proof.storage {
            assert_eq!(storage.value, model.slot(address, storage.slot));
            let key = Nibbles::unpack(keccak256(B256::from(storage.slot)));
            let leaf = (!storage.value.is_zero()).then(|| alloy_rlp::encode(storage.value));
            verify_proof(proof.storage_root, key, leaf, &storage.nodes).unwrap();
        }
    }
}

#[test]
fn proofs_verify_at_every_block_above_and_below_the_tip() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 5, 30);
    for _ in 0..14 {
        chain.extend();
    }
    chain.commit(9);
    for number in 0..=9u64 {
        let model = &chain.models[number as usize];
        let view = chain.store.view_at(number).unwrap();
        check(&view, model.root(), model, chain.pool);
    }
    for skip in 0..5 {
        let model = &chain.models[14 - skip];
        let view = chain.store.view(chain.layers().split_off(skip)).unwrap();
        check(&view, model.root(), model, chain.pool);
    }
}

#[test]
fn a_view_that_the_store_has_overtaken_still_proves_its_own_state() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 6, 30);
    for _ in 0..8 {
        chain.extend();
    }
    let view = chain.store.view(chain.layers().split_off(4)).unwrap();
    chain.commit_all();
    check(&view, chain.models[4].root(), &chain.models[4], chain.pool);
}

/// Proofs of a block, and the root of the block after it, computed at the view of this one.
fn check_old(chain: &Chain, number: u64, layers: &[Arc<Layer>]) {
    let model = &chain.models[number as usize];
    let view = chain.store.view_at(number).unwrap();
    check(&view, model.root(), model, chain.pool);
    if let Some(next) = layers.get(number as usize) {
        let update = view.simulated_update(next.changes()).unwrap();
        assert_eq!(update.root(), chain.models[number as usize + 1].root(), "block {number}");
    }
}

#[test]
fn every_block_is_proven_however_many_came_after_it() {
    for seed in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let mut chain = Chain::create(dir.path(), 20 + seed, [30, 0, 1, 200][seed as usize]);
        // Few accounts make extensions and tries of one leaf; none of them grow and shrink again.
        chain.pool = [60, 3, 20, 40][seed as usize];
        let mut layers = Vec::new();
        for _ in 0..40 {
            let layer = chain.extend().layer.clone();
            layers.push(layer);
            let count = chain.rng.random_range(0..4);
            chain.commit(count);
            if chain.rng.random_bool(0.1) {
                chain.commit_all();
                chain = chain.reopen();
            }
        }
        chain.commit_all();
        for number in 0..=40 {
            check_old(&chain, number, &layers);
        }
        // Twice in a row: what was turned back is remembered.
        check_old(&chain, 21, &layers);
        check_old(&chain, 21, &layers);
        chain.unwind(17);
        layers.truncate(17);
        for _ in 0..20 {
            let layer = chain.extend().layer.clone();
            layers.push(layer);
            chain.commit_all();
        }
        for number in 0..=37 {
            check_old(&chain, number, &layers);
        }
    }
}

#[test]
fn old_blocks_are_proven_while_others_are_committed_and_pruned() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 11, 30);
    for _ in 0..60 {
        chain.extend();
    }
    let path = chain.store.path().to_path_buf();
    let blocks = std::mem::take(&mut chain.open);
    let Chain { store, models, pool, .. } = chain;
    drop(store);
    let keep = Options { state_history: Keep::Last(8), ..options() };
    let store = Store::open(&path, keep, &identity()).unwrap();
    store.commit(&blocks[..4]).unwrap();
    let proven = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for block in &blocks[4..] {
                store.commit(std::slice::from_ref(block)).unwrap();
                store.prune(2).unwrap();
            }
        });
        let mut proven = 0;
        while !writer.is_finished() {
            let number = store.tip().unwrap().number.saturating_sub(7);
            let Ok(view) = store.view_at(number) else { continue };
            match view.proof(address(proven % pool), &[]) {
                Ok(proof) => {
                    let root = proof.nodes.first().map_or(EMPTY_ROOT_HASH, keccak256);
                    assert_eq!(root, models[number as usize].root());
                    proven += 1;
                }
                Err(StateError::Unavailable { .. }) => {}
                Err(error) => panic!("block {number}: {error}"),
            }
        }
        proven
    });
    assert!(proven > 0);
    for number in 52..=60 {
        let model = &models[number as usize];
        check(&store.view_at(number).unwrap(), model.root(), model, pool);
    }
}

#[test]
fn pruning_leaves_what_proofs_of_kept_blocks_need_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 7, 30);
    let mut layers = Vec::new();
    for _ in 0..40 {
        let layer = chain.extend().layer.clone();
        layers.push(layer);
        chain.commit_all();
    }
    let path = chain.store.path().to_path_buf();
    let intervals = |path: &std::path::Path| -> Vec<u64> {
        let first = |key: &[u8]| u64::from_be_bytes(key[..8].try_into().unwrap());
        let dump = crate::chain::dump(path);
        let of = |column: &str| {
            let keys = dump.keys().filter(|(name, _)| name == column);
            keys.map(|(_, key)| first(key)).collect::<std::collections::BTreeSet<_>>()
        };
        let kept = of("interval");
        assert!(of("atcs").is_subset(&kept) && of("stcs").is_subset(&kept));
        let entries = |column: &str| dump.keys().filter(|(name, _)| name == column).count();
        assert_eq!(entries("atcs"), entries("athist"));
        assert_eq!(entries("stcs"), entries("sthist"));
        kept.into_iter().collect()
    };
    let Chain { store, rng, models, pool, storage, .. } = chain;
    drop(store);
    assert!(intervals(&path).len() >= 8);
    let keep = Options { state_history: Keep::Last(12), ..options() };
    let store = Store::open(&path, keep, &identity()).unwrap();
    while store.prune(3).unwrap().remaining > 0 {}
    let chain = Chain { store, rng, models, open: Vec::new(), pool, storage };
    for number in 28..=40 {
        check_old(&chain, number, &layers);
    }
    assert!(matches!(chain.store.view_at(27), Err(StateError::Unavailable { block: 27, .. })));
    drop(chain);
    let left = intervals(&path);
    assert!(left.iter().all(|first| *first > 28), "{left:?}");
    assert!(!left.is_empty());
}

#[test]
fn the_empty_state_proves_absence() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::create(dir.path(), 8, 0);
    let view = chain.store.latest().unwrap();
    check(&view, alloy_trie::EMPTY_ROOT_HASH, chain.model(), 5);
    assert!(view.proof(address(1), &[]).unwrap().nodes.is_empty());
}
