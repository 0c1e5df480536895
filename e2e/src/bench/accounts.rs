//! The accounts that send, and the addresses that receive.

use alloy::signers::local::{LocalSigner, MnemonicBuilder, Secp256k1Signer};
use alloy_primitives::{Address, B256, keccak256};
use eyre::WrapErr;
use rayon::prelude::*;

use crate::process::TEST_MNEMONIC;

/// Names the key that pays at `--rpc`; a secret, so never an argument.
const FUNDER_VARIABLE: &str = "CAIRN_BENCH_FUNDER";

/// A sender with the nonce of its next transaction.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) signer: Secp256k1Signer,
    pub(super) nonce: u64,
}

impl Account {
    pub(super) const fn address(&self) -> Address {
        self.signer.address()
    }
}

/// Account `index` and following of the test mnemonic.
pub(super) fn mnemonic_accounts(first: u32, count: u32) -> eyre::Result<Vec<Account>> {
    let parent = MnemonicBuilder::from_phrase(TEST_MNEMONIC)
        .build_parent_key()
        .wrap_err("the test mnemonic is valid")?;
    let indices = first..first.saturating_add(count);
    indices
        .into_par_iter()
        .map(|index| {
            let key = parent.child(index).wrap_err("an index below the hardened ones")?.signer();
            Ok(Account { signer: fast_signer(&key.to_bytes())?, nonce: 0 })
        })
        .collect()
}

/// The account that funds, deploys and mints.
pub(super) fn funder() -> eyre::Result<Account> {
    match std::env::var(FUNDER_VARIABLE) {
        Ok(text) => {
            let key: B256 =
                text.parse().wrap_err_with(|| format!("{FUNDER_VARIABLE} holds no private key"))?;
            Ok(Account { signer: fast_signer(&key)?, nonce: 0 })
        }
        Err(_) => mnemonic_accounts(0, 1)?.pop().ok_or_else(|| eyre::eyre!("no account 0")),
    }
}

/// libsecp256k1 signs about three times as fast as the pure Rust curve.
fn fast_signer(key: &B256) -> eyre::Result<Secp256k1Signer> {
    LocalSigner::<alloy::signers::local::Secp256k1Credential>::from_bytes(key)
        .wrap_err("not a private key")
}

/// Recipient number `index`: nobody's key, the same in every run.
pub(super) fn recipient(index: u32) -> Address {
    let mut seed = *b"cairn-bench recipient 0000";
    seed[22..].copy_from_slice(&index.to_be_bytes());
    Address::from_word(keccak256(seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    #[test]
    fn derives_the_accounts_every_development_node_prefunds() {
        let accounts = mnemonic_accounts(0, 10).expect("derived");
        let addresses: Vec<Address> = accounts.iter().map(Account::address).collect();
        assert_eq!(addresses[0], address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        assert_eq!(addresses[9], address!("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"));
    }

    #[test]
    fn recipients_differ_from_each_other() {
        let distinct: std::collections::HashSet<Address> = (0..1_000).map(recipient).collect();
        assert_eq!(distinct.len(), 1_000);
    }
}
