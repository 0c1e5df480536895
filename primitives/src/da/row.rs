//! Rows as they are sent and stored.
//!
//! Elements of original rows begin with a zero byte; it is left out, so that an original row has
//! `W × 31` bytes. Parity rows use the whole field and have `W × 32`. What an original row says beyond
//! its payload bytes can thus not even be written.

use std::borrow::Cow;

use super::{ELEMENT_BYTES, ELEMENT_PAYLOAD_BYTES, RowIndex, Shape};

impl Shape {
    /// Whether the row holds payload.
    pub const fn is_original(self, row: RowIndex) -> bool {
        row.0 < self.rows()
    }

    /// Bytes of a row as it is sent.
    pub const fn sent_row_bytes(self, row: RowIndex) -> usize {
        let element = if self.is_original(row) { ELEMENT_PAYLOAD_BYTES } else { ELEMENT_BYTES };
        self.columns() as usize * element
    }

    /// Bytes of rows as they are sent together.
    pub fn sent_bytes(self, rows: &[RowIndex]) -> usize {
        rows.iter().map(|row| self.sent_row_bytes(*row)).sum()
    }

    /// A row of `W × 32` bytes as it is sent.
    pub fn pack_row(self, row: RowIndex, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !self.is_original(row) {
            return Cow::Borrowed(bytes);
        }
        let (elements, _) = bytes.as_chunks::<ELEMENT_BYTES>();
        Cow::Owned(elements.iter().flat_map(|element| &element[1..]).copied().collect())
    }

    /// The `W × 32` bytes of a row that was sent. `None` for another length.
    pub fn unpack_row(self, row: RowIndex, sent: &[u8]) -> Option<Cow<'_, [u8]>> {
        if sent.len() != self.sent_row_bytes(row) {
            return None;
        }
        if !self.is_original(row) {
            return Some(Cow::Borrowed(sent));
        }
        let mut bytes = vec![0; self.row_bytes()];
        let chunks = sent.chunks_exact(ELEMENT_PAYLOAD_BYTES);
        for (element, chunk) in bytes.chunks_exact_mut(ELEMENT_BYTES).zip(chunks) {
            element[1..].copy_from_slice(chunk);
        }
        Some(Cow::Owned(bytes))
    }

    /// Splits rows that were sent together. `None` unless they have exactly their lengths.
    pub fn split_rows<'a>(
        self,
        rows: &[RowIndex],
        mut sent: &'a [u8],
    ) -> Option<Vec<(RowIndex, &'a [u8])>> {
        let mut split = Vec::with_capacity(rows.len());
        for row in rows {
            let (head, rest) = sent.split_at_checked(self.sent_row_bytes(*row))?;
            split.push((*row, head));
            sent = rest;
        }
        sent.is_empty().then_some(split)
    }
}
