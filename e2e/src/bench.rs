//! `cairn-bench`: what the node does per second, measured from outside.
//!
//! Preparing (keys, funding, deployment, signing, serializing) happens before
//! the clock starts; checking that every transaction was included with success
//! happens after it stops. Between them the generator only moves bytes, and its
//! own processor time is part of the result.

mod accounts;
mod batch;
mod calls;
mod chain;
mod cli;
mod da;
mod derive;
mod import;
mod inclusion;
mod lanes;
mod latency;
mod load;
mod node;
mod pipeline;
mod report;
mod root;
mod setup;
mod signing;
mod sync;
mod table;
mod tps;
mod usage;
mod verify;
mod workload;

pub use batch::{BatchArgs, BatchFigures, BatchReport, QualityFigures};
pub use chain::{ChainArgs, ChainReport, ProcessFigures};
pub use cli::{Cli, Command, Opponent, TpsArgs, run};
pub use da::{DaArgs, DaFigures, DaRatios, DaReport, DaRival, DispersalFigures, DispersalReport};
pub use derive::{DeriveArgs, DeriveReport};
pub use import::{ImportArgs, ImportReport};
pub use lanes::Transport;
pub use latency::Percentiles;
pub use report::{Comparison, LoadReport, Rounds, SyncComparison, SyncReport};
pub use root::{Rival, RootArgs, RootFigures, RootReport};
pub use workload::Workload;
