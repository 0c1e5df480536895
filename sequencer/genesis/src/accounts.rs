//! Accounts of the usual test mnemonic.

use alloy_primitives::{Address, B256};
use coins_bip32::path::DerivationPath;
use coins_bip32::prelude::{Parent, SigningKey, XPriv};
use coins_bip39::{English, Mnemonic};
use rayon::prelude::*;

use crate::DevGenesisError;

/// The mnemonic that every development chain uses. Its keys are public: never send value to them
/// on a real chain.
pub const DEV_MNEMONIC: &str = "test test test test test test test test test test test junk";
/// Most accounts that are derived at once.
pub const DEV_ACCOUNTS_MAX: u32 = 100_000;

/// An account whose key everybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevAccount {
    /// Its address.
    pub address: Address,
    /// Its secp256k1 key.
    pub private_key: B256,
}

/// The first `count` accounts of [`DEV_MNEMONIC`].
pub fn dev_accounts(count: u32) -> Result<Vec<DevAccount>, DevGenesisError> {
    derive_accounts(DEV_MNEMONIC, count)
}

/// The accounts `m/44'/60'/0'/0/0` to `count - 1` of a mnemonic (BIP-32, BIP-39, BIP-44).
///
/// The slow step from phrase to seed is taken once; the rest runs on all cores.
pub fn derive_accounts(phrase: &str, count: u32) -> Result<Vec<DevAccount>, DevGenesisError> {
    if count > DEV_ACCOUNTS_MAX {
        let most = DEV_ACCOUNTS_MAX;
        return Err(DevGenesisError::TooManyAccounts { asked: count, most });
    }
    let parent = Mnemonic::<English>::new_from_phrase(phrase)
        .and_then(|mnemonic| mnemonic.derive_key("m/44'/60'/0'/0".parse::<DerivationPath>()?, None))
        .map_err(|e| DevGenesisError::Mnemonic(e.to_string()))?;
    (0..count).into_par_iter().map(|index| child(&parent, index)).collect()
}

fn child(parent: &XPriv, index: u32) -> Result<DevAccount, DevGenesisError> {
    let key = parent.derive_child(index).map_err(|e| DevGenesisError::Mnemonic(e.to_string()))?;
    let key: &SigningKey = key.as_ref();
    Ok(DevAccount {
        address: Address::from_private_key(key),
        private_key: B256::from_slice(&key.to_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{address, b256};
    use alloy_signer_local::MnemonicBuilder;

    use super::*;

    #[test]
    fn first_account_is_the_one_that_all_tools_know() {
        let account = DevAccount {
            address: address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
            private_key: b256!(
                "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
            ),
        };
        assert_eq!(dev_accounts(1).unwrap(), [account]);
    }

    #[test]
    fn accounts_are_those_of_a_wallet_with_the_same_mnemonic() {
        let accounts = dev_accounts(1_000).unwrap();
        for index in [1, 2, 9, 10, 255, 256, 999] {
            let wallet = MnemonicBuilder::try_from_phrase_nth(DEV_MNEMONIC, index).unwrap();
            let account = accounts[index as usize];
            assert_eq!(account.address, wallet.address());
            assert_eq!(account.private_key, wallet.to_bytes());
        }
    }

    #[test]
    fn phrases_that_are_no_mnemonics_are_refused() {
        for phrase in
            ["", "test", "test test test test test test test test test test test nonsense"]
        {
            assert!(matches!(derive_accounts(phrase, 1), Err(DevGenesisError::Mnemonic(_))));
        }
    }

    #[test]
    fn too_many_accounts_are_refused() {
        let asked = DEV_ACCOUNTS_MAX + 1;
        let most = DEV_ACCOUNTS_MAX;
        assert_eq!(dev_accounts(asked), Err(DevGenesisError::TooManyAccounts { asked, most }));
    }
}
