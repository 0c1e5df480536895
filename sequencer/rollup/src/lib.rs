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
//! - [`feed`]: signed unsafe blocks
//! - [`proposer`]: what to do about output roots on L1
//! - [`channel`]: batches compressed together, and put together from frames
//! - [`frame`]: what a batcher transaction carries
//! - [`blob`]: the same in L1 blobs
//! - [`l1`]: L1 blocks as derivation sees them
//! - [`derivation`]: from L1 blocks and batch data to payload attributes
//! - [`start`]: where derivation starts
//! - [`origin`]: which L1 block the sequencer builds on
//! - [`batcher`]: what is sent when, and by which carrier
//! - `testing`: a small rollup for tests and fuzzing (feature `testing`)

mod attributes;
pub mod batch;
pub mod batcher;
pub mod blob;
pub mod channel;
mod config;
pub mod derivation;
pub mod feed;
pub mod frame;
pub mod l1;
pub mod origin;
mod output;
pub mod proposer;
mod refs;
pub mod start;
mod status;
mod system_config;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use attributes::{AttributesInput, Mismatch, RollupAttributes, SEQUENCER_FEE_VAULT, mismatch};
pub use config::{
    CHANNEL_TIMEOUT, CairnConfig, ChainOpConfig, ForkTimes, MAX_SEQUENCER_DRIFT, RollupConfig,
    RollupConfigError, RollupGenesis,
};
pub use output::output_root;
pub use refs::{L1BlockRef, L2BlockError, L2BlockRef};
pub use status::{RollupHandle, SyncStatus};
pub use system_config::{Eip1559Params, OperatorFeeParams, SystemConfig};
