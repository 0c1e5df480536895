//! Abandoned blocks and reorganisations.

use std::sync::atomic::Ordering;

use super::support::*;
use crate::{BlockConditions, DropReason, Timestamp, TxStatus};

/// Executes the next `count` transactions.
fn execute(pool: &mut crate::Pool, state: &State, count: usize) -> Vec<alloy_primitives::B256> {
    let mut out = Vec::new();
    pool.take_best(count, &mut out);
    for tx in &out {
        let after = account(tx.nonce() + 1, RICH);
        state.set(tx.sender(), after);
        pool.executed(&tx.hash(), &after);
    }
    out.iter().map(|tx| tx.hash()).collect()
}

#[test]
fn an_abandoned_open_block_comes_back_in_its_order() {
    let (mut pool, state) = (pool(), State::default());
    for (sender, nonce, tip) in [(0, 0, 3), (1, 0, 3), (0, 1, 9), (1, 1, 1)] {
        insert(&mut pool, tx(sender, nonce).tip(tip)).unwrap();
    }
    let first = execute(&mut pool, &state, 3);
    assert_eq!((pool.status().pending, pool.status().included), (1, 3));
    for sender in 0..2 {
        state.set(address(sender), account(0, RICH));
    }
    pool.abandon_from(u64::MAX, &state).unwrap();
    assert_eq!((pool.status().pending, pool.status().included), (4, 0));
    pool.check();
    assert_eq!(take(&mut pool, 3), first);
}

#[test]
fn sealed_blocks_come_back_from_the_abandoned_one_on() {
    let (mut pool, state) = (pool(), State::default());
    for nonce in 0..3 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    let hashes: Vec<_> = (1..=3)
        .flat_map(|number| {
            let executed = execute(&mut pool, &state, 1);
            pool.block_sealed(number);
            executed
        })
        .collect();
    let again = |pool: &mut crate::Pool, nonce| {
        insert(pool, tx(0, nonce)).map(|_| ()).map_err(|error| error.to_string())
    };
    let used = Err("nonce too low: next nonce 3, tx nonce 1".to_owned());
    assert_eq!(again(&mut pool, 1), used);
    state.set(address(0), account(1, RICH));
    pool.abandon_from(2, &state).unwrap();
    assert_eq!(again(&mut pool, 1), Err("already known".to_owned()));
    assert_eq!(pool.tx_status(&hashes[0]), Some(TxStatus::Included));
    assert_eq!((pool.status().pending, pool.status().included), (2, 1));
    assert_eq!(take(&mut pool, 9), hashes[1..]);
    pool.check();
}

#[test]
fn a_failed_read_abandons_nothing() {
    let (mut pool, state) = (pool(), State::default());
    insert(&mut pool, tx(0, 0)).unwrap();
    execute(&mut pool, &state, 1);
    state.failing.store(true, Ordering::Relaxed);
    assert!(pool.abandon_from(u64::MAX, &state).is_err());
    assert_eq!(pool.status().included, 1);
    pool.check();
    state.failing.store(false, Ordering::Relaxed);
    state.set(address(0), account(0, RICH));
    pool.abandon_from(u64::MAX, &state).unwrap();
    assert_eq!(pool.status().pending, 1);
    pool.check();
}

#[test]
fn transactions_of_unwound_blocks_come_back_before_later_ones() {
    let (mut pool, state) = (pool(), State::default());
    insert(&mut pool, tx(1, 0)).unwrap();
    insert_as(&mut pool, tx(0, 2).build(), account(2, RICH)).unwrap();
    state.set(address(0), account(0, RICH));
    state.set(address(1), account(0, RICH));
    let unwound = vec![tx(0, 0).build(), tx(0, 1).build()];
    pool.reinject(unwound, &state).unwrap();
    let expected = [tx(0, 0), tx(0, 1), tx(1, 0), tx(0, 2)];
    assert_eq!(take(&mut pool, 9), expected.map(|tx| tx.hash()));
    pool.check();
}

#[test]
fn of_two_with_one_nonce_the_better_survives_a_reorganisation() {
    let (mut pool, state) = (pool(), State::default());
    state.set(address(0), account(0, RICH));
    state.set(address(1), account(0, RICH));
    insert(&mut pool, tx(0, 0).tip(4)).unwrap();
    insert(&mut pool, tx(1, 0).tip(9)).unwrap();
    pool.take_effects();
    let unwound = vec![tx(0, 0).tip(6).build(), tx(1, 0).tip(6).build()];
    pool.reinject(unwound, &state).unwrap();
    let expected = [tx(1, 0).tip(9), tx(0, 0).tip(6)];
    assert_eq!(take(&mut pool, 9), expected.map(|tx| tx.hash()));
    let reasons: Vec<_> = pool.take_effects().dropped.iter().map(|(_, reason)| *reason).collect();
    assert_eq!(reasons, [DropReason::Replaced; 2]);
    pool.check();
}

