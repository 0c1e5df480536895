//! `cairn-fuzz`: decoders and the checks behind them against inputs that somebody changed.
//!
//! Each target begins with valid inputs and changes them: bits, bytes, integers, blocks, lengths,
//! pieces of other inputs. There is no instrumentation and so no coverage: what guides it is the
//! *outcome* alone. An input whose outcome was not seen before (another error, another status) is kept and
//! changed further. That finds what is near valid inputs, behind a few checks; a path that needs four
//! exact bytes which no valid input has, it does not find.
//!
//! An execution fails when it panics, by its own assertions or those of the code under test. The input
//! is written to a file, which belongs into `e2e/fuzz/<target>/`: a test executes all of them.
//!
//! To add a target, write a function that gives a [`Target`] and name it in [`targets::all`].

mod campaign;
mod cli;
mod corpus;
mod mutate;
mod target;
pub mod targets;
mod watch;

pub use campaign::{Campaign, Findings, Limits};
pub use cli::{Cli, run};
pub use corpus::Corpus;
pub use mutate::Mutator;
pub use target::{Execute, Outcome, Target};
