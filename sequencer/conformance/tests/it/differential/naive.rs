//! A node without a store: one map of accounts, and a root that is built anew each time.

use alloy_eips::Encodable2718;
use alloy_eips::eip4895::Withdrawal;
use alloy_genesis::Genesis;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use cairn_evm::revm_types::{AccountInfo, Bytecode, CacheDB, Database};
use cairn_evm::{EvmConfig, StateDb, tx_env};
use cairn_primitives::{Account, Header, ReadError, RecoveredBlock, StateReader};

/// The state after some block.
#[derive(Debug, Clone)]
pub(crate) struct Naive(CacheDB<StateDb<Nothing>>);

/// The state under everything.
#[derive(Debug, Clone)]
struct Nothing;

impl StateReader for Nothing {
    fn account(&self, _: Address) -> Result<Option<Account>, ReadError> {
        Ok(None)
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, ReadError> {
        Ok(U256::ZERO)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        Err(ReadError::Store(format!("no code {code_hash}")))
    }

    fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
        Ok(B256::ZERO)
    }
}

impl Naive {
    /// The state of a genesis file.
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let mut db = CacheDB::new(StateDb(Nothing));
        for (address, account) in &genesis.alloc {
            let code = Bytecode::new_raw(account.code.clone().unwrap_or_default());
            let info = AccountInfo {
                balance: account.balance,
                nonce: account.nonce.unwrap_or(0),
                code_hash: code.hash_slow(),
                code: Some(code),
                ..AccountInfo::default()
            };
            db.insert_account_info(*address, info);
            for (slot, value) in account.storage.iter().flatten() {
                db.insert_account_storage(*address, (*slot).into(), (*value).into()).unwrap();
            }
        }
        Self(db)
    }

    /// Runs a block. Gives back the gas that it used.
    pub(crate) fn execute(
        &mut self,
        evm: &EvmConfig,
        header: &Header,
        block: &RecoveredBlock,
    ) -> u64 {
        let mut gas_used = 0;
        let mut vm = evm.vm(&mut self.0, evm.env(header));
        for (tx, sender) in block.transactions_with_sender() {
            let request = tx_env(tx, sender, tx.encoded_2718().into());
            gas_used += vm.transact_commit(request).unwrap().tx_gas_used();
        }
        drop(vm);
        for Withdrawal { address, amount, .. } in block.body().withdrawals.iter().flatten() {
            let mut info = self.0.basic(*address).unwrap().unwrap_or_default();
            info.balance += U256::from(*amount) * U256::from(1_000_000_000);
            self.0.insert_account_info(*address, info);
        }
        gas_used
    }

    /// Every account that the trie has a leaf for. Empty ones have none (EIP-161).
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Address, Account)> {
        let accounts = self.0.cache.accounts.iter().filter(|(_, account)| !account.info.is_empty());
        accounts.map(|(address, account)| {
            let AccountInfo { nonce, balance, code_hash, .. } = account.info;
            (*address, Account { nonce, balance, code_hash })
        })
    }

    /// Slots of an account.
    pub(crate) fn slots(&self, address: Address) -> impl Iterator<Item = (U256, U256)> {
        let account = self.0.cache.accounts.get(&address);
        account.into_iter().flat_map(|account| account.storage.iter().map(|(k, v)| (*k, *v)))
    }

    /// The state root.
    pub(crate) fn root(&self) -> B256 {
        state_root_unhashed(self.accounts().map(|(address, account)| {
            let Account { nonce, balance, code_hash } = account;
            let slots = self.slots(address).filter(|(_, value)| !value.is_zero());
            let slots = slots.map(|(slot, value)| (B256::from(slot), value));
            let storage_root = storage_root_unhashed(slots);
            (address, TrieAccount { nonce, balance, code_hash, storage_root })
        }))
    }

    /// The code of an account.
    pub(crate) fn code(&self, code_hash: B256) -> Bytes {
        let code = self.0.cache.contracts[&code_hash].original_bytes();
        assert_eq!(keccak256(&code), code_hash);
        code
    }
}
