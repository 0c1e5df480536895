//! Proofs at the tip, above it and below it, checked with `alloy_trie`.

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{Nibbles, TrieAccount, proof::verify_proof};
use cairn_primitives::Account;
use cairn_state::{Options, StateError, StateView, Store};

use crate::chain::{Chain, Model, address, identity, options};

fn check(view: &StateView, root: B256, model: &Model, pool: u64) {
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

#[test]
fn proofs_beyond_the_limit_are_refused_with_the_distance() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 7, 5);
    for _ in 0..6 {
        chain.extend();
    }
    chain.commit_all();
    let path = chain.store.path().to_path_buf();
    drop(chain);
    let limited = Options { max_proof_distance: 3, ..options() };
    let store = Store::open(path, limited, &identity()).unwrap();
    store.view_at(3).unwrap().proof(address(0), &[]).unwrap();
    let refused = store.view_at(2).unwrap().proof(address(0), &[]).unwrap_err();
    assert!(matches!(refused, StateError::ProofTooFar { block: 2, distance: 4, limit: 3 }));
}

#[test]
fn the_empty_state_proves_absence() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::create(dir.path(), 8, 0);
    let view = chain.store.latest().unwrap();
    check(&view, alloy_trie::EMPTY_ROOT_HASH, chain.model(), 5);
    assert!(view.proof(address(1), &[]).unwrap().nodes.is_empty());
}
