//! Views while a committer runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use cairn_primitives::ReadError;
use cairn_state::StateView;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::chain::{Chain, Model, assert_view};

/// Ends the readers also when the writer panics.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn views_read_one_state_while_blocks_are_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 9, 40);
    chain.pool = 24;
    let published: Mutex<Vec<(StateView, Arc<Model>)>> = Mutex::default();
    let (done, pool) = (AtomicBool::new(false), chain.pool);
    let checked = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|seed| {
                let (published, done) = (&published, &done);
                scope.spawn(move || {
                    let mut rng = StdRng::seed_from_u64(seed);
                    let mut checked = 0;
                    while !done.load(Ordering::SeqCst) {
                        let picked = {
                            let views = published.lock().unwrap();
                            let at = (!views.is_empty()).then(|| rng.random_range(0..views.len()));
                            at.map(|at| views[at].clone())
                        };
                        if let Some((view, model)) = picked {
                            assert_view(&view, &model, pool);
                            checked += 1;
                        }
                    }
                    checked
                })
            })
            .collect();
        let end = Done(&done);
        for _ in 0..150 {
            chain.extend();
            let model = Arc::new(chain.model().clone());
            published.lock().unwrap().push((chain.view(), model));
            let count = chain.rng.random_range(0..3);
            chain.commit(count);
        }
        drop(end);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum::<usize>()
    });
    assert!(checked > 20, "{checked} views checked");
}

#[test]
fn views_never_show_another_chain_while_it_is_unwound_and_extended() {
    use cairn_primitives::StateReader;
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 10, 40);
    let published: Mutex<Option<(StateView, Arc<Model>)>> = Mutex::default();
    let (done, pool) = (AtomicBool::new(false), chain.pool);
    let (right, gone) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rng = StdRng::seed_from_u64(1);
            let (mut right, mut gone) = (0u64, 0u64);
            while !done.load(Ordering::SeqCst) {
                let Some((view, model)) = published.lock().unwrap().clone() else { continue };
                for _ in 0..200 {
                    let address = crate::chain::address(rng.random_range(0..pool));
                    match view.account(address) {
                        Ok(account) => {
                            assert_eq!(account, model.account(address), "{view:?}");
                            right += 1;
                        }
                        Err(ReadError::Unavailable { .. }) => gone += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            (right, gone)
        });
        let end = Done(&done);
        for _ in 0..60 {
            for _ in 0..3 {
                chain.extend();
                let model = Arc::new(chain.model().clone());
                *published.lock().unwrap() = Some((chain.view(), model));
            }
            chain.commit_all();
            let head = chain.models.len() as u64 - 1;
            let target = chain.rng.random_range(head.saturating_sub(4)..=head);
            chain.unwind(target);
        }
        drop(end);
        reader.join().unwrap()
    });
    assert!(right > 1000, "{right} reads, {gone} of them unavailable");
}

#[test]
fn layers_that_the_store_has_overtaken_still_make_a_view_of_their_block() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 11, 30);
    for _ in 0..8 {
        chain.extend();
    }
    let layers = chain.layers();
    chain.commit(6);
    for skip in 0..8 {
        for keep in 1..=8 - skip {
            let some: Vec<_> = layers[skip..skip + keep].to_vec();
            let oldest = some[keep - 1].number();
            match chain.store.view(some) {
                Ok(view) => assert_view(&view, &chain.models[8 - skip], chain.pool),
                Err(error) => assert!(oldest > 7, "{error}, oldest {oldest}"),
            }
        }
    }
}

#[test]
fn changes_that_were_made_on_another_state_are_refused() {
    use alloy_primitives::U256;
    use cairn_primitives::{Account, StateReader};
    use cairn_state::{StateChangesBuilder, StateError};
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::create(dir.path(), 12, 30);
    let view = chain.view();
    let (there, absent) = (crate::chain::address(3), crate::chain::address(999));
    let mut wrong_before = StateChangesBuilder::new();
    wrong_before.account(there, None, Some(Account::default()));
    let mut orphan = StateChangesBuilder::new();
    orphan.storage(absent, U256::from(1), U256::ZERO, U256::from(5));
    for changes in [wrong_before, orphan] {
        let refused = view.state_update(&changes.build()).unwrap_err();
        assert!(matches!(refused, StateError::ForeignChanges { .. }), "{refused}");
    }
    assert_eq!(view.account(there).unwrap(), chain.model().account(there));
}

#[test]
fn a_warmed_cache_changes_no_root() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 13, 3000);
    chain.pool = 3000;
    assert!(chain.store.warm().unwrap() > 100);
    for _ in 0..30 {
        chain.extend();
        let count = chain.rng.random_range(0..3);
        chain.commit(count);
        chain.store.warm().unwrap();
    }
    chain.unwind(15);
    chain.store.warm().unwrap();
    chain.extend();
    chain.commit_all();
    assert_eq!(chain.store.verify(|_| ()).unwrap().difference, None);
}

#[test]
fn a_state_that_shrinks_to_one_account_forgets_its_root_branch() {
    use cairn_primitives::Account;
    use cairn_state::StateChangesBuilder;
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 14, 0);
    let account = |nonce| Some(Account { nonce, ..Account::default() });
    let [a, b] = [1, 2].map(crate::chain::address);
    let steps = [
        vec![(a, None, account(1)), (b, None, account(1))],
        vec![(a, account(1), None)],
        vec![(b, account(1), account(2))],
        vec![(b, account(2), None)],
        vec![(a, None, account(7))],
    ];
    for step in steps {
        let mut changes = StateChangesBuilder::new();
        let mut model = chain.model().clone();
        for (address, before, after) in step {
            changes.account(address, before, after);
            match after {
                Some(account) => model.accounts.insert(address, (account, Default::default())),
                None => model.accounts.remove(&address),
            };
        }
        chain.seal(changes.build(), model);
        chain.commit_all();
    }
    assert_eq!(chain.store.verify(|_| ()).unwrap().difference, None);
}
