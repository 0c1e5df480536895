//! Tracers of geth's `debug` namespace, with geth's JSON (go-ethereum `eth/tracers`), and of
//! parity's `trace` namespace.
//!
//! [`TracerConfig`] names a tracer, [`Tracer`] is the inspector that records, and
//! [`Tracer::finish`] gives the JSON of one transaction. What a tracer records counts against a
//! budget of bytes; once it is used up [`Guard`](crate::Guard) ends the execution.

mod budget;
mod call_frames;
mod call_kind;
mod config;
mod flat_calls;
mod parity;
mod prestate;
mod selectors;
mod struct_logs;
mod tracer;
mod transfer_logs;

pub use budget::Budget;
pub use call_frames::CallFrames;
pub use config::{
    CallConfig, FlatCallConfig, PrestateConfig, StructLogConfig, TracerConfig, TracerError,
};
pub use parity::ParityTraces;
pub use prestate::prestate;
pub use selectors::Selectors;
pub use struct_logs::StructLogs;
pub use tracer::{TraceContext, TraceError, Tracer};
pub use transfer_logs::{SimulatedLog, TransferLogs};
