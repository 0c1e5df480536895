use alloy_primitives::{B256, keccak256};
use proptest::prelude::*;

use crate::da::{RowIndex, Shape, hash_path, hashes_root, verify_hash_path};

fn hashes(log: u32) -> Vec<B256> {
    (0_u16..1 << log).map(|i| keccak256(i.to_be_bytes())).collect()
}

proptest! {
    #[test]
    fn a_path_proves_its_own_hash_and_no_other(
        log in 0_u32..=8, row in any::<u16>(), other in any::<u16>(), flip in any::<usize>(),
    ) {
        let hashes = hashes(log);
        let shape = Shape::new(1 << log, 5).unwrap();
        let row = RowIndex(row % shape.rows());
        let root = hashes_root(&hashes).unwrap();
        let path = hash_path(&hashes, row).unwrap();
        let hash = hashes[row.as_usize()];
        prop_assert_eq!(path.len(), log as usize);
        prop_assert!(verify_hash_path(root, shape, row, hash, &path));
        let other = RowIndex(other % shape.rows());
        prop_assert_eq!(verify_hash_path(root, shape, other, hash, &path), row == other);
        prop_assert!(!verify_hash_path(root, shape, row, keccak256(hash), &path));
        if !path.is_empty() {
            let mut broken = path.clone();
            broken[flip % path.len()].0[flip % 32] ^= 1;
            prop_assert!(!verify_hash_path(root, shape, row, hash, &broken));
        }
    }
}

#[test]
fn the_root_of_four_is_the_hash_of_two_hashes() {
    let h = hashes(2);
    let pair = |a: B256, b: B256| keccak256([a, b].concat());
    assert_eq!(hashes_root(&h), Some(pair(pair(h[0], h[1]), pair(h[2], h[3]))));
    assert_eq!(hashes_root(&h[..1]), Some(h[0]));
}

#[test]
fn a_node_does_not_pass_for_a_leaf() {
    let h = hashes(2);
    let root = hashes_root(&h).unwrap();
    let inner = keccak256([h[0], h[1]].concat());
    let path = hash_path(&h, RowIndex(0)).unwrap();
    let shape = Shape::new(4, 1).unwrap();
    assert!(!verify_hash_path(root, shape, RowIndex(0), inner, &path[1..]));
    assert!(!verify_hash_path(root, shape, RowIndex(0), inner, &path));
}

#[test]
fn other_numbers_than_powers_of_two_have_no_root() {
    for length in [0, 3, 5, 6, 7, 12] {
        let h = &hashes(4)[..length];
        assert_eq!(hashes_root(h), None, "{length}");
        assert_eq!(hash_path(h, RowIndex(0)), None, "{length}");
    }
    assert_eq!(hash_path(&hashes(2), RowIndex(4)), None);
    let h = hashes(2);
    let path = hash_path(&h, RowIndex(1)).unwrap();
    let shape = Shape::new(4, 1).unwrap();
    assert!(!verify_hash_path(hashes_root(&h).unwrap(), shape, RowIndex(5), h[1], &path));
}
