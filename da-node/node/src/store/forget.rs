//! Forgetting headers of epochs that are over.

use alloy_primitives::B256;
use cairn_primitives::da::{Epoch, Timestamp};
use rocksdb::{IteratorMode, WriteBatch};

use super::database::Column;
use super::{Pruned, Result, Store, StoreError, keys};

impl Store {
    /// Forgets up to `limit` headers, with their reservations, of epochs before `signable` whose
    /// certificates ended before `before`. Headers with rows stay: [`Self::prune`] comes first.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] on a full disk; what was forgotten before stays forgotten.
    pub fn forget(&self, before: Timestamp, signable: Epoch, limit: usize) -> Result<Pruned> {
        let db = &self.0.db;
        let mut pruned = Pruned::default();
        for entry in db.iterator_cf(db.cf(Column::End), IteratorMode::Start) {
            let (key, _) = entry?;
            let split = keys::split_expiry(&key).filter(|(_, _, rest)| rest.is_empty());
            let (end, hash, _) =
                split.ok_or(StoreError::Corrupt("the key of an end has another length"))?;
            if end >= before {
                break;
            }
            if pruned.headers == limit {
                pruned.remaining = true;
                break;
            }
            if self.forget_one(&key, hash, signable)? {
                pruned.headers += 1;
            }
        }
        Ok(pruned)
    }

    fn forget_one(&self, key: &[u8], hash: B256, signable: Epoch) -> Result<bool> {
        let db = &self.0.db;
        let mut batch = WriteBatch::default();
        batch.delete_cf(db.cf(Column::End), key);
        let Some(record) = self.record(hash)? else {
            // The registry gave two ends for it, and the other one came first.
            db.write(batch)?;
            return Ok(false);
        };
        let header = record.header;
        let _guard = self.0.payer_lock(header.payer).lock();
        let gone = self.record(hash)?.is_some_and(|record| record.is_gone());
        if !gone || header.epoch >= signable {
            return Ok(false);
        }
        batch.delete_cf(db.cf(Column::Header), hash);
        if self.reservation(header.payer, header.reservation)? == Some(hash) {
            let reservation = keys::reservation(header.payer, header.reservation);
            batch.delete_cf(db.cf(Column::Reservation), reservation);
        }
        fail::fail_point!("forget::before_write");
        db.write(batch)?;
        fail::fail_point!("forget::after_write");
        Ok(true)
    }
}
