//! Submissions for the store, which does not look into them.

use std::path::Path;

use alloy_primitives::{Address, B256};
use cairn_da_node::store::{Identity, Kept, Store, StoreOptions};
use cairn_primitives::da::{
    Domain, Epoch, Header, PayerSignature, PayloadLength, QuorumId, Reservation, RowIndex, Shape,
    Timestamp,
};

pub(crate) fn identity() -> Identity {
    let domain = Domain { chain_id: 31337, registry: Address::repeat_byte(1) };
    Identity { domain, operator: Address::repeat_byte(2) }
}

pub(crate) fn options() -> StoreOptions {
    StoreOptions { write_buffer_bytes: 4 << 20, ..StoreOptions::default() }
}

pub(crate) fn open(path: &Path) -> Store {
    Store::open(path, &options(), &identity()).unwrap()
}

/// A submission whose bytes follow from its number.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) header: Header,
    pub(crate) payer_signature: PayerSignature,
    pub(crate) commitments: Vec<u8>,
    pub(crate) rows: Vec<RowIndex>,
    pub(crate) bytes: Vec<u8>,
}

impl Sample {
    pub(crate) fn new(number: u64, expiry: u64) -> Self {
        let shape = Shape::new(4, 30).unwrap();
        let header = Header {
            shape,
            payload_length: PayloadLength(1000),
            hashes_root: B256::with_last_byte(number as u8),
            payer: Address::with_last_byte((number % 3) as u8),
            reservation: Reservation(number),
            epoch: Epoch(1),
            quorum: QuorumId(0),
            expiry: Timestamp(expiry),
        };
        let rows = vec![RowIndex(1), RowIndex(7), RowIndex((number % 8) as u16 + 8)];
        let byte = |i: usize| (number as usize * 31 + i * 7) as u8;
        Self {
            header,
            payer_signature: PayerSignature([number as u8; 65]),
            commitments: (0..shape.commitment_bytes()).map(byte).collect(),
            bytes: (0..shape.sent_bytes(&rows)).map(byte).collect(),
            rows,
        }
    }

    pub(crate) fn certificates_end(&self) -> Timestamp {
        Timestamp(self.header.expiry.0 + 500)
    }

    pub(crate) fn kept(&self) -> Kept<'_> {
        Kept {
            header: &self.header,
            payer_signature: &self.payer_signature,
            certificates_end: self.certificates_end(),
            commitments: &self.commitments,
            rows: &self.rows,
            bytes: &self.bytes,
        }
    }

    pub(crate) fn row(&self, at: usize) -> &[u8] {
        self.header.shape.split_rows(&self.rows, &self.bytes).unwrap()[at].1
    }
}
