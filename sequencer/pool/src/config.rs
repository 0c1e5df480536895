//! Limits of the pool and of the recovery stage.

use std::num::NonZeroUsize;

/// Limits and policies of a [`crate::Pool`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    /// Most transactions in all sub-pools together.
    pub max_txs: usize,
    /// Most bytes of encoded transactions in all sub-pools together. Resident memory is about
    /// twice this plus 1 KiB for each transaction.
    pub max_bytes: usize,
    /// Most queued transactions. Beyond, the cheapest remote ones go; demoted local ones stay.
    pub max_queued: usize,
    /// Most executable transactions of one sender. geth's 16 protects gossip; here it would only
    /// hurt, because load generators, bridges and batchers send runs of thousands of nonces and
    /// the builder works a run off in milliseconds.
    pub sender_slots: usize,
    /// Most queued transactions of one sender.
    pub sender_queued: usize,
    /// Most executable transactions of a sender whose account is delegated or about to be
    /// (EIP-7702), because anyone may sweep such an account. geth has 1.
    pub delegated_slots: usize,
    /// Most bytes of one encoded transaction.
    pub max_tx_bytes: usize,
    /// Lowest tip cap accepted, wei per gas.
    pub min_tip: u128,
    /// Most that a submitted transaction may pay for gas, gas limit times fee cap, in wei; zero
    /// means no limit. Protects users from a slip of the finger, so journaled transactions, which
    /// passed once, are not asked again.
    pub fee_cap_wei: u128,
    /// Percentage by which a replacement must raise both fee cap and tip cap.
    pub price_bump: u32,
    /// The same for blob transactions, whose blob fee cap must rise as well.
    pub blob_price_bump: u32,
    /// Milliseconds after which a queued transaction of a sender without progress is dropped.
    pub queued_lifetime_ms: u64,
    /// Whether legacy transactions without chain id (before EIP-155) are accepted. Deterministic
    /// deployment proxies are published with such.
    pub allow_unprotected: bool,
    /// Accounts of senders without pooled transactions that are remembered, so that the next
    /// transaction of the sender needs no state read.
    pub idle_senders: usize,
    /// Most journal operations that wait for the store; `None` switches the journal off. Local
    /// transactions are refused as busy while it is full.
    pub journal_capacity: Option<NonZeroUsize>,
    /// Event batches that a slow subscriber may lag behind before it loses some.
    pub event_capacity: NonZeroUsize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_txs: 131_072,
            max_bytes: 256 * 1024 * 1024,
            max_queued: 32_768,
            sender_slots: 8_192,
            sender_queued: 1_024,
            delegated_slots: 1,
            max_tx_bytes: 128 * 1024,
            min_tip: 0,
            fee_cap_wei: 0,
            price_bump: 10,
            blob_price_bump: 100,
            queued_lifetime_ms: 3 * 60 * 60 * 1000,
            allow_unprotected: true,
            idle_senders: 16_384,
            journal_capacity: None,
            event_capacity: NonZeroUsize::new(4_096).expect("not zero"),
        }
    }
}

/// Size of the stage that decodes, recovers and inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryConfig {
    /// Worker threads; zero means one for each core.
    pub workers: usize,
    /// Transactions that may wait. Beyond, a submission is answered as busy.
    pub queue_txs: usize,
    /// Bytes that may wait.
    pub queue_bytes: usize,
    /// Most transactions that one worker handles under one pool lock. At 45 µs each, 16 keep the
    /// first of a batch waiting for less than a millisecond.
    pub batch: usize,
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self { workers: 0, queue_txs: 16_384, queue_bytes: 64 * 1024 * 1024, batch: 16 }
    }
}
