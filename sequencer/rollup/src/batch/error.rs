use std::fmt;

use super::MAX_SPAN_BATCH_ELEMENT_COUNT;

/// Bytes that are no batch, or blocks that make none.
///
/// To a reader all are one case: the batch does not count, and neither does what follows it in its
/// channel. To a writer they are errors in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not even a version.
    #[error("no batch")]
    Empty,
    /// A version that is not defined.
    #[error("batch version {0}")]
    Version(u8),
    /// A singular batch with wrong RLP.
    #[error("singular batch: {0}")]
    Singular(alloy_rlp::Error),
    /// The span batch ends within a column.
    #[error("span batch ends within its {0}")]
    Truncated(SpanField),
    /// A variable-length integer of more than 64 bits.
    #[error("{0} has more than 64 bits")]
    Varint(SpanField),
    /// A bit beyond the end of a bit list.
    #[error("{0} is longer than it may be")]
    Padding(SpanField),
    /// No block.
    #[error("span batch without a block")]
    NoBlock,
    /// Too many blocks or transactions.
    #[error("{0} blocks or transactions, {MAX_SPAN_BATCH_ELEMENT_COUNT} are allowed")]
    Elements(u64),
    /// Origins before L1's first block, or times beyond 64 bits.
    #[error("{0} is out of range")]
    Range(SpanField),
    /// A transaction with wrong RLP.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Place within the span.
        index: usize,
        /// What is wrong.
        error: alloy_rlp::Error,
    },
    /// A type that no batch holds.
    #[error("transaction {index} has type {kind}")]
    TransactionType {
        /// Place within the span.
        index: usize,
        /// The type.
        kind: u8,
    },
    /// A set-code transaction that creates a contract.
    #[error("set-code transaction {0} without a destination")]
    NoDestination(usize),
    /// A transaction of another chain; for writers.
    #[error("transaction {index} is for chain {chain_id}")]
    ForeignTransaction {
        /// Place within the block.
        index: usize,
        /// Its chain.
        chain_id: u64,
    },
    /// A block that does not follow the one before it; for writers.
    #[error("block {number} does not follow block {last} of the span batch")]
    NotConsecutive {
        /// The block.
        number: u64,
        /// The last block.
        last: u64,
    },
}

/// A part of a span batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanField {
    /// Seconds from genesis to the first block.
    RelativeTimestamp,
    /// Number of the last block's origin.
    L1OriginNumber,
    /// Checked part of the parent hash.
    ParentCheck,
    /// Checked part of the origin's hash.
    L1OriginCheck,
    /// Number of blocks.
    BlockCount,
    /// Which blocks have another origin than the one before.
    OriginBits,
    /// Transactions of each block.
    TransactionCounts,
    /// Which transactions create contracts.
    CreationBits,
    /// Parities of the signatures.
    ParityBits,
    /// `r` and `s`.
    Signatures,
    /// Destinations.
    Destinations,
    /// What is not in another column.
    TransactionData,
    /// Nonces.
    Nonces,
    /// Gas limits.
    GasLimits,
    /// Which legacy transactions name the chain.
    ProtectedBits,
}

impl fmt::Display for SpanField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RelativeTimestamp => "relative timestamp",
            Self::L1OriginNumber => "L1 origin number",
            Self::ParentCheck => "parent check",
            Self::L1OriginCheck => "L1 origin check",
            Self::BlockCount => "block count",
            Self::OriginBits => "origin bits",
            Self::TransactionCounts => "transaction counts",
            Self::CreationBits => "contract creation bits",
            Self::ParityBits => "parity bits",
            Self::Signatures => "signatures",
            Self::Destinations => "destinations",
            Self::TransactionData => "transaction data",
            Self::Nonces => "nonces",
            Self::GasLimits => "gas limits",
            Self::ProtectedBits => "protected bits",
        })
    }
}
