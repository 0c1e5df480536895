use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, proof::verify_proof};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{MemoryTrie, memory::Borrowed};
use crate::trie::{LeafValue, prove};

/// Keys that differ in few nibbles, so that proofs run through extensions and inline nodes.
fn random_key(rng: &mut StdRng) -> Nibbles {
    let mut path = [1u8; 64];
    for _ in 0..4 {
        path[[0, 1, 2, 30, 61, 62, 63][rng.random_range(0..7)]] = rng.random_range(0..3);
    }
    Nibbles::from_nibbles(path)
}

#[test]
fn inclusion_and_exclusion_proofs_verify_at_every_size() {
    let mut rng = StdRng::seed_from_u64(11);
    let mut trie = MemoryTrie::default();
    let mut root = EMPTY_ROOT_HASH;
    for _ in 0..120 {
        for _ in 0..20 {
            let key = random_key(&mut rng);
            let (nodes, value) = prove(&mut Borrowed(&trie), &key).unwrap();
            assert_eq!(value.as_ref(), trie.leaves.get(&key));
            let value = value.map(|value| value.to_vec());
            verify_proof(root, key, value, &nodes).unwrap();
            let forged = Some(b"forged".to_vec());
            assert!(verify_proof(root, key, forged, &nodes).is_err());
        }
        let len = if rng.random_bool(0.5) { 1 } else { 60 };
        let value = LeafValue::from_elem(rng.random_range(1..=255), len);
        root = trie.apply(&BTreeMap::from([(random_key(&mut rng), value)]));
    }
}

#[test]
fn the_empty_trie_proves_absence_without_nodes() {
    let trie = MemoryTrie::default();
    let key = Nibbles::unpack(B256::ZERO);
    let (nodes, value) = prove(&mut Borrowed(&trie), &key).unwrap();
    assert!(nodes.is_empty() && value.is_none());
    verify_proof(EMPTY_ROOT_HASH, key, None, &nodes).unwrap();
}
