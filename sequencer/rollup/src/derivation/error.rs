use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};
use cairn_primitives::ReadError;

use crate::L2BlockRef;

/// Why derivation cannot go on and no reset helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerivationError {
    /// A block of deposits alone does not execute. Deposits always do, so the node is at fault.
    #[error("deposits-only block {number} on {parent} does not execute")]
    DepositsInvalid {
        /// Its number.
        number: u64,
        /// Hash of its parent.
        parent: B256,
    },
    /// The shell said something that the machine did not ask for: a bug.
    #[error("{event} came while the machine waited for {waiting}")]
    Unexpected {
        /// What came.
        event: &'static str,
        /// What was asked for.
        waiting: &'static str,
    },
}

/// Why the machine must be started anew.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResetReason {
    /// The new L1 block is not the child of the one read last.
    #[error("L1 block {number} has parent {actual}, not {expected}: reorganisation")]
    L1Reorg {
        /// Number of the new block.
        number: u64,
        /// Hash of the block read last.
        expected: B256,
        /// Parent of the new block.
        actual: B256,
    },
    /// L1 has another block where the starting point or the finalized head has one.
    #[error("L1 block {} is {actual}, not {}", expected.number, expected.hash)]
    L1Differs {
        /// What was relied on.
        expected: BlockNumHash,
        /// What L1 has.
        actual: B256,
    },
    /// The block made of the attributes does not follow the safe head.
    #[error("block {applied:?} does not follow the safe head {safe:?}")]
    NotOnSafeHead {
        /// The safe head.
        safe: BlockNumHash,
        /// The block that was reported.
        applied: Box<L2BlockRef>,
    },
    /// A block of the safe chain could not be read.
    #[error("safe block {number}: {source}")]
    SafeChain {
        /// Its number.
        number: u64,
        /// Why.
        source: ReadError,
    },
}

impl PartialEq for ResetReason {
    fn eq(&self, other: &Self) -> bool {
        // A store error has no equality of its own; its text tells it.
        self.to_string() == other.to_string()
    }
}

impl Eq for ResetReason {}

/// Something on L1 that is no valid data for this chain. It has no effect but its own absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// A stranger wrote to the inbox.
    #[error("transaction {transaction} is from {sender}, who is not the batcher")]
    Stranger {
        /// The transaction.
        transaction: B256,
        /// Its sender.
        sender: Address,
    },
    /// Frames of a transaction do not parse; all of them are dropped.
    #[error("transaction {transaction}: data {index} holds no frames")]
    Data {
        /// The transaction.
        transaction: B256,
        /// Blob of the transaction, 0 for other carriers.
        index: usize,
    },
    /// A frame is not the next one of its channel.
    #[error("frame {number} is out of order")]
    FrameOrder {
        /// Its number.
        number: u16,
    },
    /// A new channel began while another was open.
    #[error("channel opened in L1 block {opened} was replaced by another")]
    ChannelReplaced {
        /// L1 block of its first frame.
        opened: u64,
    },
    /// A channel was open for too long.
    #[error("channel opened in L1 block {opened} timed out")]
    ChannelTimeout {
        /// L1 block of its first frame.
        opened: u64,
    },
    /// A channel has more bytes than a channel may have.
    #[error("channel opened in L1 block {opened} is too large")]
    ChannelSize {
        /// L1 block of its first frame.
        opened: u64,
    },
    /// A channel does not decompress, or holds something that is no batch. What came before stays.
    #[error("malformed channel of L1 block {block}")]
    Channel {
        /// L1 block of its last frame.
        block: u64,
    },
    /// A batch and the rest of its channel.
    #[error("batch with timestamp {timestamp} of L1 block {block}: {reason}")]
    Batch {
        /// L1 block of its last frame.
        block: u64,
        /// Its timestamp, that of the first block for span batches.
        timestamp: u64,
        /// The rule that it breaks.
        reason: BatchDrop,
    },
    /// The rest of a span batch and its channel, whose block did not execute.
    #[error("block with timestamp {timestamp} does not execute; it keeps its deposits alone")]
    Payload {
        /// Timestamp of the block.
        timestamp: u64,
    },
}

/// The rule that a batch breaks (OP specification: Batch queue, Span batches, Holocene).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchDrop {
    /// Before or at the safe head. The rest of the channel stays.
    #[error("it is in the past")]
    Past,
    /// A gap lies between the safe head and the batch.
    #[error("it is in the future")]
    Future,
    /// Its timestamps are none of this chain's.
    #[error("its timestamp is no block's")]
    Misaligned,
    /// It does not build on the safe chain.
    #[error("its parent is not on the safe chain")]
    Parent,
    /// It came after its sequencing window.
    #[error("its sequencing window is over")]
    Window,
    /// Its origin is older than its parent's.
    #[error("its origin {0} is older than that of its parent")]
    OldOrigin(u64),
    /// Its origin is not its parent's, nor the one after it.
    #[error("its origin {0} skips an L1 block")]
    SkippedOrigin(u64),
    /// Its origin is not before the block that it was read from.
    #[error("its origin {0} was not there when it was sent")]
    FutureOrigin(u64),
    /// Its origin is on another L1.
    #[error("its origin {0} has another hash")]
    OriginHash(u64),
    /// It is before its origin.
    #[error("it is older than its origin")]
    BeforeOrigin,
    /// It is too far ahead of its origin and has transactions.
    #[error("it is beyond the drift and not empty")]
    Drift,
    /// It is too far ahead of its origin and could have taken the next one.
    #[error("it is beyond the drift and could have taken the next origin")]
    DriftOrigin,
    /// The block that activates a fork holds deposits alone.
    #[error("the activation block is not empty")]
    ActivationBlock,
    /// Transactions have at least one byte.
    #[error("transaction {0} is empty")]
    EmptyTransaction(usize),
    /// Deposits come from L1 alone.
    #[error("transaction {0} is a deposit")]
    Deposit(usize),
    /// Types are legacy, 1, 2 and 4.
    #[error("transaction {index} has type {kind:#04x}")]
    TransactionType {
        /// Position in the batch.
        index: usize,
        /// First byte.
        kind: u8,
    },
}
