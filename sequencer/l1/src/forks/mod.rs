//! Forks of L1, as far as a rollup needs them: the blob parameters of every time, from which the blob base fee
//! of an origin follows (OP specification: L1 attributes; EIP-7840, EIP-7892).
//!
//! They are part of what all nodes of a rollup must agree on, and nothing in an L1 block proves them. So for the
//! L1s that everybody knows they are here ([`BlobSchedule::known`]), and for others an operator gives L1's chain
//! configuration ([`BlobSchedule::parse`]). What L1's nodes say by `eth_config` (EIP-7910) is held against the schedule,
//! and takes its place on a chain that has none: it reaches back to the active fork alone.

mod eth_config;
mod params;
mod schedule;

pub use eth_config::{L1Fork, L1Forks};
pub(crate) use params::ToldForks;
pub use schedule::{BlobSchedule, ScheduleError};
