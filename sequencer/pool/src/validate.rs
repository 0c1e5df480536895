//! Checks that need no state: done on the recovery threads, before the costly recovery.

use alloy_consensus::{Transaction, TransactionEnvelope};
use alloy_eips::Typed2718;
use alloy_primitives::U256;
use cairn_primitives::{TxEnvelope, TxType};

use crate::{BlockConditions, PoolConfig, PoolError, intrinsic_gas};

/// Most bytes of init code (EIP-3860).
const MAX_INIT_CODE: usize = 49_152;
/// Most gas of one transaction from Osaka on (EIP-7825).
const MAX_TX_GAS: u64 = 16_777_216;
/// Least blob base fee there can be (EIP-4844).
const MIN_BLOB_FEE: u128 = 1;

/// Checks a decoded transaction against the rules of the next block, in geth's order, but for the
/// signature.
pub(crate) fn check_stateless(
    tx: &TxEnvelope,
    size: usize,
    conditions: &BlockConditions,
    config: &PoolConfig,
) -> Result<(), PoolError> {
    check_type(tx, conditions)?;
    check_size(size, config.max_tx_bytes)?;
    if conditions.shanghai && tx.is_create() && tx.input().len() > MAX_INIT_CODE {
        return Err(PoolError::InitCodeTooLarge { size: tx.input().len(), limit: MAX_INIT_CODE });
    }
    let gas_limit = tx.gas_limit();
    if conditions.osaka && gas_limit > MAX_TX_GAS {
        return Err(PoolError::GasLimitTooHigh { cap: MAX_TX_GAS, gas_limit });
    }
    if gas_limit > conditions.gas_limit {
        return Err(PoolError::ExceedsBlockGasLimit);
    }
    if tx.max_fee_per_gas() < tx.priority_fee_or_price() {
        return Err(PoolError::TipAboveFeeCap);
    }
    check_chain_id(tx, conditions, config)?;
    if tx.nonce() == u64::MAX {
        return Err(PoolError::NonceMax);
    }
    let needed = intrinsic_gas(tx, conditions);
    if gas_limit < needed.intrinsic {
        return Err(PoolError::IntrinsicGas { gas_limit, needed: needed.intrinsic });
    }
    if gas_limit < needed.floor {
        return Err(PoolError::FloorDataGas { gas_limit, needed: needed.floor });
    }
    let tip_cap = tx.priority_fee_or_price();
    if tip_cap < config.min_tip {
        return Err(PoolError::TipTooLow { tip_cap, minimum: config.min_tip });
    }
    check_lists(tx, conditions)
}

/// Checks what the transaction may pay for gas, blobs left out, against the node's cap.
pub(crate) fn check_fee(tx: &TxEnvelope, config: &PoolConfig) -> Result<(), PoolError> {
    let cap = U256::from(config.fee_cap_wei);
    let fee = U256::from(tx.gas_limit()).saturating_mul(U256::from(tx.max_fee_per_gas()));
    if cap.is_zero() || fee <= cap { Ok(()) } else { Err(PoolError::FeeAboveCap { fee, cap }) }
}

/// Checks the encoded size; done before decoding as well.
pub(crate) const fn check_size(size: usize, limit: usize) -> Result<(), PoolError> {
    if size > limit { Err(PoolError::Oversized { size, limit }) } else { Ok(()) }
}

fn check_type(tx: &TxEnvelope, conditions: &BlockConditions) -> Result<(), PoolError> {
    let accepted = match tx.tx_type() {
        TxType::Legacy => true,
        TxType::Eip2930 => conditions.berlin,
        TxType::Eip1559 => conditions.london,
        TxType::Eip4844 => conditions.max_blobs > 0,
        TxType::Eip7702 => conditions.prague,
        TxType::Deposit => false,
    };
    if accepted { Ok(()) } else { Err(PoolError::TypeNotSupported { ty: tx.ty() }) }
}

fn check_chain_id(
    tx: &TxEnvelope,
    conditions: &BlockConditions,
    config: &PoolConfig,
) -> Result<(), PoolError> {
    match tx.chain_id() {
        Some(have) if have != conditions.chain_id => {
            Err(PoolError::InvalidChainId { have, want: conditions.chain_id })
        }
        None if !config.allow_unprotected => Err(PoolError::Unprotected),
        _ => Ok(()),
    }
}

fn check_lists(tx: &TxEnvelope, conditions: &BlockConditions) -> Result<(), PoolError> {
    if let Some(fee_cap) = tx.max_fee_per_blob_gas() {
        if fee_cap < MIN_BLOB_FEE {
            return Err(PoolError::BlobFeeTooLow { fee_cap, minimum: MIN_BLOB_FEE });
        }
        let count = tx.blob_versioned_hashes().map_or(0, <[_]>::len);
        if count == 0 {
            return Err(PoolError::NoBlobs);
        }
        if count > conditions.max_blobs {
            return Err(PoolError::TooManyBlobs { count, limit: conditions.max_blobs });
        }
    }
    if tx.authorization_list().is_some_and(<[_]>::is_empty) {
        return Err(PoolError::NoAuthorization);
    }
    Ok(())
}
