//! Writing a submission: all of it, synced, or nothing.

use cairn_primitives::da::{Header, PayerSignature, RowIndex, Timestamp};
use rocksdb::WriteBatch;

use super::database::{Column, synced};
use super::{Result, Store, StoreError, keys};

/// A checked submission, as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The header.
    pub header: &'a Header,
    /// The payer's signature under it.
    pub payer_signature: &'a PayerSignature,
    /// When the last certificate of the header's epoch ends, at its expiry or later.
    pub certificates_end: Timestamp,
    /// The `R` commitments.
    pub commitments: &'a [u8],
    /// Indices of the rows.
    pub rows: &'a [RowIndex],
    /// The rows as they were sent, one after the other.
    pub bytes: &'a [u8],
}

impl Store {
    /// Writes rows, header and reservation. When it returns they survive a crash. The same header
    /// may come again, with the same rows or others.
    ///
    /// # Errors
    /// [`StoreError::ReservationUsed`] if the reservation has another header,
    /// [`StoreError::NoSpace`] on a full disk. Nothing is written then.
    pub fn keep(&self, kept: &Kept<'_>) -> Result<()> {
        let Kept { header, payer_signature, certificates_end, commitments, rows, bytes } = *kept;
        let (hash, db) = (header.hash(), &self.0.db);
        let split = header.shape.split_rows(rows, bytes);
        let split = split.ok_or(StoreError::Corrupt("the rows to store have another length"))?;
        let mut record = header.encode().to_vec();
        record.extend_from_slice(&payer_signature.0);
        record.extend_from_slice(commitments);
        let mut batch = WriteBatch::default();
        for (row, bytes) in split {
            batch.put_cf(db.cf(Column::Row), keys::row(header.expiry, hash, row), bytes);
        }
        let reservation = keys::reservation(header.payer, header.reservation);
        batch.put_cf(db.cf(Column::Header), hash, record);
        batch.put_cf(db.cf(Column::Expiry), keys::expiry(header.expiry, hash), []);
        batch.put_cf(db.cf(Column::Reservation), reservation, hash);
        batch.put_cf(db.cf(Column::End), keys::expiry(certificates_end, hash), []);

        let _guard = self.0.payer_lock(header.payer).lock();
        if let Some(used_by) = self.reservation(header.payer, header.reservation)?
            && used_by != hash
        {
            let (payer, reservation) = (header.payer, header.reservation);
            return Err(StoreError::ReservationUsed { payer, reservation, used_by });
        }
        fail::fail_point!("keep::before_write");
        db.write_opt(batch, &synced())?;
        fail::fail_point!("keep::after_write");
        Ok(())
    }
}
