//! Questions that RPC methods ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256};

use super::{Place, Pool};
use crate::sender::Sender;
use crate::{JournalOp, PoolTransaction};

/// The part of the pool that a transaction is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubPool {
    /// Executable now.
    Pending,
    /// Executable when the base fee falls; `txpool_*` counts it as pending, as geth does.
    BaseFee,
    /// Waits for nonces before it or for funds.
    Queued,
}

/// Whether and where a transaction is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxStatus {
    /// In a sub-pool.
    Pooled(SubPool),
    /// Executed in the open block or in a block that is not persisted yet.
    Included,
}

/// Sizes of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStatus {
    /// Transactions executable now.
    pub pending: usize,
    /// Transactions executable but for the base fee.
    pub base_fee: usize,
    /// Transactions that wait for nonces or funds.
    pub queued: usize,
    /// Bytes of the encoded transactions.
    pub bytes: usize,
    /// Executed transactions that are still remembered.
    pub included: usize,
    /// Senders whose account is known.
    pub senders: usize,
}

/// Transactions of one sender, ascending nonces.
#[derive(Debug, Clone, Default)]
pub struct SenderContent {
    /// Executable, the base-fee sub-pool included.
    pub pending: Vec<Arc<PoolTransaction>>,
    /// Not executable.
    pub queued: Vec<Arc<PoolTransaction>>,
}

/// All transactions by sender.
pub type Content = BTreeMap<Address, SenderContent>;

impl Pool {
    /// Sizes.
    pub fn status(&self) -> PoolStatus {
        PoolStatus {
            pending: self.parts.pending,
            base_fee: self.parts.base_fee,
            queued: self.parts.queued,
            bytes: self.bytes,
            included: self.included.len(),
            senders: self.senders.len(),
        }
    }

    /// Whether and where a transaction is known.
    pub fn tx_status(&self, hash: &B256) -> Option<TxStatus> {
        match self.by_hash.get(hash)? {
            Place::Included { .. } => Some(TxStatus::Included),
            Place::Pooled { .. } => {
                let (sender, position) = self.entry(hash)?;
                Some(TxStatus::Pooled(sender.sub_pool(position)))
            }
        }
    }

    /// Nonce after the sender's last executable transaction; `None` if the pool does not know the
    /// account and the state answers.
    pub fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.by_address.get(&sender).and_then(|id| self.senders[*id].next_nonce())
    }

    /// All transactions (`txpool_content`, `txpool_inspect`).
    pub fn content(&self) -> Content {
        let pooled = self.senders.iter().filter(|(_, sender)| !sender.txs().is_empty());
        pooled.map(|(_, sender)| (sender.address, content_of(sender))).collect()
    }

    /// Transactions of one sender (`txpool_contentFrom`).
    pub fn content_from(&self, sender: Address) -> SenderContent {
        let id = self.by_address.get(&sender);
        id.map(|id| content_of(&self.senders[*id])).unwrap_or_default()
    }

    /// A transaction by sender and nonce (`eth_getTransactionBySenderAndNonce`).
    pub fn get_by_nonce(&self, sender: Address, nonce: u64) -> Option<Arc<PoolTransaction>> {
        let sender = &self.senders[*self.by_address.get(&sender)?];
        sender.find(nonce).ok().map(|position| sender.txs()[position].tx.clone())
    }

    /// Hashes of all executable transactions, in no particular order.
    pub fn pending_hashes(&self) -> Vec<B256> {
        let runs =
            self.senders.iter().flat_map(|(_, sender)| sender.txs().iter().take(sender.run()));
        runs.map(|entry| entry.tx.hash()).collect()
    }

    /// Takes the journal operations that wait for the store. Operations on different transactions
    /// commute, so their order carries no meaning; what came and went in between is not in it.
    pub fn drain_journal(&mut self) -> Vec<JournalOp> {
        self.outbox.drain()
    }
}

fn content_of(sender: &Sender) -> SenderContent {
    let mut txs = sender.txs().iter().map(|entry| entry.tx.clone());
    SenderContent { pending: txs.by_ref().take(sender.run()).collect(), queued: txs.collect() }
}
