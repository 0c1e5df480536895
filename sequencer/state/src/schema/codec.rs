//! Values of the flat state.

use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use alloy_rlp::{Encodable, Header};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::Account;
use smallvec::SmallVec;

use crate::error::{Result, StateError};

/// An account with the root of its storage trie: what the account trie commits to.
///
/// Encoding: `flags ‖ balance length ‖ nonce ‖ balance ‖ [code hash] ‖ [storage root]`. Bits 0
/// and 1 of the flags say whether the last two are there, bits 2 to 5 give the nonce's length;
/// both numbers are big-endian without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRecord {
    /// Nonce, balance, code hash.
    pub account: Account,
    /// Root of the storage trie, [`EMPTY_ROOT_HASH`] without storage.
    pub storage_root: B256,
}

const HAS_CODE: u8 = 1;
const HAS_STORAGE: u8 = 2;
const NONCE_SHIFT: u8 = 2;

impl AccountRecord {
    /// Bytes for the `account` column family.
    pub(crate) fn encode(&self) -> SmallVec<[u8; 112]> {
        let nonce = self.account.nonce.to_be_bytes();
        let nonce = &nonce[self.account.nonce.leading_zeros() as usize / 8..];
        let balance = encode_slot(self.account.balance);
        let mut flags = (nonce.len() as u8) << NONCE_SHIFT;
        flags |= u8::from(self.account.code_hash != KECCAK256_EMPTY) * HAS_CODE;
        flags |= u8::from(self.storage_root != EMPTY_ROOT_HASH) * HAS_STORAGE;
        let mut out = SmallVec::new();
        out.extend_from_slice(&[flags, balance.len() as u8]);
        out.extend_from_slice(nonce);
        out.extend_from_slice(&balance);
        if flags & HAS_CODE != 0 {
            out.extend_from_slice(self.account.code_hash.as_slice());
        }
        if flags & HAS_STORAGE != 0 {
            out.extend_from_slice(self.storage_root.as_slice());
        }
        out
    }

    /// Reads what [`Self::encode`] wrote and nothing else.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            let hex = alloy_primitives::hex::encode(bytes);
            StateError::corrupt(format!("account record {hex}"))
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[flags, balance_len], rest) = bytes.split_first_chunk()?;
        let (nonce, rest) = rest.split_at_checked((flags >> NONCE_SHIFT) as usize)?;
        let (balance, mut rest) = rest.split_at_checked(balance_len as usize)?;
        if nonce.len() > 8 || balance.len() > 32 {
            return None;
        }
        let mut hash = |present: bool, default: B256| {
            if !present {
                return Some(default);
            }
            let (word, tail) = rest.split_first_chunk::<32>()?;
            rest = tail;
            Some(B256::new(*word))
        };
        let code_hash = hash(flags & HAS_CODE != 0, KECCAK256_EMPTY)?;
        let storage_root = hash(flags & HAS_STORAGE != 0, EMPTY_ROOT_HASH)?;
        rest.is_empty().then(|| Self {
            account: Account {
                nonce: nonce.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)),
                balance: U256::from_be_slice(balance),
                code_hash,
            },
            storage_root,
        })
    }

    /// The account leaf's value (Yellow Paper, section 4.1): `rlp([nonce, balance, root, hash])`.
    pub fn trie_value(&self) -> SmallVec<[u8; 112]> {
        let payload_length = self.account.nonce.length() + self.account.balance.length() + 66;
        let mut out = SmallVec::<[u8; 112]>::new();
        let mut buffer = [0u8; 128];
        let mut writer = &mut buffer[..];
        Header { list: true, payload_length }.encode(&mut writer);
        self.account.nonce.encode(&mut writer);
        self.account.balance.encode(&mut writer);
        self.storage_root.encode(&mut writer);
        self.account.code_hash.encode(&mut writer);
        let written = 128 - writer.len();
        out.extend_from_slice(&buffer[..written]);
        out
    }
}

/// A number without leading zeros; zero is empty.
pub(crate) fn encode_slot(value: U256) -> SmallVec<[u8; 32]> {
    let bytes = value.to_be_bytes::<32>();
    SmallVec::from_slice(&bytes[value.leading_zeros() / 8..])
}

/// Reads what [`encode_slot`] wrote.
pub(crate) fn decode_slot(bytes: &[u8]) -> Result<U256> {
    U256::try_from_be_slice(bytes)
        .ok_or_else(|| StateError::corrupt(format!("a slot value of {} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip_with_and_without_code_and_storage() {
        for nonce in [0, 1, 255, 256, u64::MAX] {
            for balance in [U256::ZERO, U256::from(1), U256::MAX] {
                for (code, root) in [(KECCAK256_EMPTY, EMPTY_ROOT_HASH), (B256::ZERO, B256::ZERO)] {
                    let account = Account { nonce, balance, code_hash: code };
                    let record = AccountRecord { account, storage_root: root };
                    assert_eq!(AccountRecord::decode(&record.encode()).unwrap(), record);
                    let theirs = alloy_trie::TrieAccount::new(nonce, balance, root, code);
                    assert_eq!(record.trie_value().as_slice(), alloy_rlp::encode(theirs));
                }
            }
        }
    }

    #[test]
    fn truncated_and_padded_records_are_refused() {
        let account = Account { nonce: 7, balance: U256::from(9), code_hash: B256::ZERO };
        let bytes = AccountRecord { account, storage_root: B256::ZERO }.encode();
        for len in 0..bytes.len() {
            assert!(AccountRecord::decode(&bytes[..len]).is_err(), "{len} bytes");
        }
        let mut padded = bytes.to_vec();
        padded.push(0);
        assert!(AccountRecord::decode(&padded).is_err());
        assert!(decode_slot(&[1; 33]).is_err());
    }
}
