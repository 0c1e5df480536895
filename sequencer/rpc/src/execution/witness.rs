//! `debug_executionWitness`: everything that it takes to execute a block without the state, in the
//! shape of reth and geth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, U256, address};
use cairn_chain::BlockRef;
use cairn_evm::{BlockDiff, BlockError, BlockExecutor};
use cairn_primitives::{Account, ReadError, RecoveredBlock, StateReader};
use cairn_state::{StateView, TouchedAccount};
use serde::Serialize;

use super::caller::Caller;
use crate::{Args, Backend, BlockParam, RpcError, block_ref};

/// Its storage root stands in the header since Isthmus, whether the block touches it or not.
const MESSAGE_PASSER: Address = address!("0x4200000000000000000000000000000000000016");

/// Answer of `debug_executionWitness`.
#[derive(Debug, Serialize)]
pub(super) struct ExecutionWitness {
    /// Trie nodes of the parent's state, in no order that means anything.
    state: Vec<Bytes>,
    /// Code that runs or is looked at.
    codes: Vec<Bytes>,
    /// Addresses and slots whose hashes are the keys in the tries.
    keys: Vec<Bytes>,
    /// Headers in RLP, oldest first: the parent, and its ancestors as far as BLOCKHASH looks.
    headers: Vec<Bytes>,
}

/// The witness of a block, by number, tag or hash.
pub(super) fn execution_witness(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<ExecutionWitness, RpcError> {
    let param = args.required::<BlockParam>(0)?.0;
    let block = backend.chain.block(block_ref(param))?;
    let block = block.ok_or_else(|| RpcError::server("block not found"))?;
    let parent = BlockRef::Hash(block.header().parent_hash);
    let state = backend.chain.state_at(parent)?;
    let state = state.ok_or_else(|| RpcError::server("the block has no parent"))?;
    let recorder = Recorder { state: state.clone(), reads: Arc::default() };
    let diff = execute(backend, &block, &recorder, caller)?;
    let reads = std::mem::take(&mut *recorder.reads());
    let touched = touched(&reads, &diff);
    let mut keys: Vec<Bytes> = Vec::new();
    for account in &touched {
        keys.push(account.address.to_vec().into());
        keys.extend(account.slots.iter().map(|(slot, _)| slot.to_be_bytes_vec().into()));
    }
    Ok(ExecutionWitness {
        state: state.witness(&touched)?.into_values().collect(),
        codes: reads.codes.into_values().collect(),
        keys,
        headers: headers(backend, &block, reads.oldest)?,
    })
}

/// Executes the block again, noting what it reads.
fn execute(
    backend: &Backend,
    block: &RecoveredBlock,
    recorder: &Recorder,
    caller: &Caller,
) -> Result<BlockDiff, RpcError> {
    let deadline = caller.deadline(backend.config.methods.evm_timeout);
    let failed = |error: BlockError| RpcError::internal(error);
    let (evm, header) = (backend.chain.evm(), block.header());
    let mut executor = BlockExecutor::new(evm, evm.env(header), recorder.clone());
    executor.begin(header.parent_hash, header.parent_beacon_block_root).map_err(failed)?;
    for (tx, sender) in block.transactions_with_sender() {
        deadline.check()?;
        executor.execute(tx, sender, tx.encoded_2718().into()).map_err(RpcError::internal)?;
    }
    let withdrawals = block.body().withdrawals.as_deref().map(Vec::as_slice);
    Ok(executor.finish(&block.body().ommers, withdrawals).map_err(failed)?.diff)
}

/// Everything that the block reads or changes.
fn touched(reads: &Reads, diff: &BlockDiff) -> Vec<TouchedAccount> {
    let mut all: BTreeMap<Address, (bool, BTreeMap<U256, bool>)> = BTreeMap::new();
    all.entry(MESSAGE_PASSER).or_default();
    for address in &reads.accounts {
        all.entry(*address).or_default();
    }
    for (address, slot) in &reads.slots {
        all.entry(*address).or_default().1.insert(*slot, false);
    }
    for account in &diff.accounts {
        let entry = all.entry(account.address).or_default();
        entry.0 = account.after.is_none();
        for (slot, _, after) in &account.storage {
            entry.1.insert(*slot, after.is_zero());
        }
    }
    let account = |(address, (removed, slots)): (Address, (bool, BTreeMap<U256, bool>))| {
        TouchedAccount { address, removed, slots: slots.into_iter().collect() }
    };
    all.into_iter().map(account).collect()
}

/// The parent's header and those before it, down to `oldest`.
fn headers(
    backend: &Backend,
    block: &RecoveredBlock,
    oldest: Option<u64>,
) -> Result<Vec<Bytes>, RpcError> {
    let parent = block.number().saturating_sub(1);
    let first = oldest.unwrap_or(parent).min(parent);
    (first..=parent)
        .map(|number| {
            let header = backend.chain.header(BlockRef::Number(number))?;
            let (_, header) = header.ok_or_else(RpcError::header_not_found)?;
            Ok(alloy_rlp::encode(header).into())
        })
        .collect()
}

/// What was read.
#[derive(Debug, Default)]
struct Reads {
    accounts: BTreeSet<Address>,
    slots: BTreeSet<(Address, U256)>,
    codes: BTreeMap<B256, Bytes>,
    /// The oldest block whose hash was asked for and is there.
    oldest: Option<u64>,
}

/// A state that notes what is read of it.
#[derive(Debug, Clone)]
struct Recorder {
    state: StateView,
    reads: Arc<Mutex<Reads>>,
}

impl Recorder {
    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateReader for Recorder {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        self.reads().accounts.insert(address);
        self.state.account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        self.reads().slots.insert((address, slot));
        self.state.storage(address, slot)
    }

    fn has_storage(&self, address: Address) -> Result<bool, ReadError> {
        self.reads().accounts.insert(address);
        self.state.has_storage(address)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        let code = self.state.code(code_hash)?;
        self.reads().codes.insert(code_hash, code.clone());
        Ok(code)
    }

    fn block_hash(&self, number: u64) -> Result<B256, ReadError> {
        let hash = self.state.block_hash(number)?;
        if !hash.is_zero() {
            let mut reads = self.reads();
            reads.oldest = Some(reads.oldest.map_or(number, |oldest| oldest.min(number)));
        }
        Ok(hash)
    }
}
