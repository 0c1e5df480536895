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

/// A valid transaction that no account can pay for.
const FEE_OVER_128_BITS: &str = "its gas price is 2^128 wei or more, over 10^20 ether for a single \
     gas; fee fields have 128 bits here, so it is refused when it is decoded";

/// A transaction test at every fork that ours runs.
const fn transaction(file: &'static str, index: Option<usize>) -> Exception {
    let reason = FEE_OVER_128_BITS;
    Exception { suite: Suite::Transaction, file, name: None, index, reason }
}

const PRODUCT: &str = "ttEIP1559/GasLimitPriceProductOverflowtMinusOne.json";

/// The list.
pub const EXCEPTIONS: &[Exception] = &[
    transaction("ttGasPrice/TransactionWithHighGasPrice.json", None),
    transaction("ttVValue/V_equals38.json", None),
    // Cancun, London, Paris and Shanghai, which know its type.
    transaction(PRODUCT, Some(2)),
    transaction(PRODUCT, Some(10)),
    transaction(PRODUCT, Some(11)),
    transaction(PRODUCT, Some(12)),
];

impl Exception {
    pub(crate) fn is_of(&self, suite: Suite, file: &Path) -> bool {
        self.suite == suite && file.ends_with(self.file)
    }

    pub(crate) fn covers(&self, name: &str, index: usize) -> bool {
        self.name.is_none_or(|it| it == name) && self.index.is_none_or(|it| it == index)
    }
}
