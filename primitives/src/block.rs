//! Blocks with their hash and senders.

use std::sync::Arc;

pub use alloy_consensus::Header;
use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};

use crate::{TxEnvelope, recover_senders};

/// A block of either rule set.
pub type Block = alloy_consensus::Block<TxEnvelope>;
/// The body of such a block.
pub type BlockBody = alloy_consensus::BlockBody<TxEnvelope>;

/// A block whose hash has been computed and whose senders are known.
///
/// Cheap to clone. `senders[i]` sent `block.body.transactions[i]`.
#[derive(Debug, Clone)]
pub struct RecoveredBlock {
    hash: B256,
    inner: Arc<Recovered>,
}

#[derive(Debug)]
struct Recovered {
    block: Block,
    senders: Vec<Address>,
}

/// A transaction of a block has no valid signature.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("transaction {index} has no valid signature")]
pub struct RecoverError {
    /// Position in the block.
    pub index: usize,
}

impl RecoveredBlock {
    /// Joins a block with senders that were recovered elsewhere.
    ///
    /// # Panics
    /// When the number of senders differs from the number of transactions: a caller's bug.
    pub fn new(block: Block, senders: Vec<Address>) -> Self {
        assert_eq!(block.body.transactions.len(), senders.len(), "one sender for each transaction");
        Self { hash: block.header.hash_slow(), inner: Arc::new(Recovered { block, senders }) }
    }

    /// Like [`Self::new`] with a hash that the caller has computed or stored.
    pub fn with_hash(block: Block, senders: Vec<Address>, hash: B256) -> Self {
        debug_assert_eq!(block.header.hash_slow(), hash, "hash of another header");
        assert_eq!(block.body.transactions.len(), senders.len(), "one sender for each transaction");
        Self { hash, inner: Arc::new(Recovered { block, senders }) }
    }

    /// Recovers all senders on the calling thread.
    pub fn recover(block: Block) -> Result<Self, RecoverError> {
        let senders = recover_senders(&block.body.transactions).into_iter().enumerate();
        let senders = senders
            .map(|(index, sender)| sender.map_err(|_| RecoverError { index }))
            .collect::<Result<_, _>>()?;
        Ok(Self::new(block, senders))
    }

    /// Block hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Block number.
    pub fn number(&self) -> u64 {
        self.inner.block.header.number
    }

    /// Number and hash.
    pub fn num_hash(&self) -> BlockNumHash {
        BlockNumHash { number: self.number(), hash: self.hash }
    }

    /// Header.
    pub fn header(&self) -> &Header {
        &self.inner.block.header
    }

    /// The whole block.
    pub fn block(&self) -> &Block {
        &self.inner.block
    }

    /// Body.
    pub fn body(&self) -> &BlockBody {
        &self.inner.block.body
    }

    /// Transactions in order.
    pub fn transactions(&self) -> &[TxEnvelope] {
        &self.inner.block.body.transactions
    }

    /// Senders, one for each transaction.
    pub fn senders(&self) -> &[Address] {
        &self.inner.senders
    }

    /// Transactions with their senders.
    pub fn transactions_with_sender(&self) -> impl Iterator<Item = (&TxEnvelope, Address)> {
        self.transactions().iter().zip(self.senders().iter().copied())
    }
}

/// Number and hash of a header, hashing it.
pub fn block_hash_and_number(header: &Header) -> BlockNumHash {
    BlockNumHash { number: header.number, hash: header.hash_slow() }
}
