//! Cases that are known not to pass.

use std::path::Path;

/// One of the suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// `GeneralStateTests`.
    State,
    /// `BlockchainTests`.
    Blockchain,
    /// `TransactionTests`.
    Transaction,
    /// `RLPTests`.
    Rlp,
}

/// A case that may fail, and why.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// Suite of the file.
    pub suite: Suite,
    /// End of the file's path, `/`-separated.
    pub file: &'static str,
    /// Test in the file, with `@Fork` behind it for cases of other forks than Cancun; `None` for
    /// all.
    pub name: Option<&'static str>,
    /// Case of the test, `None` for all.
    pub index: Option<usize>,
    /// Why it cannot pass.
    pub reason: &'static str,
}

/// The list. It is empty as long as nothing has a reason to stand here.
pub const EXCEPTIONS: &[Exception] = &[];

impl Exception {
    pub(crate) fn is_of(&self, suite: Suite, file: &Path) -> bool {
        self.suite == suite && file.ends_with(self.file)
    }

    pub(crate) fn covers(&self, name: &str, index: usize) -> bool {
        self.name.is_none_or(|it| it == name) && self.index.is_none_or(|it| it == index)
    }
}
