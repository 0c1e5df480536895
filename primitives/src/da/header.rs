//! The header of a payload's matrix.
//!
//! ```text
//!  0 version 1 │ 1 layout 0 │ 2 class 0 │ 3 codec 1 │ 4 R (2) │ 6 W (2) │ 8 expansion 4
//!  9 payload length (4) │ 13 hashes root (32) │ 45 payer (20) │ 65 reservation (8)
//! 73 epoch (8) │ 81 quorum 0 │ 82 expiry (8)                                 90 bytes in all
//! ```
//!
//! Decoding is strict: exactly 90 bytes, every constant as above, a shape that exists. Two
//! different byte strings are never the same header, so the hash names it.

use alloy_primitives::{Address, B256, keccak256};

use super::{EXPANSION, Epoch, PayloadLength, QuorumId, Reservation, Shape, ShapeError, Timestamp};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 90;

const VERSION: u8 = 1;
const LAYOUT_ROWS: u8 = 0;
const CLASS_KZG: u8 = 0;
const CODEC_31_BYTES: u8 = 1;
const QUORUM: QuorumId = QuorumId(0);

/// What a payer signs and operators attest to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Rows and columns.
    pub shape: Shape,
    /// Bytes of payload.
    pub payload_length: PayloadLength,
    /// Merkle root over the versioned hashes of the original rows.
    pub hashes_root: B256,
    /// Who pays, and signs the header hash.
    pub payer: Address,
    /// The payer's number for this header.
    pub reservation: Reservation,
    /// Epoch whose operators hold the rows.
    pub epoch: Epoch,
    /// Quorum of that epoch.
    pub quorum: QuorumId,
    /// Until then rows are kept and the certificate is valid.
    pub expiry: Timestamp,
}

/// The bytes are no header that this version reads. In the order in which they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not 90 bytes.
    #[error("a header of {0} bytes, not {HEADER_BYTES}")]
    Length(usize),
    /// Version, layout, class, codec or expansion of another version.
    #[error("{field} {value} is not supported")]
    Unsupported {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u8,
    },
    /// Rows, columns or payload length of no matrix.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A quorum that does not exist.
    #[error("quorum {0} does not exist")]
    Quorum(QuorumId),
}

impl Header {
    /// The 90 bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = &mut bytes[..];
        let mut put = |field: &[u8]| {
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(field.len());
            head.copy_from_slice(field);
            rest = tail;
        };
        put(&[VERSION, LAYOUT_ROWS, CLASS_KZG, CODEC_31_BYTES]);
        put(&self.shape.rows().to_be_bytes());
        put(&self.shape.columns().to_be_bytes());
        put(&[EXPANSION]);
        put(&self.payload_length.0.to_be_bytes());
        put(self.hashes_root.as_slice());
        put(self.payer.as_slice());
        put(&self.reservation.0.to_be_bytes());
        put(&self.epoch.0.to_be_bytes());
        put(&[self.quorum.0]);
        put(&self.expiry.0.to_be_bytes());
        bytes
    }

    /// Reads exactly a header.
    ///
    /// # Errors
    /// The first [`HeaderError`] that holds, in their order.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let fields: &[u8; HEADER_BYTES] =
            bytes.try_into().map_err(|_| HeaderError::Length(bytes.len()))?;
        let raw = RawHeader::read(fields);
        for (field, value, expected) in [
            ("version", raw.version, VERSION),
            ("layout", raw.layout, LAYOUT_ROWS),
            ("class", raw.class, CLASS_KZG),
            ("codec", raw.codec, CODEC_31_BYTES),
            ("expansion", raw.expansion, EXPANSION),
        ] {
            if value != expected {
                return Err(HeaderError::Unsupported { field, value });
            }
        }
        let shape = Shape::new(raw.rows, raw.columns)?;
        shape.check_payload(raw.payload_length)?;
        if raw.quorum != QUORUM {
            return Err(HeaderError::Quorum(raw.quorum));
        }
        Ok(Self {
            shape,
            payload_length: raw.payload_length,
            hashes_root: raw.hashes_root,
            payer: raw.payer,
            reservation: raw.reservation,
            epoch: raw.epoch,
            quorum: raw.quorum,
            expiry: raw.expiry,
        })
    }

    /// Keccak of the 90 bytes: the header's name everywhere.
    pub fn hash(&self) -> B256 {
        keccak256(self.encode())
    }
}

/// The fields of 90 bytes, whatever they hold.
pub(super) struct RawHeader {
    version: u8,
    layout: u8,
    class: u8,
    codec: u8,
    rows: u16,
    columns: u16,
    expansion: u8,
    payload_length: PayloadLength,
    hashes_root: B256,
    payer: Address,
    reservation: Reservation,
    pub(super) epoch: Epoch,
    pub(super) quorum: QuorumId,
    expiry: Timestamp,
}

impl RawHeader {
    pub(super) fn read(bytes: &[u8; HEADER_BYTES]) -> Self {
        let mut fields = Fields { bytes, at: 0 };
        Self {
            version: fields.byte(),
            layout: fields.byte(),
            class: fields.byte(),
            codec: fields.byte(),
            rows: u16::from_be_bytes(fields.take()),
            columns: u16::from_be_bytes(fields.take()),
            expansion: fields.byte(),
            payload_length: PayloadLength(u32::from_be_bytes(fields.take())),
            hashes_root: B256::new(fields.take()),
            payer: Address::new(fields.take()),
            reservation: Reservation(u64::from_be_bytes(fields.take())),
            epoch: Epoch(u64::from_be_bytes(fields.take())),
            quorum: QuorumId(fields.byte()),
            expiry: Timestamp(u64::from_be_bytes(fields.take())),
        }
    }
}

/// Reads fixed fields from the front; together they are exactly the 90 bytes.
struct Fields<'a> {
    bytes: &'a [u8; HEADER_BYTES],
    at: usize,
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let field = std::array::from_fn(|i| self.bytes[self.at + i]);
        self.at += N;
        field
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }
}
