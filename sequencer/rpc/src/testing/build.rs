//! Building one block on any parent, without touching the chain.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Transaction};
use alloy_eips::eip7685::{EMPTY_REQUESTS_HASH, Requests};
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, Bytes, U256};
use alloy_rlp::Encodable;
use cairn_chain::{BlockRef, Execution, ordered_root};
use cairn_evm::revm_types::InvalidTransaction;
use cairn_evm::{BlockAttributes, BlockExecutor, TxError};
use cairn_pool::{decode_canonical, recover_sender};
use cairn_primitives::{Block, BlockBody, Header, RecoveredBlock, TxEnvelope};
use cairn_state::StateView;

use super::Plan;
use crate::{Backend, RpcError};

/// Gas limit that blocks under Ethereum rules move towards, as geth's miner does by default.
const GAS_LIMIT_TARGET: u64 = 60_000_000;
/// The gas limit moves by less than this share of the parent's.
const GAS_LIMIT_DIVISOR: u64 = 1024;

/// A block that was built.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) block: RecoveredBlock,
    /// Tips of all transactions, wei.
    pub(super) value: U256,
    pub(super) requests: Requests,
    pub(super) encoded: Vec<Bytes>,
}

/// Transactions that a block took.
#[derive(Debug, Default)]
struct Taken {
    transactions: Vec<TxEnvelope>,
    senders: Vec<Address>,
    encoded: Vec<Bytes>,
    value: U256,
}

/// Executes the plan on the state of its parent.
pub(super) fn build(backend: &Backend, plan: &Plan) -> Result<Built, RpcError> {
    let at = BlockRef::Hash(plan.parent);
    let parent = backend.chain.header(at)?.map(|(_, header)| header);
    let (Some(parent), Some(state)) = (parent, backend.chain.state_at(at)?) else {
        return Err(RpcError::server("unknown parent"));
    };
    if plan.timestamp <= parent.timestamp {
        let (given, parent) = (plan.timestamp, parent.timestamp);
        return Err(RpcError::server(format!("invalid timestamp, parent {parent} given {given}")));
    }
    let attributes = BlockAttributes {
        timestamp: plan.timestamp,
        fee_recipient: plan.fee_recipient,
        prev_randao: plan.prev_randao,
        gas_limit: gas_limit(backend, &parent),
        parent_beacon_block_root: plan.parent_beacon_block_root,
        extra_data: plan.extra_data.clone(),
    };
    let evm = backend.chain.evm();
    let env = evm.next_env(&parent, &attributes).map_err(RpcError::internal)?;
    let base_fee = env.block().basefee;
    let mut executor = BlockExecutor::new(evm, env, state.clone());
    let begun = executor.begin(plan.parent, plan.parent_beacon_block_root);
    begun.map_err(RpcError::internal)?;
    let taken = match &plan.transactions {
        Some(raws) => forced(&mut executor, raws, base_fee)?,
        None => from_pool(backend, &mut executor, base_fee),
    };
    let outcome = executor.finish(&[], plan.withdrawals.as_deref()).map_err(RpcError::internal)?;
    let execution = Execution::new(backend.spec(), plan.timestamp, outcome, &state)?;
    Ok(seal(backend, plan, &parent, &attributes, taken, execution))
}

fn gas_limit(backend: &Backend, parent: &Header) -> u64 {
    if backend.spec().is_optimism() {
        return parent.gas_limit;
    }
    let step = (parent.gas_limit / GAS_LIMIT_DIVISOR).saturating_sub(1);
    GAS_LIMIT_TARGET
        .clamp(parent.gas_limit.saturating_sub(step), parent.gas_limit.saturating_add(step))
}

/// Takes all given transactions, or none.
fn forced(
    executor: &mut BlockExecutor<StateView>,
    raws: &[Bytes],
    base_fee: u64,
) -> Result<Taken, RpcError> {
    let mut taken = Taken::default();
    for raw in raws {
        let (tx, _) = decode_canonical(raw)?;
        let sender = recover_sender(&tx)?;
        let added = taken.add(executor, tx, sender, raw.clone(), base_fee);
        added.map_err(|error| refused(sender, error))?;
    }
    Ok(taken)
}

