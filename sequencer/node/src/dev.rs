//! The development chain of `run --dev`.

use alloy_genesis::Genesis;
use cairn_genesis::{DEV_MNEMONIC, DevAccount, DevOptions, derive_accounts, dev_genesis};

use crate::config::RunArgs;

/// Accounts that the banner lists; there may be thousands.
const SHOWN: usize = 10;

/// Genesis and accounts of a development chain.
#[derive(Debug)]
pub(crate) struct DevChain {
    pub(crate) genesis: Genesis,
    accounts: Vec<DevAccount>,
    chain_id: u64,
}

impl DevChain {
    pub(crate) fn new(args: &RunArgs) -> eyre::Result<Self> {
        let default = DevOptions::default();
        let options = DevOptions {
            chain_id: args.chain_id.unwrap_or(default.chain_id),
            gas_limit: args.gas_limit.unwrap_or(default.gas_limit),
            accounts: args.accounts.unwrap_or(default.accounts),
            ..default
        };
        let shown = options.accounts.min(SHOWN as u32);
        Ok(Self {
            genesis: dev_genesis(&options)?,
            accounts: derive_accounts(&options.mnemonic, shown)?,
            chain_id: options.chain_id,
        })
    }

    /// Prints the accounts with their keys, which are public.
    pub(crate) fn print_banner(&self) {
        println!("Cairn development chain {}", self.chain_id);
        println!("mnemonic: {DEV_MNEMONIC}");
        for (index, account) in self.accounts.iter().enumerate() {
            println!("({index}) {} {}", account.address, account.private_key);
        }
    }
}
