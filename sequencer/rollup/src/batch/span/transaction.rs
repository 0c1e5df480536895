//! One transaction between its columns and its EIP-2718 form.

use alloy_rlp::{Encodable, Error, Header};

use super::column::Reader;
use crate::batch::{
    BatchError, SpanField,
    rlp::{Items, put_integer},
};

/// Types that a span batch can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Legacy,
    /// Type 1.
    AccessList,
    /// Type 2.
    DynamicFee,
    /// Type 4.
    SetCode,
}

impl Kind {
    /// The kind, if the byte is one of a type that can be here.
    pub(super) const fn of_type(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::AccessList),
            2 => Some(Self::DynamicFee),
            4 => Some(Self::SetCode),
            _ => None,
        }
    }

    /// The type byte; a legacy transaction has none.
    pub(super) const fn type_byte(self) -> Option<u8> {
        match self {
            Self::Legacy => None,
            Self::AccessList => Some(1),
            Self::DynamicFee => Some(2),
            Self::SetCode => Some(4),
        }
    }
}

/// An entry of the data column: type and the items of its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct TransactionData<'a> {
    kind: Kind,
    items: &'a [u8],
}

/// A signature out of its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature<'a> {
    pub(super) odd: bool,
    pub(super) r: &'a [u8; 32],
    pub(super) s: &'a [u8; 32],
    /// A legacy transaction that names its chain.
    pub(super) protected: bool,
}

/// Bytes of an encoded transaction besides its data: two list headers of up to 9, type, nonce, gas
/// and chain id of up to 9 each, destination, `v`, `r` and `s`.
const MAX_OTHER_FIELDS: usize = 9 + 1 + 3 * 9 + 21 + 17 + 2 * 33;

impl<'a> TransactionData<'a> {
    /// Finds the next entry. Its items are checked when it is put together.
    pub(super) fn read(reader: &mut Reader<'a>, index: usize) -> Result<Self, BatchError> {
        let first = reader.0.first().ok_or(BatchError::Truncated(SpanField::TransactionData))?;
        let kind = match first {
            0x80.. => Kind::Legacy,
            byte => {
                let kind = Kind::of_type(*byte)
                    .ok_or(BatchError::TransactionType { index, kind: *byte })?;
                reader.bytes(1, SpanField::TransactionData)?;
                kind
            }
        };
        let Items(items) = Items::of_list(&mut reader.0)
            .map_err(|error| BatchError::Transaction { index, error })?;
        Ok(Self { kind, items })
    }

    pub(super) const fn is_legacy(&self) -> bool {
        matches!(self.kind, Kind::Legacy)
    }

    /// EIP-7702 knows no contract creation.
    pub(super) const fn needs_destination(&self) -> bool {
        matches!(self.kind, Kind::SetCode)
    }

    pub(super) const fn max_encoded_len(&self) -> usize {
        self.items.len() + MAX_OTHER_FIELDS
    }

    /// Appends the transaction as it was before it was put into columns.
    pub(super) fn encode_2718(
        &self,
        chain_id: u64,
        nonce: u64,
        gas_limit: u64,
        to: Option<&[u8; 20]>,
        signature: &Signature<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let fields = Fields::read(self)?;
        let v = self.v(chain_id, signature);
        let (r, s) = (ShortWord::new(signature.r), ShortWord::new(signature.s));
        let to_len = if to.is_some() { 21 } else { 1 };
        let chain_len = if self.is_legacy() { 0 } else { chain_id.length() };
        let payload_length = chain_len
            + nonce.length()
            + fields.prices.len()
            + gas_limit.length()
            + to_len
            + fields.value.len()
            + fields.rest.len()
            + v.length()
            + r.length()
            + s.length();

        out.extend(self.kind.type_byte());
        Header { list: true, payload_length }.encode(out);
        if !self.is_legacy() {
            chain_id.encode(out);
        }
        nonce.encode(out);
        out.extend_from_slice(fields.prices);
        gas_limit.encode(out);
        match to {
            Some(address) => {
                out.push(0x80 + 20);
                out.extend_from_slice(address);
            }
            None => out.push(0x80),
        }
        out.extend_from_slice(fields.value);
        out.extend_from_slice(fields.rest);
        v.encode(out);
        put_integer(signature.r, out);
        put_integer(signature.s, out);
        Ok(())
    }

    /// EIP-155: parity, and the chain unless the signature is older than that.
    fn v(&self, chain_id: u64, signature: &Signature<'_>) -> u128 {
        let parity = u128::from(signature.odd);
        match (self.kind, signature.protected) {
            (Kind::Legacy, true) => u128::from(chain_id) * 2 + 35 + parity,
            (Kind::Legacy, false) => 27 + parity,
            _ => parity,
        }
    }
}

/// Size of the encoding of a 256-bit integer.
struct ShortWord(usize);

impl ShortWord {
    fn new(word: &[u8; 32]) -> Self {
        let significant = 32 - word.iter().take_while(|byte| **byte == 0).count();
        match word.last() {
            Some(byte) if significant <= 1 && *byte < 0x80 => Self(1),
            _ => Self(1 + significant),
        }
    }

    const fn length(&self) -> usize {
        self.0
    }
}

/// The items of the data, in the three runs in which a transaction has them.
struct Fields<'a> {
    value: &'a [u8],
    /// Gas price, or tip and fee cap.
    prices: &'a [u8],
    /// Input and lists.
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(data: &TransactionData<'a>) -> Result<Self, Error> {
        let mut items = Items(data.items);
        let value = items.integer()?;
        let prices = items.0;
        items.integer()?;
        if matches!(data.kind, Kind::DynamicFee | Kind::SetCode) {
            items.integer()?;
        }
        let rest = items.0;
        let prices = prices.get(..prices.len() - rest.len()).unwrap_or_default();
        items.string()?;
        if !data.is_legacy() {
            items.access_list()?;
        }
        if data.kind == Kind::SetCode {
            items.authorization_list()?;
        }
        items.end()?;
        Ok(Self { value, prices, rest })
    }
}
