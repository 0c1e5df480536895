//! Whether a sender may send a transaction and can pay for it.

use alloy_primitives::U256;

use crate::sender::{Known, Sender};
use crate::{PoolError, PoolTransaction, SenderCode};

/// Checks a transaction against the account of its sender alone.
pub(super) fn check_account(
    tx: &PoolTransaction,
    known: &Known,
    code: SenderCode,
) -> Result<(), PoolError> {
    let nonce = tx.nonce();
    if nonce < known.nonce {
        return Err(PoolError::NonceTooLow { next: known.nonce, nonce });
    }
    if code == SenderCode::Contract {
        let (address, code_hash) = (tx.sender(), known.code_hash);
        return Err(PoolError::SenderNotEoa { address, code_hash });
    }
    let cost = cost(tx);
    if known.balance < cost {
        return Err(PoolError::InsufficientFunds { balance: known.balance, cost });
    }
    Ok(())
}

/// Whether the sender can pay for this transaction together with the executable ones. One behind a
/// gap is not asked: what comes before it, and with what balance, is not known yet.
pub(super) fn check_expenditure(
    tx: &PoolTransaction,
    known: &Known,
    sender: &Sender,
) -> Result<(), PoolError> {
    let (balance, queued, cost) = (known.balance, sender.run_cost(), cost(tx));
    match sender.find(tx.nonce()) {
        // Refused for its nonce later.
        Ok(position) if sender.is_in_flight(position) => Ok(()),
        Ok(position) if position < sender.run() => {
            let bump = cost.saturating_sub(sender.txs()[position].cost());
            if exceeds(queued, bump, balance) {
                return Err(PoolError::ReplacementOverdraft { balance, queued, bump });
            }
            Ok(())
        }
        _ if sender.next_nonce() == Some(tx.nonce()) && exceeds(queued, cost, balance) => {
            Err(PoolError::Overdraft { balance, queued, cost })
        }
        _ => Ok(()),
    }
}

fn exceeds(queued: U256, more: U256, balance: U256) -> bool {
    queued.checked_add(more).is_none_or(|total| total > balance)
}

fn cost(tx: &PoolTransaction) -> U256 {
    tx.cost().saturating_add(U256::from(tx.rollup_fee()))
}
