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

pub mod batch;
mod config;
mod refs;
mod system_config;

pub use config::{
    CHANNEL_TIMEOUT, CairnConfig, ChainOpConfig, ForkTimes, MAX_SEQUENCER_DRIFT, RollupConfig,
    RollupConfigError, RollupGenesis,
};
pub use refs::{L1BlockRef, L2BlockRef};
pub use system_config::{Eip1559Params, OperatorFeeParams, SystemConfig};
