//! Execution of simulated blocks, one on top of the other.

use std::sync::Arc;

use alloy_primitives::map::AddressSet;
use alloy_primitives::{B256, U256};
use cairn_evm::revm_types::CacheDB;
use cairn_evm::trace::TransferLogs;
use cairn_evm::{Env, EvmConfig, StateDb};
use cairn_primitives::{ChainSpec, Header, Receipt};
use cairn_state::StateView;
use serde_json::value::{RawValue, to_raw_value};

use super::order::{PlannedBlock, plan};
use super::response::{CallResult, SimulatedBlock};
use super::transaction::UnsignedTx;
use super::{BlockCalls, Request, block};
use crate::execution::caller::Deadline;
use crate::execution::context::{self, CallDb};
use crate::execution::state_override::{self, PrecompileChanges};
use crate::{Backend, RpcError, StateAt};

/// Simulated blocks so far.
pub(super) struct Simulator {
    pub(super) evm: EvmConfig,
    pub(super) spec: Arc<ChainSpec>,
    pub(super) base: StateView,
    pub(super) db: CallDb,
    /// Accounts that overrides made and that are empty. They stay until a call touches them.
    pub(super) empty: AddressSet,
    pub(super) parent: Header,
    pub(super) parent_hash: B256,
    /// Gas that all calls together have left.
    pub(super) gas_left: u64,
    pub(super) deadline: Deadline,
    /// Bytes that the answer may still take, roughly.
    pub(super) bytes_left: usize,
    pub(super) transfers: bool,
    pub(super) validation: bool,
    pub(super) full: bool,
}

/// A block in the making.
pub(super) struct Open {
    pub(super) header: Header,
    pub(super) env: Env,
    pub(super) precompiles: PrecompileChanges,
    pub(super) logs: TransferLogs,
    pub(super) gas_used: u64,
    pub(super) blob_gas_used: u64,
    pub(super) transactions: Vec<UnsignedTx>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) calls: Vec<CallResult>,
}

impl Simulator {
    pub(super) fn new(
        backend: &Backend,
        at: StateAt,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Self, RpcError> {
        let cap = backend.config.methods.gas_cap;
        let response_bytes = backend.config.limits.response_bytes;
        Ok(Self {
            evm: backend.chain.evm().clone(),
            spec: backend.spec().clone(),
            db: CacheDB::new(StateDb(at.state.clone())),
            base: at.state,
            empty: AddressSet::default(),
            parent_hash: at.hash.ok_or_else(RpcError::header_not_found)?,
            parent: at.header,
            gas_left: if cap == 0 { u64::MAX } else { cap },
            deadline,
            bytes_left: usize::try_from(response_bytes).unwrap_or(usize::MAX),
            transfers: request.trace_transfers.unwrap_or(false),
            validation: request.validation.unwrap_or(false),
            full: request.return_full_transactions.unwrap_or(false),
        })
    }

    pub(super) fn run(mut self, blocks: Vec<BlockCalls>) -> Result<Box<RawValue>, RpcError> {
        let blocks = plan(blocks, self.parent.number, self.parent.timestamp)?;
        let mut answers = Vec::with_capacity(blocks.len());
        for planned in blocks {
            let block = self.block(planned)?;
            answers.push(block.to_json(self.full)?);
            (self.parent, self.parent_hash) = (block.header, block.hash);
        }
        to_raw_value(&answers).map_err(RpcError::internal)
    }

    fn block(&mut self, planned: PlannedBlock) -> Result<SimulatedBlock, RpcError> {
        // Blocks without calls take time too.
        self.deadline.check()?;
        let mut open = self.open(&planned)?;
        self.begin(&open)?;
        for args in planned.calls {
            self.deadline.check()?;
            self.call(&mut open, args)?;
        }
        self.close(open, planned.overrides.withdrawals.unwrap_or_default())
    }

    fn open(&mut self, planned: &PlannedBlock) -> Result<Open, RpcError> {
        let parent_number = U256::from(self.parent.number);
        self.db.cache.block_hashes.insert(parent_number, self.parent_hash);
        let header =
            block::header(&self.spec, &self.parent, self.parent_hash, planned, self.validation)?;
        let mut env = self.evm.env(&header).relaxed_for_calls();
        planned.overrides.apply_blob_fee(&mut env)?;
        let active = context::active_precompiles(&self.evm, &mut self.db, &env);
        let precompiles =
            state_override::apply(&planned.state, &mut self.db, &active, &mut self.empty)?;
        Ok(Open {
            header,
            env,
            precompiles,
            logs: TransferLogs::new(self.transfers),
            gas_used: 0,
            blob_gas_used: 0,
            transactions: Vec::new(),
            receipts: Vec::new(),
            calls: Vec::new(),
        })
    }

    /// System calls before the first call.
    fn begin(&mut self, open: &Open) -> Result<(), RpcError> {
        let mut vm = self.evm.vm(&mut self.db, open.env.clone());
        let root = open.header.parent_beacon_block_root;
        vm.begin_block(&self.spec, self.parent_hash, root).map_err(RpcError::internal)
    }
}
