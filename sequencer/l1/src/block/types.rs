//! A checked block.

use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{EthereumTxEnvelope, Header, Receipt, Transaction, TxEip4844};
use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256, Bytes, TxKind};
use cairn_rollup::L1BlockRef;

/// A block whose parts belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedBlock {
    /// Hash of the header.
    pub hash: B256,
    /// The header.
    pub header: Header,
    /// All transactions in order.
    pub transactions: Vec<FetchedTransaction>,
    /// Their receipts, as many.
    pub receipts: Vec<Receipt>,
}

/// A transaction of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTransaction {
    /// Its hash.
    pub hash: B256,
    /// EIP-2718 encoding, without a sidecar.
    pub raw: Bytes,
    /// The transaction; none if its type is unknown.
    pub envelope: Option<EthereumTxEnvelope<TxEip4844>>,
}

impl FetchedBlock {
    /// The block as it is named elsewhere.
    pub const fn block_ref(&self) -> L1BlockRef {
        L1BlockRef {
            hash: self.hash,
            number: self.header.number,
            parent_hash: self.header.parent_hash,
            timestamp: self.header.timestamp,
        }
    }

    /// Number and hash.
    pub const fn id(&self) -> BlockNumHash {
        BlockNumHash { number: self.header.number, hash: self.hash }
    }
}

impl FetchedTransaction {
    /// Who signed it; none for an unknown type or a signature of nobody. Costs a recovery.
    pub fn sender(&self) -> Option<Address> {
        self.envelope.as_ref()?.recover_signer().ok()
    }

    /// Whom it calls; none for a creation or an unknown type.
    pub fn to(&self) -> Option<Address> {
        match self.envelope.as_ref()?.kind() {
            TxKind::Call(to) => Some(to),
            TxKind::Create => None,
        }
    }

    /// Its calldata; empty for an unknown type.
    pub fn input(&self) -> Bytes {
        self.envelope.as_ref().map(|envelope| envelope.input().clone()).unwrap_or_default()
    }

    /// Versioned hashes of its blobs.
    pub fn blob_hashes(&self) -> &[B256] {
        self.envelope.as_ref().and_then(Transaction::blob_versioned_hashes).unwrap_or_default()
    }
}
