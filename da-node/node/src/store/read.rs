//! Reading what is held.

use alloy_primitives::{Address, B256};
use cairn_primitives::da::{HEADER_BYTES, Header, PayerSignature, Reservation, RowIndex};
use rocksdb::{Direction, IteratorMode};

use super::database::Column;
use super::{Result, Store, StoreError, keys};

/// What became of something asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held<T> {
    /// Here it is.
    Here(T),
    /// It was here until its expiry.
    Gone,
    /// It never was here.
    Unknown,
}

/// A stored header with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldHeader {
    /// The header.
    pub header: Header,
    /// The payer's signature under it.
    pub payer_signature: PayerSignature,
    /// `R` commitments; empty once the rows are pruned.
    pub commitments: Vec<u8>,
}

/// A stored row, as it is sent.
pub type HeldRow = Vec<u8>;

impl HeldHeader {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
        let (signature, commitments) = rest.split_first_chunk()?;
        let header = Header::decode(header).ok()?;
        let payer_signature = PayerSignature(*signature);
        Some(Self { header, payer_signature, commitments: commitments.to_vec() })
    }

    /// Whether the rows are pruned.
    pub const fn is_gone(&self) -> bool {
        self.commitments.is_empty()
    }
}

impl Store {
    /// The header with that hash, pruned or not.
    pub(super) fn record(&self, hash: B256) -> Result<Option<HeldHeader>> {
        let Some(bytes) = self.0.db.read(Column::Header, hash.as_slice())? else {
            return Ok(None);
        };
        let record = HeldHeader::decode(&bytes);
        record.map(Some).ok_or(StoreError::Corrupt("a stored header is malformed"))
    }

    /// The header with that hash.
    pub fn header(&self, hash: B256) -> Result<Held<HeldHeader>> {
        Ok(match self.record(hash)? {
            None => Held::Unknown,
            Some(record) if record.is_gone() => Held::Gone,
            Some(record) => Held::Here(record),
        })
    }

    /// A row of a header.
    pub fn row(&self, hash: B256, row: RowIndex) -> Result<Held<HeldRow>> {
        let record = match self.header(hash)? {
            Held::Here(record) => record,
            Held::Gone => return Ok(Held::Gone),
            Held::Unknown => return Ok(Held::Unknown),
        };
        let key = keys::row(record.header.expiry, hash, row);
        let row = self.0.db.read(Column::Row, &key)?;
        Ok(row.map_or(Held::Unknown, Held::Here))
    }

    /// The rows of a header that are here, ascending.
    pub fn rows_of(&self, hash: B256) -> Result<Vec<RowIndex>> {
        let Held::Here(record) = self.header(hash)? else { return Ok(Vec::new()) };
        let start = keys::expiry(record.header.expiry, hash);
        let db = &self.0.db;
        let mode = IteratorMode::From(&start, Direction::Forward);
        let mut rows = Vec::new();
        for entry in db.iterator_cf(db.cf(Column::Row), mode) {
            let (key, _) = entry?;
            match keys::split_expiry(&key) {
                Some((_, found, rest)) if found == hash => {
                    let row = keys::row_index(rest);
                    rows.push(row.ok_or(StoreError::Corrupt("a row key has another length"))?);
                }
                _ => break,
            }
        }
        Ok(rows)
    }

    /// The header that a payer's reservation was used for.
    pub fn reservation(&self, payer: Address, reservation: Reservation) -> Result<Option<B256>> {
        let key = keys::reservation(payer, reservation);
        let Some(hash) = self.0.db.read(Column::Reservation, &key)? else { return Ok(None) };
        let hash = <[u8; 32]>::try_from(hash).map(B256::new);
        hash.map(Some).map_err(|_| StoreError::Corrupt("a reservation names no header"))
    }
}
