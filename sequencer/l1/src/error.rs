//! What can go wrong with L1, by what the caller does about it.

use std::fmt;
use std::time::Duration;

use alloy_eips::BlockNumHash;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::B256;

/// An error of L1. [`L1Error::next_step`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum L1Error {
    /// No endpoint gave an answer.
    #[error("no answer of L1 to {what}: {reason}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// What the last endpoint said.
        reason: String,
        /// Earliest time from now at which an endpoint may be asked again.
        after: Duration,
    },
    /// The chain that was followed is no longer the canonical one.
    #[error("L1 was reorganised: block {} is no child of {}", .found.number, .cursor.hash)]
    Reorg {
        /// The last block read.
        cursor: BlockNumHash,
        /// The block that is there instead of it, or behind it and not its child.
        found: BlockNumHash,
    },
    /// The endpoints are those of another chain.
    #[error("the endpoint {endpoint} serves chain {found}, not {expected}")]
    WrongChain {
        /// Name of the endpoint.
        endpoint: String,
        /// Chain id of the configuration.
        expected: u64,
        /// Chain id of the endpoint.
        found: u64,
    },
    /// No endpoint has the history any more: an archive is needed.
    #[error("no endpoint has {what} any more: {reason}")]
    Pruned {
        /// What was asked.
        what: String,
        /// What the last endpoint said.
        reason: String,
    },
    /// The block has transactions of a type that this version does not know, and with every endpoint
    /// its receipts come out wrong: a newer version is needed.
    #[error("unknown transaction type {kind:#04x}: {lie}")]
    UnknownType {
        /// The type.
        kind: u8,
        /// What does not match.
        lie: Box<Lie>,
    },
    /// L1 has other blob parameters than its chain configuration says: the configuration is old, or of
    /// another chain. Blocks derived with it would be nobody else's.
    #[error(
        "chain {chain_id} has at time {time} {}, and its configuration says {}: \
         a current one is needed", Blobs(.told), Blobs(.scheduled)
    )]
    Schedule {
        /// Chain id of L1.
        chain_id: u64,
        /// When both hold.
        time: u64,
        /// What is configured.
        scheduled: Box<BlobParams>,
        /// What L1 says.
        told: Box<BlobParams>,
    },
    /// Every endpoint that answered said what cannot be.
    #[error("the endpoint {endpoint} lies: {lie}")]
    Lie {
        /// Name of the last endpoint.
        endpoint: String,
        /// What does not match.
        lie: Lie,
    },
}

/// Blob parameters as they stand in a configuration.
struct Blobs<'a>(&'a BlobParams);

impl fmt::Display for Blobs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlobParams { target_blob_count: target, max_blob_count: max, .. } = self.0;
        write!(f, "blob target {target}, max {max}, update fraction {}", self.0.update_fraction)
    }
}

/// What the caller of L1 does after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Ask again, not before that time.
    Retry(Duration),
    /// Throw away what was derived from the block and begin at a canonical one.
    Reset,
    /// Stop: configuration, endpoint or version must change.
    Stop,
}

impl L1Error {
    /// After a lie of all endpoints.
    const LIE_PAUSE: Duration = Duration::from_secs(5);

    /// What to do. Lies are asked again: they may be faults that pass.
    pub const fn next_step(&self) -> NextStep {
        match self {
            Self::Unavailable { after, .. } => NextStep::Retry(*after),
            Self::Lie { .. } => NextStep::Retry(Self::LIE_PAUSE),
            Self::Reorg { .. } => NextStep::Reset,
            Self::WrongChain { .. }
            | Self::Pruned { .. }
            | Self::UnknownType { .. }
            | Self::Schedule { .. } => NextStep::Stop,
        }
    }
}

/// Something an endpoint said that does not fit what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// The header hashes to something else than the block's hash.
    #[error("the header of block {number} hashes to {computed}, not to {announced}")]
    HeaderHash {
        /// Block number.
        number: u64,
        /// Hash that was asked for or said by the endpoint.
        announced: B256,
        /// Hash of the header.
        computed: B256,
    },
    /// Another block than the one asked for.
    #[error("block {found} was given for block {asked}")]
    Number {
        /// Number asked for.
        asked: u64,
        /// Number in the header.
        found: u64,
    },
    /// The transactions have another root than the header.
    #[error("block {number} has transactions root {header}, its transactions {computed}")]
    TransactionsRoot {
        /// Block number.
        number: u64,
        /// Root in the header.
        header: B256,
        /// Root of the transactions.
        computed: B256,
    },
    /// A transaction is called by another hash than its own.
    #[error("transaction {index} of block {number} hashes to {computed}, not to {announced}")]
    TransactionHash {
        /// Block number.
        number: u64,
        /// Place in the block.
        index: usize,
        /// Hash said by the endpoint.
        announced: B256,
        /// Hash of the transaction.
        computed: B256,
    },
    /// Not one receipt for each transaction.
    #[error("block {number} has {transactions} transactions and {receipts} receipts")]
    ReceiptCount {
        /// Block number.
        number: u64,
        /// Transactions.
        transactions: usize,
        /// Receipts.
        receipts: usize,
    },
    /// The receipts have another root than the header.
    #[error("block {number} has receipts root {header}, its receipts {computed}")]
    ReceiptsRoot {
        /// Block number.
        number: u64,
        /// Root in the header.
        header: B256,
        /// Root of the receipts.
        computed: B256,
        /// A transaction type of the block whose receipts may have another form than is known here.
        unknown: Option<u8>,
    },
    /// The answer has not the form of what was asked for.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// What was asked.
        what: String,
        /// What the decoder says.
        reason: String,
    },
}
