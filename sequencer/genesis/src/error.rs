//! Why no genesis can be made of some options.

/// Every variant is a mistake in the options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DevGenesisError {
    /// Not a BIP-39 phrase.
    #[error("mnemonic: {0}")]
    Mnemonic(String),
    /// More accounts than a genesis is made for.
    #[error("{asked} accounts asked for, {most} are possible")]
    TooManyAccounts {
        /// Accounts asked for.
        asked: u32,
        /// [`DEV_ACCOUNTS_MAX`](crate::DEV_ACCOUNTS_MAX).
        most: u32,
    },
    /// The L1-attributes transaction alone would not fit into a block.
    #[error("gas limit {gas_limit} is below {least}")]
    GasLimit {
        /// Gas limit asked for.
        gas_limit: u64,
        /// Least gas limit.
        least: u64,
    },
    /// A zero elasticity or denominator stands for the defaults in a header and divides nothing.
    #[error("elasticity and base fee denominator must not be zero")]
    FeeParameters,
}
