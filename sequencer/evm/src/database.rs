//! State as revm's database.

use alloy_primitives::{Address, B256, U256};
use cairn_primitives::{Account, ReadError, StateReader};
use revm::bytecode::Bytecode;
use revm::database::DBErrorMarker;
use revm::database::bal::EvmDatabaseError;
use revm::state::AccountInfo;
use revm::{Database, DatabaseRef};

use crate::storage_only::{STORAGE_ONLY, plain_code_hash};

/// A read that failed under the EVM. It ends the execution and says nothing of the transaction.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct DbError(#[from] pub ReadError);

impl DBErrorMarker for DbError {}

/// Errors of the databases that stand between the EVM and a [`StateReader`].
pub trait VmDbError: std::error::Error + Send + Sync + 'static {
    /// The read error underneath.
    fn into_read_error(self) -> ReadError;
}

impl VmDbError for DbError {
    fn into_read_error(self) -> ReadError {
        self.0
    }
}

impl VmDbError for EvmDatabaseError<DbError> {
    fn into_read_error(self) -> ReadError {
        match self {
            Self::Database(e) => e.0,
            // Only a block-access list produces this, and none is ever set.
            Self::Bal(e) => ReadError::Store(e.to_string()),
        }
    }
}

/// A [`StateReader`] as revm's database. Holds no cache of its own.
#[derive(Debug, Clone)]
pub struct StateDb<R>(pub R);

impl<R: StateReader> DatabaseRef for StateDb<R> {
    type Error = DbError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        let Some(account) = self.0.account(address)? else { return Ok(None) };
        let unused = account.nonce == 0 && !account.has_code();
        if unused && self.0.has_storage(address)? {
            return Ok(Some(account_info(Account { code_hash: STORAGE_ONLY, ..account })));
        }
        Ok(Some(account_info(account)))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, DbError> {
        if code_hash == STORAGE_ONLY {
            return Ok(Bytecode::default());
        }
        let code = self.0.code(code_hash)?;
        // Code from before London may look like a delegation and be none: it runs as it is.
        Ok(Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code)))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, DbError> {
        Ok(self.0.storage(address, slot)?)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, DbError> {
        Ok(self.0.block_hash(number)?)
    }
}

impl<R: StateReader> Database for StateDb<R> {
    type Error = DbError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        self.basic_ref(address)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, DbError> {
        self.code_by_hash_ref(code_hash)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, DbError> {
        self.storage_ref(address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, DbError> {
        self.block_hash_ref(number)
    }
}

/// revm's view of an account; code is loaded when it runs.
pub(crate) fn account_info(account: Account) -> AccountInfo {
    AccountInfo {
        balance: account.balance,
        nonce: account.nonce,
        code_hash: account.code_hash,
        code: None,
        ..AccountInfo::default()
    }
}

/// Our view of an account of revm. An empty one is absent from the trie (EIP-161).
pub(crate) fn account_of(info: &AccountInfo) -> Account {
    Account { nonce: info.nonce, balance: info.balance, code_hash: plain_code_hash(info.code_hash) }
}
