//! Proofs of single elements, for contracts on L1.

use alloy_primitives::{B256, Bytes};
use cairn_da_codec::{ColumnIndex, Committer, Opening};
use cairn_primitives::da::{ELEMENT_BYTES, ELEMENT_PAYLOAD_BYTES, Header, RowIndex, hash_path};
use serde::{Deserialize, Serialize};

use crate::error::ClientError;
use crate::matrix::Commitments;

/// An element of a payload with what proves it: the precompile at 0x0a of EIP-4844 accepts
/// `precompile_input`, and `path` leads from `versioned_hash` to the header's hashes root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElementOpening {
    /// Original row.
    pub row: RowIndex,
    /// Column.
    pub column: u16,
    /// The element: a zero byte and 31 bytes of payload.
    pub element: B256,
    /// Point at which the row's polynomial takes the element.
    pub point: B256,
    /// Commitment of the row, 48 bytes.
    pub commitment: Bytes,
    /// KZG proof, 48 bytes.
    pub proof: Bytes,
    /// Versioned hash of the row.
    pub versioned_hash: B256,
    /// Versioned hash, point, element, commitment and proof, 192 bytes.
    pub precompile_input: Bytes,
    /// Siblings from the versioned hash to the hashes root, lowest first.
    pub path: Vec<B256>,
}

/// Opens the `element`-th 31 bytes of a payload. Costs as much as the commitment of a row.
///
/// # Errors
/// [`ClientError::NoElement`] beyond the payload.
pub fn open_element(
    header: &Header,
    commitments: &Commitments,
    payload: &[u8],
    element: u32,
) -> Result<ElementOpening, ClientError> {
    let elements = header.payload_length.0.div_ceil(ELEMENT_PAYLOAD_BYTES as u32);
    let outside = ClientError::NoElement { element, elements };
    if element >= elements {
        return Err(outside);
    }
    let columns = u32::from(header.shape.columns());
    let narrow = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
    let (row, column) = (RowIndex(narrow(element / columns)), narrow(element % columns));
    let hashes = commitments.hashes();
    let (Some(path), Some(versioned_hash), Some(commitment)) =
        (hash_path(hashes, row), hashes.get(row.as_usize()), commitments.of_row(row))
    else {
        return Err(outside);
    };
    let committer = Committer::shared().map_err(ClientError::Codec)?;
    let bytes = row_of_payload(header, payload, row);
    let opening = Opening::of_row(committer, &bytes, ColumnIndex(column));
    let opening = opening.map_err(ClientError::Codec)?;
    let input = opening.precompile_input(&commitment).map_err(ClientError::Codec)?;
    Ok(ElementOpening {
        row,
        column,
        element: B256::new(opening.value),
        point: B256::new(opening.point().map_err(ClientError::Codec)?),
        commitment: commitment.0.into(),
        proof: opening.proof.into(),
        versioned_hash: *versioned_hash,
        precompile_input: input.into(),
        path,
    })
}

/// An original row as the payload makes it.
fn row_of_payload(header: &Header, payload: &[u8], row: RowIndex) -> Vec<u8> {
    let row_payload = usize::from(header.shape.columns()) * ELEMENT_PAYLOAD_BYTES;
    let start = (row.as_usize() * row_payload).min(payload.len());
    let end = (start + row_payload).min(payload.len());
    let mut bytes = vec![0; header.shape.row_bytes()];
    let elements = bytes.chunks_exact_mut(ELEMENT_BYTES);
    for (element, chunk) in elements.zip(payload[start..end].chunks(ELEMENT_PAYLOAD_BYTES)) {
        element[1..=chunk.len()].copy_from_slice(chunk);
    }
    bytes
}
