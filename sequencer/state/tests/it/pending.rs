//! The open block's state.

use alloy_primitives::{Address, U256};
use cairn_primitives::{Account, StateReader};
use cairn_state::{Delta, PendingLayers};

use crate::chain::{Chain, address};

#[test]
fn views_of_the_open_block_are_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 1, 10);
    chain.extend();
    let parent = chain.view();
    let mut pending = PendingLayers::new();
    let mut views = vec![pending.view(&parent)];
    for n in 1..=300u64 {
        let mut delta = Delta::new();
        let account = Account { nonce: n, ..Account::default() };
        delta.set_account(address(n % 7), Some(account));
        delta.set_storage(Address::ZERO, U256::from(n % 11), U256::from(n));
        if n % 50 == 0 {
            delta.wipe_storage(Address::ZERO);
        }
        pending.push(&delta);
        views.push(pending.view(&parent));
    }
    for (n, view) in (0u64..).zip(&views) {
        let last_with = |m: u64, of: u64| (1..=n).rev().find(|i| i % of == m);
        for m in 0..7 {
            let nonce = view.account(address(m)).unwrap().map(|account| account.nonce);
            let expected = last_with(m, 7)
                .or_else(|| parent.account(address(m)).unwrap().map(|account| account.nonce));
            assert_eq!(nonce, expected);
        }
        for m in 0..11 {
            let wiped = n / 50 * 50;
            let expected = last_with(m, 11).filter(|i| *i > wiped || n == 0).unwrap_or(0);
            let value = view.storage(Address::ZERO, U256::from(m)).unwrap();
            assert_eq!(value, U256::from(expected), "slot {m} after {n}");
        }
    }
    assert_eq!(views[0].account(address(3)).unwrap(), parent.account(address(3)).unwrap());
    assert_eq!(
        pending.view(&parent).without_pending().account(address(1)).unwrap(),
        parent.account(address(1)).unwrap()
    );
}
