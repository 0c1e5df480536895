//! Unwinding restores every byte.

use std::collections::BTreeMap;

use cairn_primitives::{ReadError, StateReader};
use cairn_state::{Heads, ORPHANS_KEPT, StateError};
use rand::Rng;

use crate::chain::{Chain, address, assert_view, dump};

fn is_old_node(column: &str) -> bool {
    ["atcs", "stcs", "athist", "sthist"].contains(&column)
}

#[test]
fn unwinding_restores_every_byte_of_every_column_family() {
    for seed in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        let mut chain = Chain::create(dir.path(), seed, 40);
        for _ in 0..10 {
            chain.extend();
            chain.commit_all();
        }
        let path = chain.store.path().to_path_buf();
        let model = chain.model().clone();
        drop(chain.store);
        let before = dump(&path);
        chain.store = crate::chain::open(&path);
        for _ in 0..9 {
            chain.extend();
            let count = chain.rng.random_range(0..4);
            chain.commit(count);
        }
        chain.commit_all();
        chain.unwind(10);
        assert_view(&chain.view(), &model, chain.pool);
        let orphans = chain.store.orphans().unwrap();
        chain.store.forget_orphans(orphans.iter().map(|block| block.num_hash())).unwrap();
        assert_eq!(chain.store.verify(|_| ()).unwrap().difference, None);
        chain.extend();
        drop(chain.store);
        let after = dump(&path);
        // The interval that goes on may have kept more nodes and counted more changes.
        let exact = |(column, _): &&(String, Vec<u8>)| column != "interval" && !is_old_node(column);
        for key in before.keys().filter(exact) {
            assert_eq!(after.get(key), before.get(key), "{key:?}, seed {seed}");
        }
        let count = |dump: &BTreeMap<_, _>| dump.keys().filter(exact).count();
        assert_eq!(count(&before), count(&after), "seed {seed}");
        for (key, value) in before.iter().filter(|((column, _), _)| is_old_node(column)) {
            assert_eq!(after.get(key), Some(value), "{key:?}, seed {seed}");
        }
    }
}

#[test]
fn removed_blocks_are_kept_until_they_are_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 5, 10);
    let extend = |chain: &mut Chain, count: usize| {
        for _ in 0..count {
            chain.extend();
        }
        let full = chain.open.iter().filter(|open| !open.block.transactions().is_empty());
        let full: Vec<_> = full.map(|open| open.block.num_hash()).collect();
        chain.commit_all();
        full
    };
    let kept = |chain: &Chain| -> Vec<_> {
        let blocks = chain.store.orphans().unwrap();
        assert!(blocks.iter().all(|b| b.hash() == b.header().hash_slow()));
        blocks.iter().map(|block| block.num_hash()).collect()
    };
    let first = extend(&mut chain, 12);
    assert!(first.len() > 3 && kept(&chain).is_empty());
    chain.unwind(0);
    assert_eq!(kept(&chain), first);
    chain.store = {
        let path = chain.store.path().to_path_buf();
        drop(chain.store);
        crate::chain::open(&path)
    };
    assert_eq!(kept(&chain), first, "they survive a restart");
    chain.store.forget_orphans(first[..2].iter().copied()).unwrap();
    assert_eq!(kept(&chain), first[2..]);
    // A long unwind leaves the newest ones.
    let long = extend(&mut chain, 2 * ORPHANS_KEPT);
    chain.unwind(0);
    let left = kept(&chain);
    assert_eq!(left, long[long.len() - ORPHANS_KEPT..]);
}

#[test]
fn views_from_before_an_unwind_answer_unavailable() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 1, 10);
    for _ in 0..4 {
        chain.extend();
    }
    chain.commit(3);
    let (old, historical) = (chain.view(), chain.store.view_at(1).unwrap());
    chain.unwind(2);
    for view in [&old, &historical] {
        // Some addresses are answered by layers, which an unwind cannot make wrong.
        let answers: Vec<_> = (100..200).map(|n| view.account(address(n))).collect();
        assert!(answers.iter().all(|a| matches!(a, Err(ReadError::Unavailable { .. }))));
        let proof = view.proof(address(1), &[]);
        assert!(matches!(proof, Err(StateError::Unavailable { .. })));
        let update = view.state_update(&Default::default());
        assert!(matches!(update, Err(StateError::Unavailable { .. })));
    }
    assert_view(&chain.view(), chain.model(), chain.pool);
}

#[test]
fn finalized_blocks_stay_and_other_heads_are_lowered() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 1, 10);
    for _ in 0..6 {
        chain.extend();
    }
    let at = |n: usize| chain.open[n - 1].block.num_hash();
    let heads = Heads { latest: at(6), safe: at(5), finalized: at(3) };
    chain.commit_all();
    chain.store.set_heads(heads).unwrap();
    let refused = chain.store.unwind_to(2).unwrap_err();
    assert!(matches!(refused, StateError::BelowFinalized { target: 2, finalized: 3 }));
    assert!(matches!(chain.store.unwind_to(7), Err(StateError::Unavailable { .. })));
    chain.unwind(4);
    let chain = chain.reopen();
    let four = chain.store.tip().unwrap();
    assert_eq!(four.number, 4);
    let expected = Heads { latest: four, safe: four, finalized: heads.finalized };
    assert_eq!(chain.store.heads().unwrap(), expected);
}

#[test]
fn blocks_that_do_not_follow_the_tip_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 1, 10);
    for _ in 0..3 {
        chain.extend();
    }
    let gap = chain.store.commit(&chain.open[1..]).unwrap_err();
    assert!(matches!(gap, StateError::NotOnTip { number: 2, .. }), "{gap}");
    assert!(chain.store.view(chain.layers()[..2].to_vec()).is_err());
    chain.commit(1);
    let view = chain.store.latest().unwrap();
    assert!(view.with_layer(chain.open[1].layer.clone()).is_err());
    let child = view.with_layer(chain.open[0].layer.clone()).unwrap();
    assert_view(&child, &chain.models[2], chain.pool);
}
