//! What can go wrong, by what the caller can do about it.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_evm::BlockError;
use cairn_primitives::{BaseFeeError, ReadError, RecoverError};
use cairn_state::StateError;

/// A header that breaks a rule relative to its parent or in itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Number is not the parent's plus one.
    #[error("block number {got} does not follow {parent}")]
    Number {
        /// Number in the header.
        got: u64,
        /// Number of the parent.
        parent: u64,
    },
    /// Timestamp does not come after the parent's.
    #[error("timestamp {got} does not come after the parent's {parent}")]
    Timestamp {
        /// Timestamp in the header.
        got: u64,
        /// Timestamp of the parent.
        parent: u64,
    },
    /// Gas used exceeds the gas limit.
    #[error("gas used {used} exceeds the gas limit {limit}")]
    GasUsed {
        /// Gas used in the header.
        used: u64,
        /// Gas limit in the header.
        limit: u64,
    },
    /// Gas limit moves more than a 1024th, or below 5000.
    #[error("gas limit {got} is out of bounds for a parent with {parent}")]
    GasLimit {
        /// Gas limit in the header.
        got: u64,
        /// Gas limit of the parent.
        parent: u64,
    },
    /// Extra data is longer than 32 bytes, or no valid parameters under OP rules.
    #[error("extra data of {len} bytes is invalid: {reason}")]
    ExtraData {
        /// Its length.
        len: usize,
        /// What is wrong.
        reason: String,
    },
    /// A field has another value than the protocol prescribes.
    #[error("{field} is {got}, the protocol prescribes {want}")]
    Field {
        /// Name of the field as in the RPC.
        field: &'static str,
        /// Value in the header.
        got: String,
        /// Value prescribed.
        want: String,
    },
    /// No base fee follows from the parent.
    #[error(transparent)]
    BaseFee(#[from] BaseFeeError),
}

/// Why a block was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The parent is not known: import it first.
    #[error("parent {parent} of block {number} is not known")]
    UnknownParent {
        /// Number of the block.
        number: u64,
        /// Hash of the missing parent.
        parent: B256,
    },
    /// The block forks off deeper than this node can unwind.
    #[error("block {number} forks off below the finalized block {finalized}")]
    BelowFinalized {
        /// Number of the block.
        number: u64,
        /// The finalized block.
        finalized: u64,
    },
    /// The block's fork would replace safe blocks, which follow from L1: only derivation may.
    #[error("the fork of block {number} would replace safe blocks up to {safe}")]
    BelowSafe {
        /// Number of the block.
        number: u64,
        /// The safe head.
        safe: u64,
    },
    /// The header is invalid, and with it the block.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A transaction has no valid signature.
    #[error(transparent)]
    Signature(#[from] RecoverError),
    /// Body and header do not belong together, or execution gave another result.
    #[error("{what} of block {number} is {got}, the header says {want}")]
    Mismatch {
        /// Number of the block.
        number: u64,
        /// What was compared.
        what: &'static str,
        /// Value computed.
        got: String,
        /// Value in the header.
        want: String,
    },
    /// A transaction or system call of the block failed.
    #[error("block {number}: {source}")]
    Execution {
        /// Number of the block.
        number: u64,
        /// What failed.
        source: BlockError,
    },
    /// The node failed, not the block: it may be imported again.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl ChainError {
    /// Whether going on would make things worse: the node stops and says why.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Persistence(_) | Self::Replay { .. } | Self::Journal { .. })
    }

    /// Whether only space on the disk is missing.
    pub const fn is_disk_full(&self) -> bool {
        matches!(self, Self::Store(StateError::NoSpace(_)))
    }
}

/// A failure of the node itself.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StateError),
    /// State could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The persistence thread ended; its log says why. Restart the node.
    #[error("persistence has stopped: {0}")]
    Persistence(String),
    /// A replayed journal gave another block than was announced. Do not go on: state or binary
    /// differ from those that built it.
    #[error("replay of block {number} gives {got}, announced was {announced}")]
    Replay {
        /// Number of the block.
        number: u64,
        /// Hash from the replay.
        got: B256,
        /// Hash that was announced.
        announced: B256,
    },
    /// The genesis file cannot be hashed.
    #[error("genesis: {0}")]
    Genesis(String),
    /// A journal record cannot be read.
    #[error("journal of block {number}, record {index}: {reason}")]
    Journal {
        /// Number of the block.
        number: u64,
        /// Position in its journal.
        index: u32,
        /// What is wrong.
        reason: String,
    },
    /// A block that the node itself builds cannot be executed.
    #[error("building block {number}: {reason}")]
    Build {
        /// Number of the block.
        number: u64,
        /// What failed.
        reason: String,
    },
    /// The source of attributes has none for the next block, for now.
    #[error("block {number} cannot begin: {reason}")]
    NoAttributes {
        /// Number of the block.
        number: u64,
        /// What it waits for.
        reason: String,
    },
    /// The chain has another head than the block that was to be appended follows.
    #[error("block {number} does not follow the head any more")]
    HeadMoved {
        /// Number of the block.
        number: u64,
    },
    /// A head would move behind another, or ahead of one.
    #[error("the {head:?} head cannot move to block {number}: heads would be out of order")]
    HeadOrder {
        /// Head that was to move.
        head: crate::Head,
        /// Block that it was to move to.
        number: u64,
    },
    /// An L1 block that derivation has read is not the one that the safe-head index knows: L1 was
    /// reorganised. Reset the heads first.
    #[error("derived from L1 block {got:?}, the safe-head index has {indexed:?}: reset first")]
    L1Reorganised {
        /// The L1 block.
        got: BlockNumHash,
        /// Newest L1 block of the index.
        indexed: BlockNumHash,
    },
    /// No such block.
    #[error("block {0} is not known")]
    UnknownBlock(B256),
    /// No block with that number.
    #[error("block {0} is not known")]
    UnknownNumber(u64),
}
