//! Block execution under either rule set.
//!
//! Order of a block: system calls ([`BlockExecutor::begin`]), transactions in order
//! ([`BlockExecutor::execute`]), then withdrawals, rewards and requests
//! ([`BlockExecutor::finish`]). A transaction that fails with a [`TxError`] leaves no trace, so a
//! builder may go on with the next one; for an importer the block is invalid.

mod block_state;
mod hardforks;
mod outcome;
mod receipt;

use alloy_consensus::Transaction;
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7685::Requests;
use alloy_evm::Evm;
use alloy_evm::block::SystemCaller;
use alloy_evm::block::state_changes::post_block_balance_increments;
use alloy_evm::eth::eip6110;
use alloy_hardforks::EthereumHardforks;
use alloy_op_hardforks::OpHardforks;
use alloy_primitives::{Address, B256, Bytes};
use cairn_primitives::{Header, Receipt, StateReader, TxEnvelope};
use op_revm::L1BlockInfo;
use op_revm::constants::L1_BLOCK_CONTRACT;
use revm::context::result::ResultAndState;
use revm::database::DatabaseCommitExt;
use revm::inspector::NoOpInspector;
use revm::{Database, DatabaseCommit};

use self::block_state::BlockState;
use self::hardforks::ExecutionSpec;
pub use self::outcome::{BlockOutcome, TxOutcome, TxStatus};
use crate::diff::deltas;
use crate::{
    AccountDelta, BlockDiff, BlockError, DaSize, Env, EvmConfig, TxError, Vm, VmDbError, tx_env,
};

/// Executes the transactions of one block on top of its parent's state.
#[expect(missing_debug_implementations, reason = "revm's context has no Debug")]
pub struct BlockExecutor<R: StateReader> {
    spec: ExecutionSpec,
    vm: Vm<BlockState<R>, NoOpInspector>,
    receipts: Vec<Receipt>,
    gas_used: u64,
    blob_gas_used: u64,
    footprint_scalar: Option<u64>,
}

impl<R: StateReader> BlockExecutor<R> {
    /// Starts a block in `env` on the state of its parent.
    pub fn new(config: &EvmConfig, env: Env, parent_state: R) -> Self {
        let storage_only = config.spec().may_have_storage_only_accounts();
        let state = BlockState::new(parent_state, storage_only);
        Self {
            spec: ExecutionSpec(config.spec().clone()),
            vm: config.vm(state, env),
            receipts: Vec::new(),
            gas_used: 0,
            blob_gas_used: 0,
            footprint_scalar: None,
        }
    }

    /// Runs the system calls before the first transaction (EIP-2935, EIP-4788).
    pub fn begin(
        &mut self,
        parent_hash: B256,
        parent_beacon_block_root: Option<B256>,
    ) -> Result<(), BlockError> {
        let mut caller = SystemCaller::new(self.spec.clone());
        match &mut self.vm {
            Vm::Ethereum(evm) => {
                before_transactions(&mut caller, evm, parent_hash, parent_beacon_block_root)
            }
            Vm::Optimism(evm) => {
                before_transactions(&mut caller, evm, parent_hash, parent_beacon_block_root)
            }
        }
    }

    /// What the system calls before the first transaction have changed. Transactions tell it
    /// themselves.
    pub fn begun(&mut self) -> Vec<AccountDelta> {
        self.vm.db_mut().deltas()
    }

    /// Executes one transaction and keeps its changes. `encoded` is its EIP-2718 form.
    pub fn execute(
        &mut self,
        tx: &TxEnvelope,
        sender: Address,
        encoded: Bytes,
    ) -> Result<TxOutcome, TxError> {
        self.execute_sized(tx, sender, encoded, None)
    }

