//! Accounts, and the face through which an executor reads state.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

/// The consensus fields of an account, but for the storage root, which the trie computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created by a contract (EIP-161: starts at 1 there).
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// Keccak-256 of the code, [`KECCAK256_EMPTY`] without code.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: KECCAK256_EMPTY }
    }
}

impl Account {
    /// Empty in the sense of EIP-161: no nonce, no balance, no code.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && !self.has_code()
    }

    /// Whether the account holds code (a delegation designator of EIP-7702 counts).
    pub fn has_code(&self) -> bool {
        self.code_hash != KECCAK256_EMPTY
    }
}

/// Why a state read failed. None of these is the fault of a transaction.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The state of that block has been pruned or unwound; ask for a later one.
    #[error("state at block {block} is not available: {reason}")]
    Unavailable {
        /// Block whose state was asked for.
        block: u64,
        /// What became of it.
        reason: &'static str,
    },
    /// The store failed. The node must not go on as if the value were absent.
    #[error("state store: {0}")]
    Store(String),
}

/// State at one point of one chain. Every read of one reader sees the same state.
pub trait StateReader: Send + Sync + std::fmt::Debug {
    /// The account, `None` where the trie has no leaf.
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError>;

    /// A storage slot, zero where the trie has no leaf.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError>;

    /// Whether the account has any storage. Asked of accounts without nonce and code only, on whose
    /// address no contract may then be created (EIP-7610). Such accounts come from genesis files
    /// alone; a reader of states that cannot hold one need not implement this.
    fn has_storage(&self, _address: Address) -> Result<bool, ReadError> {
        Ok(false)
    }

    /// Code by hash. The hash was read from an account, so absence is a store error.
    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError>;

    /// Hash of an ancestor block; zero where the chain has none at that number.
    fn block_hash(&self, number: u64) -> Result<B256, ReadError>;
}

impl<R: StateReader + ?Sized> StateReader for std::sync::Arc<R> {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        (**self).account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        (**self).storage(address, slot)
    }

    fn has_storage(&self, address: Address) -> Result<bool, ReadError> {
        (**self).has_storage(address)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        (**self).code(code_hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, ReadError> {
        (**self).block_hash(number)
    }
}
