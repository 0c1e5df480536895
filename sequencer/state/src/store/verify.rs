//! The full rebuild, against which everything derived is held.

use std::collections::HashSet;
use std::hash::BuildHasher;

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use alloy_trie::HashBuilder;

use super::tries::check_old_roots;
use super::{Difference, Store, read};
use crate::error::{Result, StateError};
use crate::root::slot_leaf;
use crate::schema::{AccountRecord, Column, Reader, decode_slot, keys};
use crate::trie::TrieStream;

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Accounts rebuilt.
    pub accounts: u64,
    /// Slots rebuilt.
    pub slots: u64,
    /// Share of the key space that is done, in thousandths.
    pub per_mille: u32,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Block whose state was verified.
    pub tip: BlockNumHash,
    /// Its state root.
    pub state_root: B256,
    /// Accounts in the state.
    pub accounts: u64,
    /// Slots in the state.
    pub slots: u64,
    /// Trie nodes compared.
    pub nodes: u64,
    /// The first difference, `None` if the store is sound.
    pub difference: Option<Difference>,
}

impl Store {
    /// Rebuilds all tries from the flat state with [`alloy_trie::HashBuilder`], compares the roots
    /// with records and header, and compares every stored trie node with the rebuild. Of the old
    /// nodes it takes those that give the root before each interval. Reads a snapshot, so the node
    /// may go on. `progress` is called about a thousand times.
    pub fn verify(&self, mut progress: impl FnMut(VerifyProgress)) -> Result<VerifyReport> {
        let snapshot = self.db().snapshot();
        let reader = Reader::at(self.db(), &snapshot);
        let tip = read::tip(reader)?;
        let mut walk = Walk { reader, report: report(tip), extra: None, codes: HashSet::new() };
        let mut found = walk.run(&mut progress)?;
        if found.is_none() {
            let expected = self.header(tip.number)?.map(|header| header.state_root);
            let expected = expected.ok_or_else(|| StateError::corrupt("no header of the tip"))?;
            let computed = walk.report.state_root;
            let differs = expected != computed;
            found = differs.then_some(Difference::StateRoot { expected, computed });
        }
        if found.is_none() && walk.count_stored()? != walk.report.nodes {
            found = Some(walk.find_extra()?);
        }
        if found.is_none() {
            found = check_old_roots(reader)?;
        }
        walk.report.difference = found;
        Ok(walk.report)
    }
}

const fn report(tip: BlockNumHash) -> VerifyReport {
    let state_root = B256::ZERO;
    VerifyReport { tip, state_root, accounts: 0, slots: 0, nodes: 0, difference: None }
}

struct Walk<'a> {
    reader: Reader<'a>,
    report: VerifyReport,
    /// Hashes of the keys of all nodes of the rebuild, when nodes beside them are looked for.
    extra: Option<(HashSet<u64>, alloy_primitives::map::DefaultHashBuilder)>,
    /// Code that was found sound.
    codes: HashSet<B256>,
}

