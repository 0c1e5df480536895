//! A genesis state in memory, under the serial run.

use alloy_genesis::Genesis;
use alloy_primitives::map::{B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_primitives::{Account, ReadError, StateReader};

/// Accounts, slots and code as plain maps.
#[derive(Debug, Default)]
pub(super) struct MemoryState {
    accounts: HashMap<Address, Account>,
    slots: HashMap<(Address, U256), U256>,
    code: B256Map<Bytes>,
}

impl MemoryState {
    /// The state of a genesis file.
    pub(super) fn new(genesis: &Genesis) -> Self {
        let mut state = Self::default();
        for (address, source) in &genesis.alloc {
            let code = source.code.clone().unwrap_or_default();
            let code_hash = keccak256(&code);
            let account = Account {
                nonce: source.nonce.unwrap_or_default(),
                balance: source.balance,
                code_hash,
            };
            state.accounts.insert(*address, account);
            state.code.insert(code_hash, code);
            for (slot, value) in source.storage.iter().flatten() {
                state.slots.insert((*address, (*slot).into()), (*value).into());
            }
        }
        state
    }
}

impl StateReader for MemoryState {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        Ok(self.slots.get(&(address, slot)).copied().unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        let code = self.code.get(&code_hash).cloned();
        code.ok_or_else(|| ReadError::Store(format!("no code {code_hash}")))
    }

    fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
        Ok(B256::ZERO)
    }
}
