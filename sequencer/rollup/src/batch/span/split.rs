//! An EIP-2718 transaction taken apart for the columns.

use alloy_rlp::{Error, Header};

use super::transaction::Kind;
use crate::batch::{
    BatchError,
    rlp::{self, Items},
};

/// The parts of a transaction. Slices are RLP items.
#[derive(Debug)]
pub(super) struct SplitTransaction<'a> {
    pub(super) kind: Kind,
    pub(super) nonce: u64,
    prices: &'a [u8],
    pub(super) gas_limit: u64,
    pub(super) to: Option<&'a [u8]>,
    value: &'a [u8],
    /// Input and lists.
    rest: &'a [u8],
    pub(super) odd: bool,
    /// A legacy transaction that names its chain.
    pub(super) protected: bool,
    r: &'a [u8],
    s: &'a [u8],
}

impl<'a> SplitTransaction<'a> {
    /// Takes the transaction at place `index` apart. What comes out of the columns again is the
    /// same bytes.
    pub(super) fn read(bytes: &'a [u8], chain_id: u64, index: usize) -> Result<Self, BatchError> {
        let (kind, mut list) = match bytes.split_first() {
            Some((0x80.., _)) => (Kind::Legacy, bytes),
            Some((byte, list)) => {
                let kind = Kind::of_type(*byte)
                    .ok_or(BatchError::TransactionType { index, kind: *byte })?;
                (kind, list)
            }
            None => return Err(BatchError::Transaction { index, error: Error::InputTooShort }),
        };
        let wrong = |error| BatchError::Transaction { index, error };
        let items = Items::of_list(&mut list).map_err(wrong)?;
        Items(list).end().map_err(wrong)?;
        let (split, chain) = Self::fields(kind, items).map_err(wrong)?;
        if let Some(other) = chain.filter(|id| *id != chain_id) {
            return Err(BatchError::ForeignTransaction { index, chain_id: other });
        }
        if kind == Kind::SetCode && split.to.is_none() {
            return Err(BatchError::NoDestination(index));
        }
        Ok(split)
    }

    /// The fields in their order, and the chain that they name.
    fn fields(kind: Kind, mut items: Items<'a>) -> Result<(Self, Option<u64>), Error> {
        let typed = kind != Kind::Legacy;
        let mut chain = if typed { Some(items.number()?) } else { None };
        let nonce = items.number()?;
        let prices = items.0;
        items.integer()?;
        if matches!(kind, Kind::DynamicFee | Kind::SetCode) {
            items.integer()?;
        }
        let prices = prices.get(..prices.len() - items.0.len()).unwrap_or_default();
        let gas_limit = items.number()?;
        let to = match rlp::content(items.string()?) {
            [] => None,
            to if to.len() == 20 => Some(to),
            _ => return Err(Error::UnexpectedLength),
        };
        let value = items.integer()?;
        let rest = items.0;
        items.string()?;
        if typed {
            items.access_list()?;
        }
        if kind == Kind::SetCode {
            items.authorization_list()?;
        }
        let rest = rest.get(..rest.len() - items.0.len()).unwrap_or_default();
        let v = items.number()?;
        let (odd, protected) = if typed { (parity(v)?, false) } else { legacy_v(v)? };
        if protected {
            chain = Some((v - 35) / 2);
        }
        let r = rlp::content(items.integer()?);
        let s = rlp::content(items.integer()?);
        items.end()?;
        let split = Self { kind, nonce, prices, gas_limit, to, value, rest, odd, protected, r, s };
        Ok((split, chain))
    }

    /// Appends the entry of the data column.
    pub(super) fn put_data(&self, out: &mut Vec<u8>) {
        let payload_length = self.value.len() + self.prices.len() + self.rest.len();
        out.extend(self.kind.type_byte());
        Header { list: true, payload_length }.encode(out);
        out.extend_from_slice(self.value);
        out.extend_from_slice(self.prices);
        out.extend_from_slice(self.rest);
    }

    /// Appends `r` and `s`.
    pub(super) fn put_signature(&self, out: &mut Vec<u8>) {
        for half in [self.r, self.s] {
            let size = out.len() + 32;
            out.resize(size - half.len(), 0);
            out.extend_from_slice(half);
        }
    }
}

/// Parity of a typed transaction.
const fn parity(v: u64) -> Result<bool, Error> {
    match v {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::Custom("signature parity is neither 0 nor 1")),
    }
}

/// Parity of a legacy transaction, and whether it names its chain.
const fn legacy_v(v: u64) -> Result<(bool, bool), Error> {
    match v {
        27 | 28 => Ok((v == 28, false)),
        35.. => Ok((v.is_multiple_of(2), true)),
        _ => Err(Error::Custom("signature v is none of EIP-155")),
    }
}