impl Walk<'_> {
    fn run(&mut self, progress: &mut impl FnMut(VerifyProgress)) -> Result<Option<Difference>> {
        let mut slots = self.reader.iter(Column::Slot);
        slots.seek_to_first();
        let mut accounts = self.reader.iter(Column::Account);
        accounts.seek_to_first();
        let (mut stream, mut oracle) = (TrieStream::new(), HashBuilder::default());
        let mut shown = 0;
        while let Some((key, value)) = accounts.item() {
            let hashed = B256::try_from(key)
                .map_err(|_| StateError::corrupt("an account key of another length"))?;
            let record = AccountRecord::decode(value)?;
            let found = match self.check_storage(&mut slots, hashed, &record)? {
                None => self.check_code(hashed, &record)?,
                found => found,
            };
            if found.is_some() {
                return Ok(found);
            }
            let leaf = record.trie_value();
            oracle.add_leaf(keys::unpack(&hashed), &leaf);
            stream.leaf(keys::unpack(&hashed), leaf);
            if let Some(found) = self.check_nodes(None, &mut stream)? {
                return Ok(Some(found));
            }
            self.report.accounts += 1;
            let per_mille = u32::from(u16::from_be_bytes([hashed[0], hashed[1]])) * 1000 / 65536;
            if per_mille > shown {
                shown = per_mille;
                let (accounts, slots) = (self.report.accounts, self.report.slots);
                progress(VerifyProgress { accounts, slots, per_mille });
            }
            accounts.next();
        }
        accounts.status()?;
        if let Some(key) = slots.key() {
            return Ok(Some(orphan(key)));
        }
        slots.status()?;
        self.report.state_root = oracle.root();
        let streamed = stream.root();
        debug_assert_eq!(streamed, self.report.state_root, "two rebuilds of the same leaves");
        self.check_nodes(None, &mut stream)
    }

    /// Rebuilds one storage trie. `slots` stands at the first slot that is not below `account`.
    fn check_storage(
        &mut self,
        slots: &mut rocksdb::DBRawIterator<'_>,
        account: B256,
        record: &AccountRecord,
    ) -> Result<Option<Difference>> {
        let (mut stream, mut oracle) = (TrieStream::new(), HashBuilder::default());
        while let Some((key, value)) = slots.item() {
            if key[..32] > account[..] {
                break;
            }
            if key[..32] < account[..] {
                return Ok(Some(orphan(key)));
            }
            let slot = B256::try_from(&key[32..])
                .map_err(|_| StateError::corrupt("a slot key of another length"))?;
            let Some(leaf) = slot_leaf(decode_slot(value)?) else {
                let what = "a stored zero";
                return Ok(Some(Difference::Slot { account, slot, what }));
            };
            oracle.add_leaf(keys::unpack(&slot), &leaf);
            stream.leaf(keys::unpack(&slot), leaf);
            if let Some(found) = self.check_nodes(Some(account), &mut stream)? {
                return Ok(Some(found));
            }
            self.report.slots += 1;
            slots.next();
        }
        slots.status()?;
        let computed = oracle.root();
        if computed != record.storage_root {
            let stored = record.storage_root;
            return Ok(Some(Difference::StorageRoot { account, stored, computed }));
        }
        stream.root();
        self.check_nodes(Some(account), &mut stream)
    }

    /// Compares the nodes that a rebuild has finished with the stored ones.
    fn check_nodes(
        &mut self,
        account: Option<B256>,
        stream: &mut TrieStream,
    ) -> Result<Option<Difference>> {
        let scope = account.as_ref().map_or(&[][..], |account| account.as_slice());
        let column = if account.is_some() { Column::StorageTrie } else { Column::AccountTrie };
        for (path, node) in stream.drain() {
            let key = keys::path(scope, &path);
            self.report.nodes += 1;
            if let Some((seen, hasher)) = &mut self.extra {
                seen.insert(hasher.hash_one(&key));
                continue;
            }
            let what = match self.reader.get(column, &key)? {
                Some(bytes) if *bytes == *node.as_bytes() => continue,
                Some(_) => "the stored node differs from the rebuild",
                None => "the node is missing",
            };
            return Ok(Some(Difference::Node { account, path, what }));
        }
        Ok(None)
    }

    fn check_code(&mut self, account: B256, record: &AccountRecord) -> Result<Option<Difference>> {
        let code_hash = record.account.code_hash;
        if code_hash == KECCAK256_EMPTY || self.codes.contains(&code_hash) {
            return Ok(None);
        }
        let what = match self.reader.get(Column::Code, code_hash.as_slice())? {
            Some(code) if keccak256(&*code) == code_hash => {
                self.codes.insert(code_hash);
                return Ok(None);
            }
            Some(_) => "its bytes have another hash",
            None => "it is not stored",
        };
        Ok(Some(Difference::Code { account, code_hash, what }))
    }

    fn count_stored(&self) -> Result<u64> {
        let mut count = 0;
        for column in [Column::AccountTrie, Column::StorageTrie] {
            self.reader.scan(column, &[], |_, _| {
                count += 1;
                Ok(())
            })?;
        }
        Ok(count)
    }

    /// The first stored node that the rebuild does not have. The rebuild runs once more.
    fn find_extra(&mut self) -> Result<Difference> {
        self.extra = Some(Default::default());
        let report = self.report.clone();
        self.run(&mut |_| ())?;
        self.report = report;
        let (seen, hasher) = self.extra.take().unwrap_or_default();
        let mut first = None;
        for (column, scope) in [(Column::AccountTrie, 0), (Column::StorageTrie, 32)] {
            self.reader.scan(column, &[], |key, _| {
                if first.is_none() && !seen.contains(&hasher.hash_one(keys::PathKey::from(key))) {
                    let (account, path) = key.split_at_checked(scope).unwrap_or_default();
                    let path = keys::path_of(path).unwrap_or_default();
                    let account = B256::try_from(account).ok();
                    let what = "a node that no leaf calls for";
                    first = Some(Difference::Node { account, path, what });
                }
                Ok(())
            })?;
        }
        first.ok_or_else(|| StateError::corrupt("more trie nodes than the rebuild has"))
    }
}

fn orphan(key: &[u8]) -> Difference {
    let word = |at: usize| key.get(at..at + 32).map_or(B256::ZERO, B256::from_slice);
    Difference::Slot { account: word(0), slot: word(32), what: "its account does not exist" }
}
