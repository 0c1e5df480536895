//! The incremental root against the full rebuild and against another implementation.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use ethrex_crypto::NativeCrypto;
use proptest::prelude::*;

use super::{MemoryTrie, rebuilt_root, rebuilt_trie};
use crate::trie::LeafValue;

/// A key whose nibbles are zero but for a few: long shared paths, extensions, collapses.
fn key() -> impl Strategy<Value = B256> {
    let place = prop_oneof![0..6usize, 28..36usize, 58..64usize];
    prop::collection::vec((place, 0..4u8), 0..4).prop_map(|nibbles| {
        let mut path = [0u8; 64];
        for (at, nibble) in nibbles {
            path[at] = nibble;
        }
        let mut key = B256::ZERO;
        Nibbles::from_nibbles_unchecked(path).pack_to(&mut key.0);
        key
    })
}

/// Empty to remove; short values make nodes that stand inside their parents.
fn value() -> impl Strategy<Value = LeafValue> {
    prop_oneof![
        3 => Just(LeafValue::new()),
        2 => (1..=255u8).prop_map(|byte| LeafValue::from_slice(&[byte])),
        2 => prop::collection::vec(any::<u8>(), 30..80).prop_map(LeafValue::from_vec),
    ]
}

type Round = BTreeMap<B256, LeafValue>;

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    prop::collection::vec(prop::collection::btree_map(key(), value(), 1..24), 1..24)
}

fn check(rounds: Vec<Round>) {
    let mut ours = MemoryTrie::default();
    let mut theirs = ethrex_trie::Trie::new_temp();
    for round in rounds {
        for (key, value) in &round {
            if value.is_empty() {
                theirs.remove(key.as_slice()).unwrap();
            } else {
                theirs.insert(key.to_vec(), value.to_vec()).unwrap();
            }
        }
        let changes = round.into_iter().map(|(key, value)| (Nibbles::unpack(key), value)).collect();
        let root = ours.apply(&changes);
        assert_eq!(root, rebuilt_root(&ours.leaves), "the full rebuild");
        assert_eq!(root.0, theirs.hash(&NativeCrypto).unwrap().0, "the other implementation");
        let (streamed, nodes) = rebuilt_trie(&ours.leaves);
        assert_eq!(root, streamed, "the streaming rebuild");
        assert_eq!(ours.nodes, nodes, "stored nodes after {} leaves", ours.leaves.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
    ))]

    #[test]
    fn incremental_roots_and_nodes_equal_the_rebuild(rounds in rounds()) {
        check(rounds);
    }
}

#[test]
fn large_updates_that_run_in_parallel_equal_the_rebuild() {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    let mut rng = StdRng::seed_from_u64(7);
    let mut ours = MemoryTrie::default();
    for _ in 0..12 {
        let known: Vec<_> = ours.leaves.keys().copied().collect();
        let mut changes = BTreeMap::new();
        for _ in 0..3000 {
            let fresh = known.is_empty() || rng.random_bool(0.5);
            let key = match fresh {
                true => Nibbles::unpack_array(&rng.random()),
                false => known[rng.random_range(0..known.len())],
            };
            let keep = fresh || rng.random_bool(0.3);
            let value = if keep { rng.random::<[u8; 40]>().to_vec() } else { Vec::new() };
            changes.insert(key, LeafValue::from_vec(value));
        }
        let root = ours.apply(&changes);
        let (streamed, nodes) = rebuilt_trie(&ours.leaves);
        assert_eq!((root, root), (rebuilt_root(&ours.leaves), streamed));
        assert_eq!(ours.nodes, nodes);
    }
    let all = ours.leaves.keys().map(|key| (*key, LeafValue::new())).collect();
    assert_eq!(ours.apply(&all), alloy_trie::EMPTY_ROOT_HASH);
    assert!(ours.nodes.is_empty());
}

#[test]
fn a_key_said_to_be_new_that_the_trie_has_is_refused() {
    use super::super::{Change, update};
    let mut trie = MemoryTrie::default();
    let key = Nibbles::unpack(B256::repeat_byte(3));
    trie.apply(&BTreeMap::from([(key, LeafValue::from_slice(b"a"))]));
    let lie = Change { key, existed: false, value: Some(LeafValue::from_slice(b"b")) };
    let source = super::memory::Borrowed(&trie);
    let refused = update(source, &[lie], false).unwrap_err();
    assert!(matches!(refused, crate::StateError::ForeignChanges { .. }), "{refused}");
}