/// Takes what fits of the executable transactions of the pool.
fn from_pool(backend: &Backend, executor: &mut BlockExecutor<StateView>, base_fee: u64) -> Taken {
    let mut taken = Taken::default();
    let content = backend.pool.read(|pool| pool.content());
    for sender in content.into_values() {
        for tx in sender.pending {
            let (envelope, encoded) = (tx.envelope().clone(), tx.encoded().clone());
            // What follows a transaction that does not fit cannot fit either.
            if taken.add(executor, envelope, tx.sender(), encoded, base_fee).is_err() {
                break;
            }
        }
    }
    taken
}

impl Taken {
    fn add(
        &mut self,
        executor: &mut BlockExecutor<StateView>,
        tx: TxEnvelope,
        sender: Address,
        encoded: Bytes,
        base_fee: u64,
    ) -> Result<(), TxError> {
        let outcome = executor.execute(&tx, sender, encoded.clone())?;
        let tip = tx.effective_tip_per_gas(base_fee).unwrap_or(0);
        self.value =
            self.value.saturating_add(U256::from(tip).saturating_mul(U256::from(outcome.gas_used)));
        self.transactions.push(tx);
        self.senders.push(sender);
        self.encoded.push(encoded);
        Ok(())
    }
}

/// geth's words for a transaction that cannot be part of the block.
fn refused(sender: Address, error: TxError) -> RpcError {
    if error.is_fatal() {
        return RpcError::internal(error);
    }
    RpcError::server(match error {
        TxError::Invalid(InvalidTransaction::NonceTooHigh { tx, state }) => {
            format!("nonce too high: address {sender}, tx: {tx} state: {state}")
        }
        TxError::Invalid(InvalidTransaction::NonceTooLow { tx, state }) => {
            format!("nonce too low: address {sender}, tx: {tx} state: {state}")
        }
        other => other.to_string(),
    })
}

fn seal(
    backend: &Backend,
    plan: &Plan,
    parent: &Header,
    attributes: &BlockAttributes,
    taken: Taken,
    execution: Execution,
) -> Built {
    let spec = backend.spec();
    let (number, time) = (parent.number + 1, plan.timestamp);
    let (shanghai, cancun, prague) = (
        spec.is_shanghai_active_at_timestamp(time),
        spec.is_cancun_active_at_timestamp(time),
        spec.is_prague_active_at_timestamp(time),
    );
    let withdrawals = shanghai.then(|| plan.withdrawals.clone().unwrap_or_default());
    let withdrawals_root = withdrawals.as_deref().map(|list| {
        execution
            .message_passer_root
            .unwrap_or_else(|| ordered_root(list, |item, out| item.encode(out)))
    });
    let requests_hash = if spec.is_optimism() {
        EMPTY_REQUESTS_HASH
    } else {
        execution.outcome.requests.requests_hash()
    };
    let excess_blob_gas =
        spec.blob_params(time).and_then(|params| parent.next_block_excess_blob_gas(params));
    let header = Header {
        parent_hash: plan.parent,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: plan.fee_recipient,
        state_root: execution.update.root(),
        transactions_root: ordered_root(&taken.encoded, |raw, out| out.extend_from_slice(raw)),
        receipts_root: execution.receipts_root,
        logs_bloom: execution.logs_bloom,
        difficulty: U256::ZERO,
        number,
        gas_limit: attributes.gas_limit,
        gas_used: execution.outcome.gas_used,
        timestamp: time,
        extra_data: plan.extra_data.clone(),
        mix_hash: plan.prev_randao,
        base_fee_per_gas: spec.next_base_fee(parent, time).ok().flatten(),
        withdrawals_root,
        blob_gas_used: cancun.then_some(execution.outcome.blob_gas_used),
        excess_blob_gas: cancun.then(|| excess_blob_gas.unwrap_or(0)),
        parent_beacon_block_root: plan.parent_beacon_block_root.filter(|_| cancun),
        requests_hash: prague.then_some(requests_hash),
        ..Header::default()
    };
    let body = BlockBody {
        transactions: taken.transactions,
        ommers: Vec::new(),
        withdrawals: withdrawals.map(Into::into),
    };
    Built {
        block: RecoveredBlock::new(Block { header, body }, taken.senders),
        value: taken.value,
        requests: execution.outcome.requests,
        encoded: taken.encoded,
    }
}
