//! The state under the layers: the store's tip, or the state before an older block.
//!
//! Old values come from the change sets: the first change of a key after the wanted state holds its
//! value, and a key without one has its present value. For trie nodes that is right only where an
//! interval begins, because their change sets are written by interval, not by block: see
//! [`crate::store::intervals`].

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use rocksdb::{DBPinnableSlice, DBRawIterator};

use crate::cache::NodeCache;
use crate::error::{Result, StateError};
use crate::schema::{AccountRecord, Family, Reader, decode_slot, keys};

/// What the layers of [`Tries`](super::Tries) stand on.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    pub(crate) reader: Reader<'a>,
    /// Nodes at the store's tip.
    pub(crate) cache: Option<&'a NodeCache>,
    /// The block after the wanted state, where that is not the tip.
    before: Option<u64>,
}

impl<'a> Base<'a> {
    /// The tip that `reader` sees. `cache` may be given only if that is the store's own.
    pub(crate) const fn tip(reader: Reader<'a>, cache: Option<&'a NodeCache>) -> Self {
        Self { reader, cache, before: None }
    }

    /// The state before a block.
    pub(crate) const fn before(reader: Reader<'a>, block: u64) -> Self {
        Self { reader, cache: None, before: Some(block) }
    }

    pub(crate) const fn keys(&self, family: Family) -> Keys<'a> {
        let Self { reader, before, .. } = *self;
        Keys { reader, before, family, flat: None, index: None, sweep: None }
    }

    pub(crate) fn record(&self, hashed: &B256) -> Result<Option<AccountRecord>> {
        let stored = self.keys(Family::Accounts).get(hashed.as_slice())?;
        stored.map(|bytes| AccountRecord::decode(&bytes)).transpose()
    }

    /// Records of sorted keys.
    pub(crate) fn records(&self, hashed: &[&B256]) -> Result<Vec<Option<AccountRecord>>> {
        let decode = |bytes: DBPinnableSlice<'_>| AccountRecord::decode(&bytes);
        if self.before.is_none() {
            let stored = self.reader.get_sorted(Family::Accounts.flat(), hashed.iter().copied());
            return stored.into_iter().map(|stored| stored?.map(decode).transpose()).collect();
        }
        let mut accounts = self.keys(Family::Accounts);
        hashed.iter().map(|key| accounts.get(key.as_slice())?.map(decode).transpose()).collect()
    }

    pub(crate) fn slot(&self, account: &B256, slot: &B256) -> Result<U256> {
        let stored = self.keys(Family::Slots).get(&keys::pair(account, slot))?;
        stored.map_or(Ok(U256::ZERO), |bytes| decode_slot(&bytes))
    }

    /// All slots of an account.
    pub(crate) fn slots(&self, account: &B256) -> Result<BTreeMap<B256, U256>> {
        let mut slots = BTreeMap::new();
        if self.before.is_none() {
            self.reader.scan(Family::Slots.flat(), account.as_slice(), |key, value| {
                slots.insert(slot_of(key)?, decode_slot(value)?);
                Ok(())
            })?;
            return Ok(slots);
        }
        let mut stored = self.keys(Family::Slots);
        let mut from = keys::PathKey::from_slice(&keys::pair(account, &B256::ZERO));
        let within = |key: &[u8]| key.starts_with(account.as_slice());
        while let Some((key, value)) = stored.first(&from, within, |_| false)? {
            slots.insert(slot_of(&key)?, decode_slot(&value)?);
            // The next possible key is this one with a byte behind it.
            from = key;
            from.push(0);
        }
        Ok(slots)
    }
}

fn slot_of(key: &[u8]) -> Result<B256> {
    let slot = key.get(32..).and_then(|slot| B256::try_from(slot).ok());
    slot.ok_or_else(|| StateError::corrupt("a slot key of another length"))
}

/// Keys of one family. Keeps its iterators.
pub(crate) struct Keys<'a> {
    reader: Reader<'a>,
    before: Option<u64>,
    family: Family,
    flat: Option<DBRawIterator<'a>>,
    /// Looks for the first change of one key.
    index: Option<DBRawIterator<'a>>,
    /// Goes over the keys that were ever changed.
    sweep: Option<DBRawIterator<'a>>,
}