#[test]
fn what_the_new_chain_has_used_does_not_come_back() {
    let (mut pool, state) = (pool(), State::default());
    state.set(address(0), account(1, RICH));
    pool.reinject(vec![tx(0, 0).build(), tx(0, 1).build()], &state).unwrap();
    assert_eq!(pool.status().pending, 1);
    assert!(!pool.is_known(&tx(0, 0).hash()));
    pool.check();
}

#[test]
fn coming_back_keeps_to_the_limits() {
    let mut pool = pool_with(|config| config.max_txs = 2);
    let state = State::default();
    for sender in 0..4 {
        state.set(address(sender), account(0, RICH));
    }
    insert(&mut pool, tx(0, 0).tip(1)).unwrap();
    let unwound = (1..4).map(|sender| tx(sender, 0).tip(u128::from(sender)).build());
    pool.reinject(unwound.collect(), &state).unwrap();
    let expected = [tx(3, 0).tip(3), tx(2, 0).tip(2)];
    assert_eq!(take(&mut pool, 9), expected.map(|tx| tx.hash()));
    pool.check();
}

#[test]
fn a_reload_reads_every_account_anew() {
    let (mut pool, state) = (pool(), State::default());
    insert(&mut pool, tx(0, 0)).unwrap();
    insert(&mut pool, tx(0, 1)).unwrap();
    pool.register(address(5), Timestamp(0));
    state.set(address(0), account(1, RICH));
    pool.reload(&state).unwrap();
    assert_eq!(take(&mut pool, 9), [tx(0, 1).hash()]);
    assert_eq!(pool.status().senders, 1);
    pool.check();
}

#[test]
fn a_lower_gas_limit_drops_what_no_block_can_hold() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).gas(1_000_000)).unwrap();
    insert(&mut pool, tx(0, 1)).unwrap();
    insert(&mut pool, tx(1, 0).gas(999_999)).unwrap();
    pool.on_block(BlockConditions { gas_limit: 999_999, ..conditions() }, Timestamp(0));
    assert_eq!((pool.status().pending, pool.status().queued), (1, 1));
    assert_eq!(pool.take_effects().dropped[0].1, DropReason::ExceedsBlockGasLimit);
    pool.check();
}

#[test]
fn a_new_base_fee_changes_the_order() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).cap(20).tip(20)).unwrap();
    insert(&mut pool, tx(1, 0).cap(90).tip(8)).unwrap();
    pool.on_block(with_base_fee(15), Timestamp(0));
    let expected = [tx(1, 0).cap(90).tip(8), tx(0, 0).cap(20).tip(20)];
    assert_eq!(take(&mut pool, 9), expected.map(|tx| tx.hash()));
    pool.check();
}

#[test]
fn conditions_follow_the_chain_specification() {
    let genesis = |config: serde_json::Value| -> cairn_primitives::ChainSpec {
        let json = serde_json::json!({
            "config": config, "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": {}
        });
        let genesis: alloy_genesis::Genesis = serde_json::from_value(json).unwrap();
        cairn_primitives::ChainSpec::from_genesis(&genesis).unwrap()
    };
    let op = genesis(serde_json::json!({
        "chainId": 901, "bedrockBlock": 0, "regolithTime": 0, "canyonTime": 0, "ecotoneTime": 0,
        "fjordTime": 0, "graniteTime": 0, "holoceneTime": 0, "isthmusTime": 0, "jovianTime": 0,
        "optimism": {"eip1559Elasticity": 6, "eip1559Denominator": 50}
    }));
    let at = BlockConditions::new(&op, 1, 1, 7, 99, 30_000_000);
    assert_eq!((at.chain_id, at.base_fee, at.blob_base_fee, at.max_blobs), (901, 7, 0, 0));
    assert_eq!(at.gas_limit, 29_930_000);
    assert!(at.prague && !at.osaka && at.homestead && at.istanbul && at.berlin && at.london);
    let ethereum = genesis(serde_json::json!({
        "chainId": 1, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
        "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
        "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0,
        "cancunTime": 10
    }));
    let before = BlockConditions::new(&ethereum, 1, 9, 7, 99, 30_000_000);
    assert_eq!((before.max_blobs, before.gas_limit), (0, 30_000_000));
    let after = BlockConditions::new(&ethereum, 1, 10, 7, 99, 30_000_000);
    assert_eq!((after.max_blobs, after.blob_base_fee, after.prague), (6, 99, false));
}
