//! Keys on disk.

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use smallvec::SmallVec;

/// A key of a trie column family: hashed address or nothing, then one nibble a byte.
pub(crate) type PathKey = SmallVec<[u8; 96]>;

/// Key of a block in the column families keyed by number.
pub(crate) const fn block(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Reads the number at the front of a key.
pub(crate) fn block_of(key: &[u8]) -> Option<u64> {
    key.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// `a ‖ b`, for `slot`.
pub(crate) fn pair(a: &B256, b: &B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(a.as_slice());
    key[32..].copy_from_slice(b.as_slice());
    key
}

/// `B ‖ key`, for change sets.
pub(crate) fn change(number: u64, key: &[u8]) -> SmallVec<[u8; 72]> {
    let mut out = SmallVec::from_slice(&number.to_be_bytes());
    out.extend_from_slice(key);
    out
}

/// `key ‖ B`, for the history index.
pub(crate) fn history(key: &[u8], number: u64) -> SmallVec<[u8; 72]> {
    let mut out = SmallVec::from_slice(key);
    out.extend_from_slice(&number.to_be_bytes());
    out
}

/// `scope ‖ path`, for trie nodes. `scope` is the hashed address or empty.
pub(crate) fn path(scope: &[u8], path: &Nibbles) -> PathKey {
    let mut out = PathKey::from_slice(scope);
    out.extend(path.iter());
    out
}

/// Reads a path behind its scope; `None` where a byte is no nibble.
pub(crate) fn path_of(bytes: &[u8]) -> Option<Nibbles> {
    (bytes.len() <= 64 && bytes.iter().all(|b| *b < 16))
        .then(|| Nibbles::from_nibbles_unchecked(bytes))
}

/// The smallest 32-byte key under a nibble path.
pub(crate) fn first_under(path: &Nibbles) -> B256 {
    let mut key = B256::ZERO;
    path.pack_to(&mut key[..path.len().div_ceil(2)]);
    key
}

/// A 32-byte key as a path.
pub(crate) fn unpack(key: &B256) -> Nibbles {
    Nibbles::unpack_array(&key.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_round_trip_and_sort_like_their_keys() {
        let key = B256::repeat_byte(0x5a);
        let full = unpack(&key);
        assert_eq!(first_under(&full), key);
        assert_eq!(first_under(&full.slice(..3))[..3], [0x5a, 0x50, 0]);
        let stored = path(key.as_slice(), &full.slice(..5));
        assert_eq!(path_of(&stored[32..]), Some(full.slice(..5)));
        assert_eq!(path_of(&[16]), None);
        assert!(path(&[], &full.slice(..5)) < path(&[], &full.slice(..6)));
    }
}
