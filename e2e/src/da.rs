//! A DA network in this process, for measurements and fuzzing: operators with their keys, payloads as a payer
//! hands them over, nodes with everything but a chain behind them.

mod node;
mod operators;
mod parcel;

pub(crate) use node::{open_node, tell};
pub(crate) use operators::{domain, payer, snapshot};
pub(crate) use parcel::{Parcel, payload};
