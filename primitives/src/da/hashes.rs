//! The commitment to the versioned hashes of the original rows.
//!
//! A binary Merkle tree with node = keccak(left ‖ right) and the hashes themselves as leaves. The
//! number of leaves is the signed `R`, a power of two, so the depth is fixed and a node cannot
//! pass for a leaf. With one row the root is its hash.

use alloy_primitives::{B256, keccak256};

use super::{RowIndex, Shape};

fn node(left: &B256, right: &B256) -> B256 {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left.as_slice());
    pair[32..].copy_from_slice(right.as_slice());
    keccak256(pair)
}

fn level_above(level: &[B256]) -> Option<Vec<B256>> {
    let (pairs, rest) = level.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[left, right]| node(left, right)).collect())
}

/// The root over the versioned hashes of all original rows, in their order. `None` unless their
/// number is a power of two.
pub fn hashes_root(hashes: &[B256]) -> Option<B256> {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level_above(&level)?;
    }
    level.first().copied()
}

/// The siblings from a row's hash up to the root. `None` for a row that is not among them, or a
/// number of hashes that is no power of two.
pub fn hash_path(hashes: &[B256], row: RowIndex) -> Option<Vec<B256>> {
    let mut index = row.as_usize();
    let mut level = hashes.to_vec();
    let mut path = Vec::new();
    if index >= level.len() {
        return None;
    }
    while level.len() > 1 {
        path.push(*level.get(index ^ 1)?);
        level = level_above(&level)?;
        index /= 2;
    }
    Some(path)
}

/// Whether `hash` is the versioned hash of an original row of the matrix with that root.
pub fn verify_hash_path(
    root: B256,
    shape: Shape,
    row: RowIndex,
    hash: B256,
    path: &[B256],
) -> bool {
    let depth = shape.rows().trailing_zeros() as usize;
    if row.0 >= shape.rows() || path.len() != depth {
        return false;
    }
    let mut index = row.0;
    let mut current = hash;
    for sibling in path {
        current = if index & 1 == 0 { node(&current, sibling) } else { node(sibling, &current) };
        index /= 2;
    }
    current == root
}
