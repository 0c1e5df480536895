//! The public Ethereum test suites, run through the parts of a Cairn node.
//!
//! The suites judge the node, so nothing here executes, hashes or stores by itself: transactions
//! go through the pool's decoder, blocks through [`Chain::import`](cairn_chain::Chain::import),
//! state through a RocksDB [`Store`](cairn_state::Store) on disk, roots through its tries. What is
//! ours here is reading the files, building the chain that a file means, and comparing.
//!
//! - [`run_state_tests`]: `GeneralStateTests`, behind `cairn-sequencer statetest`
//! - [`run_blockchain_tests`]: `BlockchainTests` of networks after the merge
//! - [`run_transaction_tests`], [`run_rlp_tests`]: decoders
//!
//! A case that cannot pass stands in [`EXCEPTIONS`] with its reason; it fails the run as soon as it
//! passes. A file that cannot be read, or that has another shape, is a failure.

mod blockchain_test;
mod exceptions;
mod failure;
mod files;
mod fork;
mod json;
mod report;
mod rlp_test;
mod run;
mod sections;
mod state_test;
mod transaction_test;

pub use blockchain_test::run_blockchain_tests;
pub use exceptions::{EXCEPTIONS, Exception, Suite};
pub use failure::{CaseError, RunError};
pub use files::{Fixtures, fixtures};
pub use fork::{Fork, Network};
pub use report::{Failure, Report, Totals};
pub use rlp_test::run_rlp_tests;
pub use run::{Options, Progress};
pub use state_test::run_state_tests;
pub use transaction_test::run_transaction_tests;
