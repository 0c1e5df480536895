//! Stores that are not ours are refused.

use alloy_primitives::B256;
use cairn_primitives::Header;
use cairn_state::{ChainIdentity, StateError, Store};

use crate::chain::{Chain, identity, options};

#[test]
fn a_store_of_another_chain_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(Chain::create(dir.path(), 1, 3));
    let other = ChainIdentity {
        name: "other (chain id 7)".into(),
        config_hash: B256::repeat_byte(7),
        genesis_hash: None,
    };
    let refused = Store::open(dir.path(), options(), &other).unwrap_err();
    assert!(matches!(refused, StateError::WrongChain { .. }));
    let text = refused.to_string();
    assert!(text.contains("test (chain id 1337)") && text.contains("other (chain id 7)"), "{text}");
    Store::open(dir.path(), options(), &identity()).unwrap();
}

#[test]
fn a_store_with_another_genesis_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let found = Chain::create(dir.path(), 1, 3).store.genesis().unwrap().hash;
    let expect = |hash| ChainIdentity { genesis_hash: Some(hash), ..identity() };
    let refused = Store::open(dir.path(), options(), &expect(B256::ZERO)).unwrap_err();
    assert!(matches!(refused, StateError::WrongGenesis { found: f, .. } if f == found));
    Store::open(dir.path(), options(), &expect(found)).unwrap();
}

#[test]
fn a_store_of_another_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Chain::create(dir.path(), 1, 3));
    {
        let options = rocksdb::Options::default();
        let columns = rocksdb::DB::list_cf(&options, dir.path()).unwrap();
        let db = rocksdb::DB::open_cf(&options, dir.path(), columns).unwrap();
        db.put_cf(db.cf_handle("meta").unwrap(), b"schema", 77u32.to_be_bytes()).unwrap();
    }
    let refused = Store::open(dir.path(), options(), &identity()).unwrap_err();
    assert!(matches!(refused, StateError::WrongSchema { found: 77, .. }), "{refused}");
}

#[test]
fn a_store_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Chain::create(dir.path(), 1, 3);
    let refused = Store::open(dir.path(), options(), &identity()).unwrap_err();
    assert!(matches!(refused, StateError::Locked { .. }), "{refused}");
}

#[test]
fn genesis_is_written_once_and_needed_for_everything_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options(), &identity()).unwrap();
    assert!(matches!(store.latest(), Err(StateError::Genesis(_))));
    assert!(matches!(store.verify(|_| ()), Err(StateError::Genesis(_))));
    let wrong = store.init_genesis([], |_| Header { state_root: B256::ZERO, ..Header::default() });
    let wrong = wrong.unwrap_err();
    assert!(matches!(wrong, StateError::RootMismatch { block: 0, .. }), "{wrong}");
    drop(store);
    let chain = Chain::create(dir.path(), 1, 3);
    let again = chain.store.init_genesis([], |_| Default::default()).unwrap_err();
    assert!(matches!(again, StateError::Genesis(_)), "{again}");
}
