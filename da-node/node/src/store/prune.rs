//! Removing what has expired.

use cairn_primitives::da::{HEADER_BYTES, PayerSignature, Timestamp};
use rocksdb::{IteratorMode, WriteBatch};

use super::database::{Column, synced};
use super::{Result, Store, StoreError, keys};

/// What one step of pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Headers whose rows went.
    pub headers: usize,
    /// Whether more of them wait.
    pub remaining: bool,
}

impl Store {
    /// Removes rows and commitments of up to `limit` headers whose expiry is before `before`.
    /// Their headers and reservations stay.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] on a full disk; nothing of the step is applied then.
    pub fn prune(&self, before: Timestamp, limit: usize) -> Result<Pruned> {
        let db = &self.0.db;
        let mut batch = WriteBatch::default();
        let mut pruned = Pruned::default();
        let mut last = None;
        for entry in db.iterator_cf(db.cf(Column::Expiry), IteratorMode::Start) {
            let (key, _) = entry?;
            let split = keys::split_expiry(&key).filter(|(_, _, rest)| rest.is_empty());
            let (expiry, hash, _) =
                split.ok_or(StoreError::Corrupt("an expiry key has another length"))?;
            if expiry >= before {
                break;
            }
            if pruned.headers == limit {
                pruned.remaining = true;
                break;
            }
            let record = db.read(Column::Header, hash.as_slice())?;
            let record = record.ok_or(StoreError::Corrupt("an expiring header is missing"))?;
            let kept = record.get(..HEADER_BYTES + PayerSignature::BYTES);
            let kept = kept.ok_or(StoreError::Corrupt("a stored header is malformed"))?;
            batch.put_cf(db.cf(Column::Header), hash, kept);
            batch.delete_cf(db.cf(Column::Expiry), &key);
            // Row keys begin with the key of the expiry index; the next hash bounds them.
            let mut end = key.to_vec();
            end.extend_from_slice(&[0xff; 3]);
            batch.delete_range_cf(db.cf(Column::Row), &key[..], &end[..]);
            pruned.headers += 1;
            last = Some(expiry);
        }
        if pruned.headers == 0 {
            return Ok(pruned);
        }
        fail::fail_point!("prune::before_write");
        db.write_opt(batch, &synced())?;
        fail::fail_point!("prune::after_write");
        if let Some(end) = last.filter(|_| !pruned.remaining).and_then(keys::after) {
            // Whole files of rows before that are dropped at once; the rest goes by compaction.
            db.delete_file_in_range_cf(db.cf(Column::Row), &[0; 8], &end)?;
        }
        Ok(pruned)
    }
}
