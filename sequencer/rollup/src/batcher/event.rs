use alloy_eips::BlockNumHash;
use alloy_primitives::Bytes;

use super::CarrierChoice;
use crate::{
    L1BlockRef, L2BlockRef,
    batch::{BatchBlock, BatchError},
};

/// A transaction, whatever its fee: all of its replacements have the same nonce and the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TxId(pub u64);

/// A payload on its way to the DA network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DispersalId(pub u64);

/// What derivation has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeHead {
    /// The safe head.
    pub block: L2BlockRef,
    /// The last L1 block whose data have all been worked through.
    pub derived_from: BlockNumHash,
}

/// What happened. Answers to things that were asked before the last reset must not be passed on,
/// but do no harm: their ids are unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time passed.
    Tick,
    /// Number of the unsafe head.
    UnsafeHead(u64),
    /// A block that was asked for, in order.
    UnsafeBlock(BatchBlock),
    /// The unsafe chain was unwound.
    L2Reorg,
    /// Derivation made progress, or moved back.
    SafeHead(SafeHead),
    /// A new L1 block.
    L1Head(L1BlockRef),
    /// L1 was reorganised, in a way that heads do not show.
    L1Reorg,
    /// Nonces of the batcher's account: of the next transaction as of L1 block `at`, and counting
    /// the mempool.
    Nonces {
        /// As of the block.
        latest: u64,
        /// With the mempool.
        pending: u64,
        /// Number of the block.
        at: u64,
    },
    /// Included with success.
    TxIncluded {
        /// The transaction.
        id: TxId,
        /// Number of the L1 block.
        block: u64,
    },
    /// Decided, but not included with success.
    TxFailed {
        /// The transaction.
        id: TxId,
        /// What became of it.
        failure: TxFailure,
    },
    /// Its fee is known to be too low.
    TxStuck {
        /// The transaction.
        id: TxId,
    },
    /// The network certified a payload.
    Dispersed {
        /// The payload.
        id: DispersalId,
        /// The certificate, encoded.
        certificate: Bytes,
    },
    /// It did not.
    DispersalFailed {
        /// The payload.
        id: DispersalId,
        /// Why.
        failure: DispersalFailure,
    },
    /// An operator chooses.
    SetCarrier(CarrierChoice),
    /// An operator wants the blocks that there are on L1 now.
    Flush,
    /// An operator wants nothing more to be sent.
    Stop,
    /// An operator takes that back.
    Start,
}

/// What became of a transaction that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxFailure {
    /// Included, and reverted: the inbox refused it.
    Reverted,
    /// No node took it, so its nonce is free.
    Refused,
    /// Another transaction has its nonce.
    NonceTaken,
}

/// Why there is no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispersalFailure {
    /// The network says that it cannot serve (status 503).
    Unavailable,
    /// Anything else.
    Failed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Give the blocks of these numbers as [`Event::UnsafeBlock`], in order, as soon as they
    /// exist. Replaces what was asked for before.
    LoadBlocks {
        /// First.
        from: u64,
        /// Last.
        to: u64,
    },
    /// Send the payload to the DA network.
    Disperse {
        /// Names it in the answer.
        id: DispersalId,
        /// Version byte and frames.
        payload: Bytes,
    },
    /// Send a transaction to the inbox with the next nonce, and tell what becomes of it.
    Send {
        /// Names it in the answer.
        id: TxId,
        /// Its content.
        transaction: BatcherTransaction,
    },
    /// Send it again with a higher fee, or as it is if it got lost.
    BumpFee {
        /// The transaction.
        id: TxId,
    },
    /// Say [`Event::Nonces`].
    QueryNonces,
    /// Replace the transaction of an earlier run that has this nonce by one without effect, at a
    /// higher fee.
    Cancel {
        /// The nonce.
        nonce: u64,
    },
    /// The sequencer should make smaller blocks, or need not any more.
    Throttle {
        /// What the transactions of a block may take on L1, bytes; `None` is no limit.
        block_bytes: Option<u64>,
    },
    /// Everything sent is forgotten: no transaction is to be sent again or replaced.
    Reset {
        /// For the log.
        reason: ResetReason,
    },
    /// A block that no batch can hold; nothing more is sent. Not to be expected: somebody has to
    /// look.
    Halt {
        /// Its number.
        block: u64,
        /// Why.
        error: BatchError,
    },
}

/// Content of a transaction to the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatcherTransaction {
    /// A certificate of the DA network.
    Certificate(Bytes),
    /// The data of each blob, still to be put into blobs.
    Blobs(Vec<Bytes>),
    /// Version byte and frames.
    Calldata(Bytes),
}

/// Version byte and commitment type in front of a certificate: OP's alt-DA with a generic
/// commitment.
pub const CERTIFICATE_PREFIX: [u8; 2] = [1, 1];

impl BatcherTransaction {
    /// The transaction's calldata.
    pub fn calldata(&self) -> Bytes {
        match self {
            Self::Certificate(certificate) => {
                [CERTIFICATE_PREFIX.as_slice(), certificate].concat().into()
            }
            Self::Blobs(_) => Bytes::new(),
            Self::Calldata(data) => data.clone(),
        }
    }
}

/// Why the batcher begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetReason {
    /// L1 is another chain now.
    L1Reorg,
    /// The unsafe chain is another one now.
    L2Reorg,
    /// The safe head is where it cannot come from what was sent.
    SafeHead {
        /// Where it is.
        safe: L2BlockRef,
    },
    /// A channel is on L1, and derivation passed it over.
    NotDerived {
        /// Its last block.
        block: u64,
    },
    /// An operator stopped it.
    Stopped,
    /// A transaction that is not known here took a nonce.
    NonceTaken,
    /// A channel needs more transactions of the carrier of now than there is time for: its blocks
    /// go into smaller ones.
    ChannelTooLong {
        /// Transactions that it would take.
        parts: usize,
    },
}
