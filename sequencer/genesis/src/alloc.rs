//! Accounts of a genesis as they are put together.

use std::collections::BTreeMap;

use alloy_genesis::{Genesis, GenesisAccount};
use alloy_primitives::{Address, B256, Bytes, U256};

/// The `alloc` section.
#[derive(Debug, Default)]
pub(crate) struct Alloc(BTreeMap<Address, GenesisAccount>);

impl Alloc {
    /// Adds a contract. Its nonce is 1, as after its creation (EIP-161).
    ///
    /// # Panics
    /// When the address is taken.
    pub(crate) fn contract(
        &mut self,
        address: Address,
        code: Bytes,
        storage: impl IntoIterator<Item = (B256, B256)>,
    ) {
        // A zero is the absence of a slot, and a trie has no leaf for it.
        let storage: BTreeMap<B256, B256> =
            storage.into_iter().filter(|(_, value)| !value.is_zero()).collect();
        let account = GenesisAccount {
            nonce: Some(1),
            code: Some(code),
            storage: (!storage.is_empty()).then_some(storage),
            ..GenesisAccount::default()
        };
        let before = self.0.insert(address, account);
        assert!(before.is_none(), "two contracts at {address}");
    }

    /// Adds an account without code that has sent transactions.
    pub(crate) fn sender(&mut self, address: Address, nonce: u64) {
        self.0.entry(address).or_default().nonce = Some(nonce);
    }

    /// Gives an account its balance.
    pub(crate) fn fund(&mut self, address: Address, balance: U256) {
        self.0.entry(address).or_default().balance = balance;
    }

    pub(crate) fn into_genesis(self, genesis: Genesis) -> Genesis {
        Genesis { alloc: self.0, ..genesis }
    }
}