impl<'a> Keys<'a> {
    /// Another reader of the same keys.
    pub(crate) const fn fork(&self) -> Self {
        Self { flat: None, index: None, sweep: None, ..*self }
    }

    pub(crate) const fn family(&self) -> Family {
        self.family
    }

    /// Whether the keys are those of the tip.
    pub(crate) const fn at_tip(&self) -> bool {
        self.before.is_none()
    }

    pub(crate) fn get(&mut self, key: &[u8]) -> Result<Option<DBPinnableSlice<'a>>> {
        let Some(before) = self.before else { return self.reader.get(self.family.flat(), key) };
        let index = self.index.get_or_insert_with(|| self.reader.iter_prefix(self.family.index()));
        value_before(self.reader, index, self.family, key, before)
    }

    /// The first key from `from` on that is `within` and not skipped, with its value.
    pub(crate) fn first(
        &mut self,
        from: &[u8],
        within: impl Fn(&[u8]) -> bool,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<(keys::PathKey, Vec<u8>)>> {
        let scoped = self.family.is_scoped();
        let mut flat = self.flat.take().unwrap_or_else(|| match scoped {
            true => self.reader.iter_prefix(self.family.flat()),
            false => self.reader.iter(self.family.flat()),
        });
        flat.seek(from);
        let found = if self.before.is_none() {
            first_stored(&mut flat, within, skip)
        } else {
            self.first_before(&mut flat, from, within, skip)?
        };
        flat.status()?;
        self.flat = Some(flat);
        Ok(found)
    }

    /// Candidates are the keys of today and those that have changed since, in one order.
    fn first_before(
        &mut self,
        flat: &mut DBRawIterator<'_>,
        from: &[u8],
        within: impl Fn(&[u8]) -> bool,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<(keys::PathKey, Vec<u8>)>> {
        let family = self.family;
        let mut sweep = self.sweep.take().unwrap_or_else(|| self.reader.iter(family.index()));
        sweep.seek(family.index_key(from));
        let mut found = None;
        loop {
            let stored = flat.key().filter(|key| within(key)).map(keys::PathKey::from_slice);
            let changed = sweep.key().map(|key| family.key_of(key)).transpose()?;
            let changed = changed.filter(|key| within(key));
            let Some(key) = [&stored, &changed].into_iter().flatten().min().cloned() else { break };
            // An index entry is longer than its key, so the seek may find the key before `from`.
            if &*key >= from
                && !skip(&key)
                && let Some(value) = self.get(&key)?
            {
                found = Some((key, value.to_vec()));
                break;
            }
            if stored.is_some_and(|stored| stored == key) {
                flat.next();
            }
            if changed.is_some_and(|changed| changed == key) {
                sweep.seek(keys::history(&family.index_key(&key), u64::MAX));
            }
        }
        sweep.status()?;
        self.sweep = Some(sweep);
        Ok(found)
    }
}

fn first_stored(
    flat: &mut DBRawIterator<'_>,
    within: impl Fn(&[u8]) -> bool,
    skip: impl Fn(&[u8]) -> bool,
) -> Option<(keys::PathKey, Vec<u8>)> {
    while let Some((key, value)) = flat.item().filter(|(key, _)| within(key)) {
        if !skip(key) {
            return Some((keys::PathKey::from_slice(key), value.to_vec()));
        }
        flat.next();
    }
    None
}

/// The value of a key before a block: what the first change from that block on replaced, or the
/// present value if there was none. `None` where the key was absent. `index` is an iterator over the
/// family's index.
fn value_before<'a>(
    reader: Reader<'a>,
    index: &mut DBRawIterator<'a>,
    family: Family,
    key: &[u8],
    block: u64,
) -> Result<Option<DBPinnableSlice<'a>>> {
    let of_key = family.index_key(key);
    index.seek(keys::history(&of_key, block));
    let changed = index.key().and_then(|found| found.strip_prefix(&*of_key)).and_then(|number| {
        let number: [u8; 8] = number.try_into().ok()?;
        keys::block_of(&number)
    });
    index.status()?;
    let Some(changed) = changed else { return reader.get(family.flat(), key) };
    let previous = reader.get(family.changes(), &keys::change(changed, key))?.ok_or_else(|| {
        StateError::corrupt(format!("the change set of block {changed} lacks an indexed key"))
    })?;
    Ok((!previous.is_empty()).then_some(previous))
}
