//! Sections that several suites share, and the chain that they describe.

use std::collections::BTreeMap;

use alloy_eips::eip7840::BlobParams;
use alloy_genesis::{ChainConfig, GenesisAccount};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use cairn_primitives::Account;
use serde::Deserialize;

use crate::Fork;
use crate::failure::CaseError;
use crate::json::{Hex, Number};

/// Accounts of a state.
pub(crate) type Accounts = BTreeMap<Address, AccountSection>;

/// An account of `pre` or `postState`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccountSection {
    balance: Number,
    nonce: Number,
    code: Hex,
    storage: BTreeMap<Slot, Number>,
}

/// A storage key. Files write it short or long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
struct Slot(Number);

/// The `config` section of newer files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigSection {
    #[serde(alias = "chainId")]
    chainid: Option<Number>,
    #[serde(rename = "blobSchedule")]
    blob_schedule: BTreeMap<String, BlobSection>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct BlobSection {
    target: Number,
    max: Number,
    #[serde(rename = "baseFeeUpdateFraction")]
    base_fee_update_fraction: Number,
}

impl AccountSection {
    /// Nonce, balance and code hash.
    pub(crate) fn account(&self) -> Result<Account, CaseError> {
        Ok(Account {
            nonce: narrow("nonce", self.nonce)?,
            balance: self.balance.0,
            code_hash: match self.code() {
                code if code.is_empty() => KECCAK256_EMPTY,
                code => keccak256(code),
            },
        })
    }

    /// Code, empty where the account has none.
    pub(crate) const fn code(&self) -> &Bytes {
        &self.code.0
    }

    /// Slots that hold something. Files also list zeros, which no trie has.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (U256, U256)> {
        let slots = self.storage.iter().map(|(Slot(slot), value)| (slot.0, value.0));
        slots.filter(|(_, value)| !value.is_zero())
    }

    /// Slots that the file says are zero.
    pub(crate) fn zero_slots(&self) -> impl Iterator<Item = U256> {
        let zeros = self.storage.iter().filter(|(_, value)| value.0.is_zero());
        zeros.map(|(Slot(slot), _)| slot.0)
    }

    /// The account of a genesis file.
    pub(crate) fn genesis(&self) -> Result<GenesisAccount, CaseError> {
        let words = self.slots().map(|(slot, value)| (B256::from(slot), B256::from(value)));
        let code = self.code().clone();
        Ok(GenesisAccount {
            nonce: Some(self.account()?.nonce),
            balance: self.balance.0,
            code: (!code.is_empty()).then_some(code),
            storage: Some(words.collect()),
            ..GenesisAccount::default()
        })
    }

    fn leaf(&self) -> Result<TrieAccount, CaseError> {
        let Account { nonce, balance, code_hash } = self.account()?;
        let words = self.slots().map(|(slot, value)| (B256::from(slot), value));
        Ok(TrieAccount { nonce, balance, code_hash, storage_root: storage_root_unhashed(words) })
    }
}

/// The state root of accounts, built in one pass without our tries.
pub(crate) fn plain_state_root(accounts: &Accounts) -> Result<B256, CaseError> {
    let leaves = accounts.iter().map(|(address, account)| Ok((*address, account.leaf()?)));
    Ok(state_root_unhashed(leaves.collect::<Result<Vec<_>, CaseError>>()?))
}

impl ConfigSection {
    /// Chain id, 1 unless the file says otherwise.
    pub(crate) fn chain_id(&self) -> Result<u64, CaseError> {
        self.chainid.map_or(Ok(1), |id| narrow("chain id", id))
    }

    /// Takes the blob schedule over.
    pub(crate) fn apply(&self, config: &mut ChainConfig) -> Result<(), CaseError> {
        for (name, section) in &self.blob_schedule {
            let fork = Fork::from_name(name).and_then(Fork::blobs);
            let (name, standard) =
                fork.ok_or_else(|| CaseError::Shape(format!("blob schedule of {name}")))?;
            let max_blob_count = narrow("max", section.max)?;
            let params = BlobParams {
                target_blob_count: narrow("target", section.target)?,
                max_blob_count,
                max_blobs_per_tx: max_blob_count,
                update_fraction: narrow("update fraction", section.base_fee_update_fraction)?
                    .into(),
                ..standard
            };
            config.blob_schedule.insert(name.to_string(), params);
        }
        Ok(())
    }
}

/// A number that has to fit 64 bits.
pub(crate) fn narrow(field: &'static str, number: Number) -> Result<u64, CaseError> {
    let wide = || CaseError::Shape(format!("{field} {:#x} does not fit 64 bits", number.0));
    number.to_u64().ok_or_else(wide)
}
