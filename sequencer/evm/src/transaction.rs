//! From our transactions to the EVM's transaction environment.

use alloy_consensus::Typed2718;
use alloy_evm::FromRecoveredTx;
use alloy_op_evm::OpTx;
use alloy_primitives::{Address, Bytes};
use cairn_primitives::TxEnvelope;
use op_revm::OpTransaction;
use op_revm::transaction::deposit::DepositTransactionParts;
use revm::context::TxEnv;

/// A transaction as [`Vm`](crate::Vm) takes it, under either rule set.
pub type TxRequest = OpTx;

/// The environment of a signed transaction or deposit.
///
/// `encoded` is its EIP-2718 form, over which OP rules charge the L1 data fee. A deposit pays no
/// such fee, and Ethereum rules ignore it.
pub fn tx_env(tx: &TxEnvelope, sender: Address, encoded: Bytes) -> TxRequest {
    let mut deposit = DepositTransactionParts::default();
    let base = match tx {
        TxEnvelope::Legacy(tx) => TxEnv::from_recovered_tx(tx.tx(), sender),
        TxEnvelope::Eip2930(tx) => TxEnv::from_recovered_tx(tx.tx(), sender),
        TxEnvelope::Eip1559(tx) => TxEnv::from_recovered_tx(tx.tx(), sender),
        TxEnvelope::Eip4844(tx) => TxEnv::from_recovered_tx(tx.tx(), sender),
        TxEnvelope::Eip7702(tx) => TxEnv::from_recovered_tx(tx.tx(), sender),
        TxEnvelope::Deposit(tx) => {
            deposit = DepositTransactionParts {
                source_hash: tx.source_hash,
                mint: Some(tx.mint),
                is_system_transaction: tx.is_system_transaction,
            };
            TxEnv {
                tx_type: tx.ty(),
                caller: sender,
                gas_limit: tx.gas_limit,
                kind: tx.to,
                value: tx.value,
                data: tx.input.clone(),
                ..TxEnv::default()
            }
        }
    };
    OpTx(OpTransaction { base, enveloped_tx: Some(encoded), deposit })
}
