//! Who is who among the accounts of the mnemonic.
//!
//! | index | who | has ether on |
//! |---|---|---|
//! | 0…9 | users | L1 and L2 |
//! | 10… | those that run the chain | L1 |
//! | 20… | operators of the DA network | L1 |

use alloy::signers::local::{MnemonicBuilder, PrivateKeySigner};
use alloy_primitives::{Address, B256};
use eyre::WrapErr;
use serde::{Deserialize, Serialize};

use super::data_dir::DataDir;
use crate::process::TEST_MNEMONIC;

/// Users, who are the accounts of `devnet.json`.
pub(super) const USERS: u32 = 10;
/// The first operator's account.
const OPERATORS: u32 = 20;

/// Those that run the chain, by their key file and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Role {
    Deployer = 10,
    Batcher = 11,
    Proposer = 12,
    Arbiter = 13,
    UnsafeBlockSigner = 14,
    GatewayPayer = 15,
    Challenger = 16,
}

impl Role {
    const ALL: [Self; 7] = [
        Self::Deployer,
        Self::Batcher,
        Self::Proposer,
        Self::Arbiter,
        Self::UnsafeBlockSigner,
        Self::GatewayPayer,
        Self::Challenger,
    ];

    /// Name of the key file.
    pub(super) const fn key_name(self) -> &'static str {
        match self {
            Self::Deployer => "deployer",
            Self::Batcher => "batcher",
            Self::Proposer => "proposer",
            Self::Arbiter => "arbiter",
            Self::UnsafeBlockSigner => "unsafe-block-signer",
            Self::GatewayPayer => "gateway-payer",
            Self::Challenger => "challenger",
        }
    }
}

/// An account that everybody may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserAccount {
    /// Its address.
    pub address: Address,
    /// Its key, known to the whole world.
    pub private_key: B256,
}

/// All accounts of a devnet.
#[derive(Debug)]
pub(super) struct Accounts {
    signers: Vec<PrivateKeySigner>,
}

impl Accounts {
    /// Derives as many as a devnet with so many operators has.
    pub(super) fn derive(da_nodes: u16) -> eyre::Result<Self> {
        let parent = MnemonicBuilder::from_phrase(TEST_MNEMONIC)
            .build_parent_key()
            .wrap_err("the test mnemonic is valid")?;
        let signers = (0..count(da_nodes))
            .map(|index| {
                Ok(parent.child(index).wrap_err("an index below the hardened ones")?.signer())
            })
            .map(|signer: eyre::Result<_>| {
                let bytes = signer?.to_bytes();
                PrivateKeySigner::from_bytes(&bytes).wrap_err("a derived key")
            })
            .collect::<eyre::Result<_>>()?;
        Ok(Self { signers })
    }

    fn at(&self, index: u32) -> eyre::Result<&PrivateKeySigner> {
        let index = usize::try_from(index)?;
        self.signers.get(index).ok_or_else(|| eyre::eyre!("account {index} was not derived"))
    }

    pub(super) fn role(&self, role: Role) -> eyre::Result<&PrivateKeySigner> {
        self.at(role as u32)
    }

    pub(super) fn operator(&self, number: u16) -> eyre::Result<&PrivateKeySigner> {
        self.at(OPERATORS.saturating_add(number.into()))
    }

    pub(super) fn users(&self) -> Vec<UserAccount> {
        let users = self.signers.iter().take(USERS as usize);
        users
            .map(|key| UserAccount { address: key.address(), private_key: key.to_bytes() })
            .collect()
    }

    /// Writes the key files of those that run the chain.
    pub(super) fn write_keys(&self, dir: &DataDir, da_nodes: u16) -> eyre::Result<()> {
        for role in Role::ALL {
            dir.write_key(role.key_name(), self.role(role)?)?;
        }
        for number in 0..da_nodes {
            dir.write_key(&operator_key_name(number), self.operator(number)?)?;
        }
        Ok(())
    }
}

/// Accounts that L1 prefunds.
pub(super) fn count(da_nodes: u16) -> u32 {
    OPERATORS.saturating_add(da_nodes.into())
}

/// Name of the file of an operator's L1 key.
pub(super) fn operator_key_name(number: u16) -> String {
    format!("operator-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::address;

    #[test]
    fn users_are_the_accounts_that_every_tool_knows_and_nobody_else_is_one_of_them() {
        let accounts = Accounts::derive(4).expect("derived");
        let users = accounts.users();
        assert_eq!(users.len(), 10);
        assert_eq!(users[0].address, address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
        let mut others: Vec<Address> =
            (0..4).map(|number| accounts.operator(number).expect("derived").address()).collect();
        others.extend(Role::ALL.map(|role| accounts.role(role).expect("derived").address()));
        let distinct: std::collections::BTreeSet<_> = others.iter().collect();
        assert_eq!(distinct.len(), 11);
        assert!(users.iter().all(|user| !others.contains(&user.address)));
        assert!(accounts.operator(4).is_err(), "there are four");
    }
}
