//! Keys of the column families.

use alloy_primitives::{Address, B256};
use cairn_primitives::da::{Reservation, RowIndex, Timestamp};

/// Name of the schema version in `meta`.
pub(super) const SCHEMA: &[u8] = b"schema";
/// Name of the owner in `meta`.
pub(super) const IDENTITY: &[u8] = b"identity";

/// Length of an expiry in keys.
const EXPIRY_BYTES: usize = 8;

pub(super) fn expiry(expiry: Timestamp, hash: B256) -> Vec<u8> {
    [&expiry.0.to_be_bytes()[..], hash.as_slice()].concat()
}

pub(super) fn row(expiry: Timestamp, hash: B256, row: RowIndex) -> Vec<u8> {
    [&expiry.0.to_be_bytes()[..], hash.as_slice(), &row.0.to_be_bytes()].concat()
}

pub(super) fn reservation(payer: Address, reservation: Reservation) -> Vec<u8> {
    [payer.as_slice(), &reservation.0.to_be_bytes()].concat()
}

/// First key of all that expire after `expiry`; `None` if nothing does.
pub(super) fn after(expiry: Timestamp) -> Option<[u8; EXPIRY_BYTES]> {
    expiry.0.checked_add(1).map(u64::to_be_bytes)
}

/// Expiry and header hash at the front of a key.
pub(super) fn split_expiry(key: &[u8]) -> Option<(Timestamp, B256, &[u8])> {
    let (expiry, rest) = key.split_first_chunk::<EXPIRY_BYTES>()?;
    let (hash, rest) = rest.split_first_chunk::<32>()?;
    Some((Timestamp(u64::from_be_bytes(*expiry)), B256::new(*hash), rest))
}

/// The row number that ends a key.
pub(super) fn row_index(rest: &[u8]) -> Option<RowIndex> {
    rest.try_into().ok().map(u16::from_be_bytes).map(RowIndex)
}
