//! Singular batches.
//!
//! ```text
//! content = rlp([parent_hash, epoch_number, epoch_hash, timestamp, [transaction, …]])
//! ```
//!
//! Each transaction is a byte string, a legacy one too.

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable, Error, Header, RlpEncodable};

use super::{BatchError, SINGULAR_BATCH_VERSION, SingularBatch};

#[derive(RlpEncodable)]
struct Fields<'a> {
    parent_hash: B256,
    epoch_number: u64,
    epoch_hash: B256,
    timestamp: u64,
    transactions: &'a Vec<Bytes>,
}

impl SingularBatch {
    /// `version ‖ content`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![SINGULAR_BATCH_VERSION];
        Fields {
            parent_hash: self.parent_hash,
            epoch_number: self.epoch.number,
            epoch_hash: self.epoch.hash,
            timestamp: self.timestamp,
            transactions: &self.transactions,
        }
        .encode(&mut out);
        out
    }

    /// Reads the content.
    pub fn decode(mut content: &[u8]) -> Result<Self, BatchError> {
        Self::fields(&mut content).map_err(BatchError::Singular)
    }

    fn fields(content: &mut &[u8]) -> Result<Self, Error> {
        let mut fields = Header::decode_bytes(content, true)?;
        let parent_hash = B256::decode(&mut fields)?;
        let number = u64::decode(&mut fields)?;
        let hash = B256::decode(&mut fields)?;
        let timestamp = u64::decode(&mut fields)?;
        let mut list = Header::decode_bytes(&mut fields, true)?;
        if !fields.is_empty() {
            return Err(Error::UnexpectedLength);
        }
        let mut transactions = Vec::new();
        while !list.is_empty() {
            transactions.push(Bytes::decode(&mut list)?);
        }
        let epoch = BlockNumHash { number, hash };
        Ok(Self { parent_hash, epoch, timestamp, transactions })
    }
}
