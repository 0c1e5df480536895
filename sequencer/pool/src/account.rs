//! Accounts of senders, and where they are read.

use std::sync::Arc;

use alloy_primitives::{Address, KECCAK256_EMPTY};
use cairn_primitives::{Account, ReadError, StateReader};

/// Length of a delegation designator and its first bytes (EIP-7702).
const DELEGATION_LENGTH: usize = 23;
const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

/// State of the chain that transactions are admitted against.
pub trait TipState: Send + Sync + std::fmt::Debug {
    /// The newest published state, executed transactions of the open block included. Called without
    /// the pool's lock held. Cheap: it is called for every batch with an unknown sender.
    fn view(&self) -> Arc<dyn StateReader>;

    /// What the rollup charges for a transaction beyond gas at its fee cap. `encoded` is the EIP-2718
    /// encoding. Nothing under Ethereum rules.
    fn rollup_cost(&self, encoded: &[u8], gas_limit: u64) -> RollupCost {
        let _ = (encoded, gas_limit);
        RollupCost::default()
    }
}

/// What a rollup charges beyond gas, and by which size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RollupCost {
    /// L1 data fee and operator fee, wei.
    pub fee: u128,
    /// Estimated compressed size, millionths of a byte: the builder need not estimate it again.
    pub da_size: Option<u64>,
}

/// What the code of a sender means to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderCode {
    /// None: a plain account.
    Empty,
    /// A delegation designator (EIP-7702): may send, with a limit in flight.
    Delegated,
    /// A contract: may not send (EIP-3607).
    Contract,
}

/// Account of a sender as a state view showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderView {
    /// Nonce, balance, code hash; the default where there is no account.
    pub account: Account,
    /// Kind of the code.
    pub code: SenderCode,
}

impl SenderView {
    /// An account without code.
    pub const fn plain(account: Account) -> Self {
        Self { account, code: SenderCode::Empty }
    }

    /// Reads the account of a sender, and its code if there is any.
    pub fn read(view: &dyn StateReader, address: Address) -> Result<Self, ReadError> {
        let Some(account) = view.account(address)? else {
            return Ok(Self::plain(Account::default()));
        };
        if account.code_hash == KECCAK256_EMPTY {
            return Ok(Self::plain(account));
        }
        let code = view.code(account.code_hash)?;
        let delegated = code.len() == DELEGATION_LENGTH && code.starts_with(&DELEGATION_PREFIX);
        let code = match (code.is_empty(), delegated) {
            (true, _) => SenderCode::Empty,
            (false, true) => SenderCode::Delegated,
            (false, false) => SenderCode::Contract,
        };
        Ok(Self { account, code })
    }
}