    /// [`Self::execute`] for a caller that may have estimated the size of `encoded` before.
    pub fn execute_sized(
        &mut self,
        tx: &TxEnvelope,
        sender: Address,
        encoded: Bytes,
        size: Option<DaSize>,
    ) -> Result<TxOutcome, TxError> {
        self.check_type(tx)?;
        self.check_block_gas(tx)?;
        let footprint = self.check_da(tx, &encoded, size)?;
        let deposit_nonce = self.deposit_nonce(tx, sender)?;
        let ResultAndState { result, state } = self.vm.transact(tx_env(tx, sender, encoded))?;

        let gas_used = result.tx_gas_used();
        self.gas_used = self.gas_used.saturating_add(gas_used);
        self.blob_gas_used = self.blob_gas_used.saturating_add(footprint);
        let deltas = deltas(&state, self.removes_empty_accounts());
        let outcome = TxOutcome::new(&result, gas_used, deltas);
        self.receipts.push(receipt::build(
            tx,
            result,
            self.gas_used,
            deposit_nonce,
            self.is_canyon(),
        ));
        self.vm.db_mut().commit(state);
        Ok(outcome)
    }

    /// Receipts so far.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Gas used so far.
    pub const fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// Gas that the block has left.
    pub fn gas_left(&self) -> u64 {
        self.vm.block().gas_limit.saturating_sub(self.gas_used)
    }

    /// Ends the block: withdrawals, rewards and, from Prague on, requests.
    pub fn finish(
        mut self,
        ommers: &[Header],
        withdrawals: Option<&[Withdrawal]>,
    ) -> Result<BlockOutcome, BlockError> {
        let requests = self.requests()?;
        let increments =
            post_block_balance_increments(&self.spec, self.vm.block().clone(), ommers, withdrawals);
        let state = self.vm.db_mut();
        state.increment_balances(increments).map_err(|e| BlockError::Read(e.into_read_error()))?;
        Ok(BlockOutcome { requests, ..self.finish_transactions() })
    }

    /// Ends a block whose changes the caller has collected from its transactions: of an OP chain,
    /// where nothing comes after them. The diff stays empty. What is left is large, and may be
    /// freed elsewhere.
    pub fn finish_collected(mut self) -> (BlockOutcome, impl Send + use<R>)
    where
        R: Send,
    {
        debug_assert!(self.spec.0.is_optimism(), "Ethereum pays withdrawals and rewards");
        let outcome = BlockOutcome {
            receipts: std::mem::take(&mut self.receipts),
            requests: Requests::default(),
            gas_used: self.gas_used,
            blob_gas_used: self.blob_gas_used,
            diff: BlockDiff::default(),
        };
        (outcome, self.vm.into_parts().0)
    }

    /// Ends the execution with the last transaction: no withdrawals, rewards or requests. The state
    /// tests judge a transaction alone.
    pub fn finish_transactions(self) -> BlockOutcome {
        let (state, _) = self.vm.into_parts();
        BlockOutcome {
            receipts: self.receipts,
            requests: Requests::default(),
            gas_used: self.gas_used,
            blob_gas_used: self.blob_gas_used,
            diff: state.into_diff(),
        }
    }

    fn requests(&mut self) -> Result<Requests, BlockError> {
        let mut requests = Requests::default();
        // OP chains have Prague but no request contracts: their list is empty by definition.
        let Vm::Ethereum(evm) = &mut self.vm else {
            return Ok(requests);
        };
        if !self.spec.is_prague(evm.block().timestamp.saturating_to()) {
            return Ok(requests);
        }
        let failed = |e: &dyn std::fmt::Display| BlockError::SystemCall(e.to_string());
        let receipts = self.receipts.iter().map(|receipt| &receipt.inner);
        let deposits =
            eip6110::parse_deposits_from_receipts(&self.spec, receipts).map_err(|e| failed(&e))?;
        if !deposits.is_empty() {
            requests.push_request_with_type(eip6110::DEPOSIT_REQUEST_TYPE, deposits);
        }
        SystemCaller::new(self.spec.clone())
            .append_post_execution_changes(evm, &mut requests)
            .map_err(|e| failed(&e))?;
        Ok(requests)
    }

    /// Nonce of a deposit's sender before it runs, which its receipt holds since Regolith.
    fn deposit_nonce(&mut self, tx: &TxEnvelope, sender: Address) -> Result<Option<u64>, TxError> {
        if !tx.is_deposit_tx() || !self.spec.0.is_regolith_active_at_timestamp(self.timestamp()) {
            return Ok(None);
        }
        let account =
            self.vm.db_mut().basic(sender).map_err(|e| TxError::Read(e.into_read_error()))?;
        Ok(Some(account.map_or(0, |account| account.nonce)))
    }

