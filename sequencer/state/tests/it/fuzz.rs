//! Random chains: layers committed at random times, unwinds, reopenings, proofs, verification.

use rand::Rng;

use crate::chain::{Chain, assert_view};
use crate::proofs::check;

fn run(seed: u64, steps: usize) {
    let dir = tempfile::tempdir().unwrap();
    // Tiny states make tries of one leaf and of none. Without storage no account's removal starts
    // new caches.
    let (accounts, pool, storage) =
        [(30, 60, true), (1, 4, false), (0, 12, true)][seed as usize % 3];
    let mut chain = Chain::create(dir.path(), seed, accounts);
    (chain.pool, chain.storage) = (pool, storage);
    for step in 0..steps {
        match chain.rng.random_range(0..100) {
            0..60 => {
                chain.extend();
            }
            60..80 => {
                let count = chain.rng.random_range(0..6);
                chain.commit(count);
            }
            80..90 => {
                let head = chain.models.len() as u64 - 1;
                let target = chain.rng.random_range(head.saturating_sub(6)..=head);
                chain.unwind(target);
            }
            90..94 => chain = chain.reopen(),
            _ => {
                let number = chain.rng.random_range(0..chain.models.len());
                let tip = chain.store.tip().unwrap().number as usize;
                let view = match number > tip {
                    true => {
                        let skip = chain.models.len() - 1 - number;
                        chain.store.view(chain.layers().split_off(skip)).unwrap()
                    }
                    false => chain.store.view_at(number as u64).unwrap(),
                };
                let model = &chain.models[number];
                assert_view(&view, model, chain.pool);
                check(&view, model.root(), model, chain.pool);
            }
        }
        assert_eq!(
            chain.open.len() + chain.store.tip().unwrap().number as usize + 1,
            chain.models.len(),
            "seed {seed}, step {step}"
        );
        if step % 25 == 24 {
            assert_view(&chain.view(), chain.model(), chain.pool);
            let report = chain.store.verify(|_| ()).unwrap();
            assert_eq!(report.difference, None, "seed {seed}, step {step}");
        }
    }
    chain.commit_all();
    let report = chain.store.verify(|_| ()).unwrap();
    assert_eq!(report.difference, None, "seed {seed}");
    assert_eq!(report.state_root, chain.model().root());
    for (number, model) in chain.models.iter().enumerate() {
        let view = chain.store.view_at(number as u64).unwrap();
        assert_view(&view, model, chain.pool);
        check(&view, model.root(), model, chain.pool);
    }
}

#[test]
fn random_chains_keep_state_history_and_tries_in_step() {
    let rounds: u64 = std::env::var("FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    for seed in 0..rounds {
        run(seed, 150);
    }
}
