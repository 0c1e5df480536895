//! The Merkle tree over the versioned hashes of the original rows.
//!
//! A node is `keccak256(left ‖ right)`. The number of leaves is the header's `R`, a power of two, so that
//! the depth is fixed by what was signed and a node cannot pass for a leaf. With one row the root is its
//! hash.

use alloy_primitives::{B256, Keccak256};

use crate::{CodecError, RowIndex, Shape};

fn node(left: &B256, right: &B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(left);
    hasher.update(right);
    hasher.finalize()
}

fn parents(level: &[B256]) -> Vec<B256> {
    level.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect()
}

/// Root over the versioned hashes of all original rows.
///
/// # Errors
/// [`CodecError::CommitmentCount`] if there are not `R` of them.
pub fn hashes_root(shape: Shape, hashes: &[B256]) -> Result<B256, CodecError> {
    check_count(shape, hashes.len())?;
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = parents(&level);
    }
    Ok(level[0])
}

/// The siblings on the way from the hash of an original row to the root, lowest first.
///
/// # Errors
/// [`CodecError::CommitmentCount`], [`CodecError::RowOutOfRange`] for a row that is not original.
pub fn hash_path(shape: Shape, hashes: &[B256], row: RowIndex) -> Result<Vec<B256>, CodecError> {
    check_count(shape, hashes.len())?;
    check_original(shape, row)?;
    let mut path = Vec::new();
    let mut level = hashes.to_vec();
    let mut position = row.as_usize();
    while level.len() > 1 {
        path.push(level[position ^ 1]);
        level = parents(&level);
        position /= 2;
    }
    Ok(path)
}

/// Whether a versioned hash is that of this original row in the matrix with this root.
///
/// # Errors
/// [`CodecError::RowOutOfRange`], [`CodecError::WrongPath`].
pub fn verify_hash_path(
    shape: Shape,
    root: &B256,
    row: RowIndex,
    hash: &B256,
    path: &[B256],
) -> Result<(), CodecError> {
    check_original(shape, row)?;
    if 1usize.checked_shl(path.len() as u32) != Some(shape.rows()) {
        return Err(CodecError::WrongPath { row });
    }
    let mut position = row.as_usize();
    let found = path.iter().fold(*hash, |hash, sibling| {
        let even = position.is_multiple_of(2);
        position /= 2;
        if even { node(&hash, sibling) } else { node(sibling, &hash) }
    });
    if found == *root { Ok(()) } else { Err(CodecError::WrongPath { row }) }
}

const fn check_count(shape: Shape, found: usize) -> Result<(), CodecError> {
    if found == shape.rows() {
        return Ok(());
    }
    Err(CodecError::CommitmentCount { expected: shape.rows(), found })
}

const fn check_original(shape: Shape, row: RowIndex) -> Result<(), CodecError> {
    if row.as_usize() < shape.rows() {
        return Ok(());
    }
    Err(CodecError::RowOutOfRange { row, limit: shape.rows() })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    fn hashes(rows: usize) -> (Shape, Vec<B256>) {
        let shape = Shape::new(rows, 1).expect("a shape");
        (shape, (0..rows).map(|row| keccak256([row as u8])).collect())
    }

    #[test]
    fn the_root_of_one_row_is_its_hash_and_of_four_is_written_out() {
        let (shape, one) = hashes(1);
        assert_eq!(hashes_root(shape, &one), Ok(one[0]));
        let (shape, four) = hashes(4);
        let pair = |left: &B256, right: &B256| keccak256([left.0, right.0].concat());
        let expected = pair(&pair(&four[0], &four[1]), &pair(&four[2], &four[3]));
        assert_eq!(hashes_root(shape, &four), Ok(expected));
    }

    #[test]
    fn every_row_has_a_path_and_no_other_passes() {
        for rows in [1, 2, 8, 256] {
            let (shape, hashes) = hashes(rows);
            let root = hashes_root(shape, &hashes).expect("a root");
            for row in 0..rows {
                let (index, hash) = (RowIndex::at(row), &hashes[row]);
                let path = hash_path(shape, &hashes, index).expect("a path");
                assert_eq!(path.len(), rows.ilog2() as usize);
                assert_eq!(verify_hash_path(shape, &root, index, hash, &path), Ok(()));
                let wrong = Err(CodecError::WrongPath { row: index });
                let other = keccak256("other");
                assert_eq!(verify_hash_path(shape, &root, index, &other, &path), wrong);
                assert_eq!(verify_hash_path(shape, &other, index, hash, &path), wrong);
                let longer = [path.as_slice(), &[root]].concat();
                assert_eq!(verify_hash_path(shape, &root, index, hash, &longer), wrong);
            }
        }
    }

    #[test]
    fn a_row_cannot_be_shown_at_another_place_nor_a_node_as_a_leaf() {
        let (shape, hashes) = hashes(4);
        let root = hashes_root(shape, &hashes).expect("a root");
        let path = hash_path(shape, &hashes, RowIndex(1)).expect("a path");
        let row = RowIndex(2);
        assert_eq!(
            verify_hash_path(shape, &root, row, &hashes[1], &path),
            Err(CodecError::WrongPath { row })
        );
        let inner = node(&hashes[0], &hashes[1]);
        let row = RowIndex(0);
        assert_eq!(
            verify_hash_path(shape, &root, row, &inner, &path[1..]),
            Err(CodecError::WrongPath { row })
        );
    }

    #[test]
    fn refuses_lists_and_rows_of_another_matrix() {
        let (shape, hashes) = hashes(4);
        let count = CodecError::CommitmentCount { expected: 4, found: 3 };
        assert_eq!(hashes_root(shape, &hashes[..3]), Err(count.clone()));
        assert_eq!(hash_path(shape, &hashes[..3], RowIndex(0)), Err(count));
        let row = RowIndex(4);
        let outside = CodecError::RowOutOfRange { row, limit: 4 };
        assert_eq!(hash_path(shape, &hashes, row), Err(outside.clone()));
        assert_eq!(verify_hash_path(shape, &hashes[0], row, &hashes[0], &[]), Err(outside));
    }
}