    fn check_type(&self, tx: &TxEnvelope) -> Result<(), TxError> {
        let supported = match tx {
            TxEnvelope::Deposit(_) => self.spec.0.is_optimism(),
            TxEnvelope::Eip4844(_) => !self.spec.0.is_optimism(),
            _ => true,
        };
        if supported { Ok(()) } else { Err(TxError::TypeNotSupported) }
    }

    fn check_block_gas(&self, tx: &TxEnvelope) -> Result<(), TxError> {
        let (wanted, available) = (tx.gas_limit(), self.gas_left());
        if wanted > available {
            return Err(TxError::BlockGasExhausted { wanted, available });
        }
        Ok(())
    }

    /// What the transaction's data takes and costs, its size estimated at most once. Gives the blob
    /// gas of a blob transaction, or the DA footprint since Jovian.
    fn check_da(
        &mut self,
        tx: &TxEnvelope,
        encoded: &Bytes,
        size: Option<DaSize>,
    ) -> Result<u64, TxError> {
        let Vm::Optimism(evm) = &mut self.vm else {
            return Ok(tx.blob_gas_used().unwrap_or(0));
        };
        let timestamp = evm.block().timestamp.saturating_to();
        if tx.is_deposit_tx() || !self.spec.0.is_fjord_active_at_timestamp(timestamp) {
            return Ok(0);
        }
        let size = size.unwrap_or_else(|| DaSize::estimate(encoded));
        let number = evm.block().number;
        let info = &mut evm.ctx_mut().chain;
        // The attributes of an earlier block are read anew by the transaction itself.
        if info.l2_block == Some(number) {
            info.tx_l1_cost = Some(size.l1_fee(info));
        }
        if !self.spec.0.is_jovian_active_at_timestamp(timestamp) {
            return Ok(0);
        }
        self.check_footprint(size)
    }

    fn check_footprint(&mut self, size: DaSize) -> Result<u64, TxError> {
        let wanted = size.bytes().saturating_mul(self.footprint_scalar()?);
        let limit = self.vm.block().gas_limit;
        if wanted > limit {
            return Err(TxError::FootprintTooLarge { wanted, limit });
        }
        let available = limit.saturating_sub(self.blob_gas_used);
        if wanted > available {
            return Err(TxError::BlockFootprintExhausted { wanted, available });
        }
        Ok(wanted)
    }

    /// The scalar that the L1-attributes transaction set. Only that transaction can change it, so
    /// it is read once, by the first transaction after the deposits.
    fn footprint_scalar(&mut self) -> Result<u64, TxError> {
        if let Some(scalar) = self.footprint_scalar {
            return Ok(scalar);
        }
        let state = self.vm.db_mut();
        state.basic(L1_BLOCK_CONTRACT).map_err(|e| TxError::Read(e.into_read_error()))?;
        let scalar: u64 = L1BlockInfo::fetch_da_footprint_gas_scalar(state)
            .map_err(|e| TxError::Read(e.into_read_error()))?
            .into();
        self.footprint_scalar = Some(scalar);
        Ok(scalar)
    }

    fn timestamp(&self) -> u64 {
        self.vm.block().timestamp.saturating_to()
    }

    fn removes_empty_accounts(&self) -> bool {
        self.spec.0.is_spurious_dragon_active_at_block(self.vm.block().number.saturating_to())
    }

    fn is_canyon(&self) -> bool {
        self.spec.0.is_canyon_active_at_timestamp(self.timestamp())
    }
}

fn before_transactions<E>(
    caller: &mut SystemCaller<ExecutionSpec>,
    evm: &mut E,
    parent_hash: B256,
    parent_beacon_block_root: Option<B256>,
) -> Result<(), BlockError>
where
    E: Evm<DB: DatabaseCommit>,
{
    caller
        .apply_blockhashes_contract_call(parent_hash, evm)
        .and_then(|()| caller.apply_beacon_root_contract_call(parent_beacon_block_root, evm))
        .map_err(|e| BlockError::SystemCall(e.to_string()))
}
