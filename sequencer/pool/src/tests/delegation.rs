//! Set-code transactions and delegated accounts (EIP-7702).

use alloy_primitives::{B256, Bytes};
use cairn_primitives::Account;

use super::support::*;
use crate::{Pool, PoolError, SenderCode, SenderView, Timestamp};

fn delegated(code: SenderCode) -> SenderView {
    SenderView { account: Account { code_hash: B256::repeat_byte(1), ..account(0, RICH) }, code }
}

fn send(pool: &mut Pool, tx: Tx, view: &SenderView) -> Result<(), String> {
    let result = pool.insert(tx.build(), Some(view), Timestamp(0));
    result.map(|_| ()).map_err(|error| error.to_string())
}

const IN_FLIGHT: &str = "in-flight transaction limit reached for delegated accounts";
const GAPPED: &str = "gapped-nonce tx from delegated accounts";

#[test]
fn a_delegated_account_has_one_transaction_in_flight() {
    let (mut pool, view) = (pool(), delegated(SenderCode::Delegated));
    assert_eq!(send(&mut pool, tx(0, 1), &view), Err(GAPPED.into()));
    send(&mut pool, tx(0, 0), &view).unwrap();
    assert_eq!(send(&mut pool, tx(0, 1), &view), Err(IN_FLIGHT.into()));
    assert_eq!(send(&mut pool, tx(0, 2), &view), Err(IN_FLIGHT.into()));
    send(&mut pool, tx(0, 0).cap(200).tip(10), &view).unwrap();
    let handed = take(&mut pool, 1);
    pool.executed(&handed[0], &Account { nonce: 1, ..view.account });
    send(&mut pool, tx(0, 1), &view).unwrap();
    pool.check();
}

#[test]
fn the_limit_in_flight_is_configurable() {
    let (mut pool, view) = (pool_with(|c| c.delegated_slots = 2), delegated(SenderCode::Delegated));
    send(&mut pool, tx(0, 0), &view).unwrap();
    assert_eq!(send(&mut pool, tx(0, 2), &view), Err(GAPPED.into()));
    send(&mut pool, tx(0, 1), &view).unwrap();
    assert_eq!(send(&mut pool, tx(0, 2), &view), Err(IN_FLIGHT.into()));
}

#[test]
fn a_pending_authorization_counts_as_delegation() {
    let mut pool = pool();
    insert_as(&mut pool, set_code_tx(0, 0, &[1]), account(0, RICH)).unwrap();
    insert(&mut pool, tx(1, 0)).unwrap();
    assert_eq!(insert(&mut pool, tx(1, 1)).unwrap_err().to_string(), IN_FLIGHT);
    pool.check();
    // Executed, the authorization is state, and state says what account 1 may do.
    let handed = take(&mut pool, 2);
    pool.executed(&set_code_tx(0, 0, &[1]).hash(), &account(1, RICH));
    pool.executed(&handed[1], &account(1, RICH));
    insert(&mut pool, tx(1, 1)).unwrap();
    insert(&mut pool, tx(1, 2)).unwrap();
    pool.check();
}

#[test]
fn an_authority_with_transactions_in_flight_is_reserved() {
    let mut pool = pool();
    insert(&mut pool, tx(1, 0)).unwrap();
    insert_as(&mut pool, set_code_tx(0, 0, &[1]), account(0, RICH)).unwrap();
    insert(&mut pool, tx(2, 0)).unwrap();
    insert(&mut pool, tx(2, 1)).unwrap();
    let error = insert_as(&mut pool, set_code_tx(3, 0, &[2]), account(0, RICH)).unwrap_err();
    assert_eq!(error.to_string(), "authority already reserved");
    pool.check();
}

#[test]
fn code_that_changed_is_read_anew_before_the_next_transaction() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let changed = Account { code_hash: B256::repeat_byte(1), ..account(0, RICH) };
    pool.on_state_change([(address(0), changed)]);
    assert!(pool.needs_view(address(0)));
    let error = pool.insert(tx(0, 1).build(), None, Timestamp(0)).unwrap_err();
    assert!(matches!(error, PoolError::SenderNotLoaded { .. }));
    // A view from before the change does not count.
    let old = SenderView::plain(account(0, RICH));
    let error = pool.insert(tx(0, 1).build(), Some(&old), Timestamp(0)).unwrap_err();
    assert!(matches!(error, PoolError::SenderNotLoaded { .. }));
    let view = SenderView { account: changed, code: SenderCode::Delegated };
    assert_eq!(send(&mut pool, tx(0, 1), &view), Err(IN_FLIGHT.into()));
    pool.on_state_change([(address(0), account(0, RICH))]);
    assert!(!pool.needs_view(address(0)));
    pool.check();
}

#[test]
fn the_kind_of_code_is_read_from_the_state() {
    let state = State::default();
    let designator = [&[0xef, 0x01, 0x00], [7u8; 20].as_slice()].concat();
    state.set_code(address(0), designator.clone().into());
    state.set_code(address(1), Bytes::from_static(&[0x60, 0x00]));
    state.set_code(address(2), [designator, vec![0]].concat().into());
    state.set(address(3), account(4, 5));
    let code = |sender| SenderView::read(&state, address(sender)).unwrap().code;
    assert_eq!(code(0), SenderCode::Delegated);
    assert_eq!(code(1), SenderCode::Contract);
    assert_eq!(code(2), SenderCode::Contract);
    assert_eq!(code(3), SenderCode::Empty);
    let absent = SenderView::read(&state, address(4)).unwrap();
    assert_eq!((absent.account, absent.code), (Account::default(), SenderCode::Empty));
}
