//! What goes into the queue and what comes out.

use std::time::Duration;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

use super::{FeeCeiling, Fees, Intent, MarketFees, RequestId, TransactionKind};

/// How transactions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendPolicy {
    /// Blocks, its own included, after which a transaction is done.
    pub confirmations: u64,
    /// Nonces that are not mined, at a time.
    pub in_flight_max: usize,
    /// Time after which the fees of what is not mined are raised.
    pub raise_after: Duration,
    /// Time after which what is not mined is sent again.
    pub resend_after: Duration,
    /// Refusals in a row after which a transaction that no node ever took is given up.
    pub refusals_max: u32,
    /// What is never exceeded.
    pub ceiling: FeeCeiling,
}

impl Default for SendPolicy {
    fn default() -> Self {
        Self {
            confirmations: 4,
            in_flight_max: 8,
            raise_after: Duration::from_secs(48),
            resend_after: Duration::from_secs(24),
            refusals_max: 10,
            ceiling: FeeCeiling::default(),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A request.
    Submit(RequestId, TransactionKind),
    /// L1 was looked at.
    Observed(Observation),
    /// A transaction is signed, and in the journal.
    Signed {
        /// Its nonce.
        nonce: u64,
        /// Its hash.
        hash: B256,
        /// Its fees.
        fees: Fees,
    },
    /// Signing or the journal failed.
    NotSigned(u64),
    /// What a node said to a transaction.
    Sent {
        /// Its nonce.
        nonce: u64,
        /// Its hash.
        hash: B256,
        /// What the node said.
        sent: Sent,
    },
    /// Time has passed.
    Tick,
}

/// L1 as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    /// Number of the newest block.
    pub head: u64,
    /// Transactions of the account up to it.
    pub nonce: u64,
    /// Fees.
    pub market: MarketFees,
    /// All of ours that are in canonical blocks.
    pub mined: Vec<Mined>,
}

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mined {
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// The block.
    pub block: BlockNumHash,
}

/// What a node said to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It has it.
    Accepted,
    /// Its fees are too low to replace or to be taken.
    Underpriced,
    /// The nonce is used.
    NonceUsed,
    /// It does not take it.
    Refused,
    /// Nothing that was understood.
    Unanswered,
}

/// What to do, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Sign, write to the journal, sync, and say [`Event::Signed`].
    Sign {
        /// The nonce.
        nonce: u64,
        /// What for.
        intent: Intent,
        /// With or without blobs.
        kind: TransactionKind,
        /// Fee caps.
        fees: Fees,
    },
    /// Send, and say [`Event::Sent`].
    Broadcast {
        /// The nonce.
        nonce: u64,
        /// Which of its transactions.
        hash: B256,
    },
    /// A request's transaction is in a block. It may leave it again, and is sent again then.
    Mined {
        /// The nonce.
        nonce: u64,
        /// The request.
        id: RequestId,
        /// Which of its transactions.
        hash: B256,
        /// Where.
        block: BlockNumHash,
    },
    /// The nonce is done and forgotten: the transaction is deep enough.
    Confirmed {
        /// The nonce.
        nonce: u64,
        /// What it was for.
        intent: Intent,
        /// Which of its transactions was mined.
        hash: B256,
        /// Where.
        block: BlockNumHash,
    },
    /// The nonce is done and forgotten: somebody else used it with our key.
    Displaced {
        /// The nonce.
        nonce: u64,
        /// What it was for.
        intent: Intent,
    },
    /// No node takes the request; its nonce is used up otherwise.
    Rejected {
        /// The nonce.
        nonce: u64,
        /// The request.
        id: RequestId,
    },
}
