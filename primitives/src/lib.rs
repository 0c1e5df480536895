//! Protocol types shared by every part of Cairn.
//!
//! No I/O, no clock, no async: what stands here can run inside a proof.
//!
//! - [`TxEnvelope`], [`Receipt`], [`Block`]: what a block holds, for OP and Ethereum rules alike
//! - [`Account`], [`StateReader`]: the state as an executor sees it
//! - [`L1Attributes`]: the transaction that opens every L2 block
//! - [`ChainSpec`]: genesis, fork schedule and fee parameters of one chain
//! - [`da`]: headers, certificates, signatures and slots of the DA network

mod account;
mod blob_schedule;
mod block;
pub mod da;
mod genesis;
mod l1_attributes;
mod receipt;
mod senders;
mod spec;
mod transaction;

pub use account::{Account, ReadError, StateReader};
pub use blob_schedule::BlobSchedule;
pub use block::{Block, BlockBody, Header, RecoverError, RecoveredBlock, block_hash_and_number};
pub use genesis::{GenesisError, genesis_header};
pub use l1_attributes::{
    DEFAULT_DA_FOOTPRINT_GAS_SCALAR, L1_ATTRIBUTES_DEPOSITOR, L1_ATTRIBUTES_GAS_LIMIT,
    L1_BLOCK_ADDRESS, L1Attributes, L1AttributesError, L1AttributesFormat, L1Origin,
    SystemAttributes,
};
pub use receipt::Receipt;
pub use senders::recover_senders;
pub use spec::{BaseFeeError, ChainSpec, OptimismParams, Rules};
pub use transaction::{DEPOSIT_TX_TYPE, SignedTx, TxEnvelope, TxType, TypedTx};
