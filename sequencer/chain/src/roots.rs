//! Roots over ordered lists: transactions, receipts, withdrawals.
//!
//! Such a trie is keyed with `rlp(index)`. In key order index 0 (`0x80`) comes after 1 to 127
//! (`0x01`–`0x7f`) and before 128 (`0x8180`); from there on key order is index order. So a root can
//! be built while items arrive, holding back only item 0: sealing a block then costs no pass over
//! its transactions.

use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles};

const LAST_SINGLE_BYTE_KEY: usize = 0x7f;

/// Builds the root of an ordered list from items pushed in order.
#[derive(Debug, Default)]
pub struct OrderedRoot {
    builder: HashBuilder,
    first: Option<Vec<u8>>,
    len: usize,
}

impl OrderedRoot {
    /// Appends the next item, encoded as its trie leaf.
    pub fn push(&mut self, item: &[u8]) {
        match self.len {
            0 => self.first = Some(item.to_vec()),
            index => {
                if index == LAST_SINGLE_BYTE_KEY + 1 {
                    self.insert_first();
                }
                self.builder.add_leaf(key(index), item);
            }
        }
        self.len += 1;
    }

    /// Items so far.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was pushed.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The root of all items pushed.
    pub fn finish(mut self) -> B256 {
        if self.len == 0 {
            return EMPTY_ROOT_HASH;
        }
        self.insert_first();
        self.builder.root()
    }

    fn insert_first(&mut self) {
        if let Some(first) = self.first.take() {
            self.builder.add_leaf(key(0), &first);
        }
    }
}

fn key(index: usize) -> Nibbles {
    Nibbles::unpack(alloy_rlp::encode_fixed_size(&index))
}

/// The root of a whole list, each item encoded by `encode` into a cleared buffer.
pub fn ordered_root<T>(items: &[T], mut encode: impl FnMut(&T, &mut Vec<u8>)) -> B256 {
    let mut root = OrderedRoot::default();
    let mut buffer = Vec::new();
    for item in items {
        buffer.clear();
        encode(item, &mut buffer);
        root.push(&buffer);
    }
    root.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_sorting_implementation_around_every_key_boundary() {
        for len in [0usize, 1, 2, 3, 16, 17, 126, 127, 128, 129, 130, 255, 256, 257, 1000] {
            let items: Vec<Vec<u8>> = (0..len).map(|i| vec![i as u8; 1 + (i * 7) % 60]).collect();
            let theirs = alloy_trie::root::ordered_trie_root_with_encoder(&items, |item, out| {
                out.extend_from_slice(item);
            });
            let ours = ordered_root(&items, |item, out| out.extend_from_slice(item));
            assert_eq!(ours, theirs, "{len} items");
        }
    }
}
