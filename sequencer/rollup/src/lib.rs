//! The rollup protocol, without I/O, clock or async: it can run inside a proof.
//!
//! ```text
//! unsafe blocks ─► batches ─► channel ─► frames ─► L1: calldata, blobs, certificates
//!                                                          │
//!      blocks ◄─ attributes ◄─ batches ◄─ channel ◄─ frames ◄┘   (derivation)
//! ```
//!
//! Every fork through Isthmus is active from genesis, so only the rules that hold since Holocene
//! are here: frames in strict order, one channel at a time, span batches checked block by block,
//! an invalid block replaced by its deposits (OP specification: Derivation, Holocene).
//!
//! - [`RollupConfig`]: one chain's parameters, `rollup.json`
//! - [`batch`]: singular and span batches
//! - [`channel`]: batches compressed together, and put together from frames
//! - [`frame`]: what a batcher transaction carries
//! - [`blob`]: the same in L1 blobs
//! - [`batcher`]: what is sent when, and by which carrier

pub mod batch;
pub mod batcher;
pub mod blob;
pub mod channel;
mod config;
pub mod frame;
mod refs;
mod system_config;

pub use config::{
    CHANNEL_TIMEOUT, CairnConfig, ChainOpConfig, ForkTimes, MAX_SEQUENCER_DRIFT, RollupConfig,
    RollupConfigError, RollupGenesis,
};
pub use refs::{L1BlockRef, L2BlockRef};
pub use system_config::{Eip1559Params, OperatorFeeParams, SystemConfig};
