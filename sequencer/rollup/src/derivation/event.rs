//! What goes into the machine and what comes out.

use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};

use super::{DropReason, ResetReason};
use crate::l1::{BlobId, L1Block};
use crate::{L1BlockRef, L2BlockRef, RollupAttributes};

/// What happened outside.
#[derive(Debug, Clone)]
pub enum Event {
    /// The machine was just made: it says what it needs first.
    Start,
    /// The block that [`Effect::NeedL1Block`] asked for, or the one that L1 has there now.
    L1Block(Arc<L1Block>),
    /// The data that [`Effect::NeedData`] asked for.
    Data(BatchData),
    /// The attributes given last became this block, or are this block already.
    Applied(L2BlockRef),
    /// The attributes given last do not execute.
    Invalid,
    /// L1 finalized that block.
    L1Finalized(BlockNumHash),
}

/// Answer to a [`DataRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchData {
    /// Transaction whose data it is.
    pub transaction: B256,
    /// One entry for each blob (131,072 bytes, in the order of the request), or the payload of
    /// the certificate alone.
    pub data: Vec<Bytes>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Give the L1 block at that number once there is one. Until then nothing can be derived: the
    /// machine has reached the end of L1.
    NeedL1Block {
        /// Its number.
        number: u64,
        /// Hash of its parent. A block with another one is to be given too: it makes a reset.
        parent: Option<B256>,
    },
    /// Fetch the data of a batcher transaction, however long it takes. An answer of another
    /// shape than [`BatchData`] says is an error; data that hold no frames are not.
    NeedData(DataRequest),
    /// Make this the next safe block, then say [`Event::Applied`] or [`Event::Invalid`].
    Attributes(Box<DerivedAttributes>),
    /// All of that L1 block has been read and the safe chain ends there. To be kept in the
    /// safe-head index, where [`crate::start`] looks for it. Comes once for each L1 block, in
    /// order; after a reorganisation it takes the place of the entry at its number, and those
    /// above are of no use any more.
    SafeHead {
        /// The L1 block.
        l1: BlockNumHash,
        /// The newest block derived from it and those before.
        l2: L2BlockRef,
    },
    /// The newest block derived from finalized L1 data.
    Finalized(L2BlockRef),
    /// Something was read that is no valid data. For logs and counters; nothing is to be done.
    Dropped(DropReason),
    /// Throw this machine away and start another where [`crate::start`] says.
    Reset(ResetReason),
}

/// Data that is not in the L1 block itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRequest {
    /// L1 block of the transaction.
    pub block: L1BlockRef,
    /// Hash of the transaction; the answer names it.
    pub transaction: B256,
    /// What to fetch.
    pub source: DataSource,
}

/// Where data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// In blobs of the beacon chain.
    Blobs(Vec<BlobId>),
    /// On the DA network, under this certificate.
    Certificate(Bytes),
}

/// Attributes with where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedAttributes {
    /// The block to build.
    pub attributes: RollupAttributes,
    /// Its parent, the safe head.
    pub parent: L2BlockRef,
    /// Its L1 origin.
    pub l1_origin: BlockNumHash,
    /// Blocks since the first one with that origin.
    pub sequence_number: u64,
    /// The L1 block that its batch was read from, or that closed the sequencing window.
    pub derived_from: L1BlockRef,
    /// Whether the machine holds no further block of the same span batch.
    pub last_in_span: bool,
}
