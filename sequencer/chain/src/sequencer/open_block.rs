//! The block that is being built.

use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::EMPTY_OMMER_ROOT_HASH;
use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_consensus::transaction::Recovered;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, B256, Bloom, Bytes};
use cairn_evm::{AccountDelta, BlockAttributes, BlockExecutor, DaSize, EvmConfig, TxError};
use cairn_pool::{Origin, PoolTransaction, Timestamp};
use cairn_primitives::{Account, Block, BlockBody, ChainSpec, Header, RecoveredBlock, TxEnvelope};
use cairn_state::{Delta, PendingLayers, StateView};

use super::attributes::PayloadAttributes;
use super::da_limit::da_size;
use super::root_ahead::{RootAhead, RootThread};
use crate::error::ChainError;
use crate::execute::Execution;
use crate::pending::PendingTx;
use crate::roots::OrderedRoot;
use crate::{BlockRef, Chain, ExecutedBlock};

/// An open block: executes transactions one after the other and keeps everything that sealing
/// needs, its transaction and receipt roots half built.
pub(super) struct OpenBlock {
    header: Header,
    deposits_only: bool,
    /// What its transactions take on L1, bytes.
    da_bytes: u64,
    executor: BlockExecutor<StateView>,
    parent_state: StateView,
    pending: PendingLayers,
    root_ahead: RootAhead,
    body: Vec<TxEnvelope>,
    senders: Vec<Address>,
    transactions_root: OrderedRoot,
    receipts_root: OrderedRoot,
    logs_bloom: Bloom,
    next_log: usize,
    /// Changes since the last publication.
    unpublished: Delta,
    buffer: Vec<u8>,
}

/// What is left of a block's execution. It is large: freeing it takes some milliseconds.
pub(super) type Remains = Box<dyn Send>;

/// What a transaction left behind, for the pool and for readers.
pub(super) struct Executed {
    pub(super) tx: Arc<PendingTx>,
    /// Its sender's account right after it.
    pub(super) sender: Account,
}

impl OpenBlock {
    /// Opens a block on the tip and executes its deposits.
    pub(super) fn new(
        chain: &Chain,
        parent_hash: B256,
        attributes: &PayloadAttributes,
    ) -> Result<(Self, Vec<Executed>), ChainError> {
        let (_, parent) = chain
            .header(BlockRef::Hash(parent_hash))?
            .ok_or(ChainError::UnknownBlock(parent_hash))?;
        let number = parent.number.saturating_add(1);
        let failed = |reason: String| ChainError::Build { number, reason };
        let header = header_template(chain.evm(), parent_hash, &parent, &attributes.block)
            .map_err(failed)?;
        let parent_state = chain.state_at_number(parent.number)?;
        let env =
            chain.evm().next_env(&parent, &attributes.block).map_err(|e| failed(e.to_string()))?;
        let mut executor = BlockExecutor::new(chain.evm(), env, parent_state.clone());
        executor
            .begin(parent_hash, header.parent_beacon_block_root)
            .map_err(|e| failed(e.to_string()))?;
        let mut open = Self {
            header,
            deposits_only: attributes.deposits_only,
            da_bytes: 0,
            executor,
            parent_state,
            pending: PendingLayers::new(),
            root_ahead: RootAhead::default(),
            body: Vec::new(),
            senders: Vec::new(),
            transactions_root: OrderedRoot::default(),
            receipts_root: OrderedRoot::default(),
            logs_bloom: Bloom::ZERO,
            next_log: 0,
            unpublished: Delta::new(),
            buffer: Vec::new(),
        };
        for delta in open.executor.begun() {
            add_delta(&mut open.unpublished, delta);
        }
        let mut executed = Vec::with_capacity(attributes.deposits.len());
        for deposit in &attributes.deposits {
            let TxEnvelope::Deposit(inner) = deposit else {
                return Err(failed("an attribute transaction is no deposit".into()));
            };
            let signed = Recovered::new_unchecked(deposit.clone(), inner.from);
            let tx = PoolTransaction::from_recovered(signed, Origin::Local, Timestamp::default());
            executed.push(open.execute(&tx).map_err(|e| failed(e.to_string()))?);
        }
        Ok((open, executed))
    }

    /// Executes a transaction as the block's next one. On an error nothing has changed.
    pub(super) fn execute(&mut self, tx: &PoolTransaction) -> Result<Executed, TxError> {
        let size = da_size(tx);
        let encoded = tx.encoded().clone();
        let outcome = self.executor.execute_sized(tx.envelope(), tx.sender(), encoded, size)?;
        self.da_bytes = self.da_bytes.saturating_add(size.map_or(0, DaSize::bytes));
        let index = self.body.len();
        self.transactions_root.push(tx.encoded());
        let receipt = self.executor.receipts()[index].clone();
        let bloom = receipt.bloom();
        self.logs_bloom |= bloom;
        self.buffer.clear();
        receipt.encode_2718_with_bloom(&bloom, &mut self.buffer);
        self.receipts_root.push(&self.buffer);
        let first_log = self.next_log;
        self.next_log = self.next_log.saturating_add(receipt.logs().len());
        self.body.push(tx.envelope().clone());
        self.senders.push(tx.sender());
        let mut sender = Account::default();
        for delta in outcome.deltas {
            if delta.address == tx.sender() {
                sender = delta.account.unwrap_or_default();
            }
            add_delta(&mut self.unpublished, delta);
        }
        let pending = PendingTx::new(tx, index, receipt, outcome.gas_used, first_log);
        Ok(Executed { tx: Arc::new(pending), sender })
    }

    /// State after all executed transactions, and what has changed in it since the last call. What is
    /// shown of it never changes again.
    pub(super) fn publish(&mut self) -> (StateView, Delta) {
        let changes = std::mem::take(&mut self.unpublished);
        self.pending.push(&changes);
        (self.pending.view(&self.parent_state), changes)
    }

    /// Works ahead on the state root if it is time: `left` of the block time is.
    pub(super) fn root_ahead(&mut self, thread: &RootThread, left: Duration, block_time: Duration) {
        let view = || self.pending.view(&self.parent_state);
        self.root_ahead.advance(thread, left, block_time, self.body.len(), view);
    }

    /// The header so far.
    pub(super) fn header(&self) -> Header {
        Header { gas_used: self.executor.gas_used(), ..self.header.clone() }
    }

    /// Whether the block holds nothing but its deposits.
    pub(super) const fn deposits_only(&self) -> bool {
        self.deposits_only
    }

    /// What its transactions take on L1, as Fjord estimates it.
    pub(super) const fn da_bytes(&self) -> u64 {
        self.da_bytes
    }

    pub(super) const fn number(&self) -> u64 {
        self.header.number
    }

    pub(super) const fn parent_hash(&self) -> B256 {
        self.header.parent_hash
    }

    pub(super) const fn gas_used(&self) -> u64 {
        self.executor.gas_used()
    }

    /// Ends the block: state root, header, hash.
    pub(super) fn seal(mut self, spec: &ChainSpec) -> Result<(ExecutedBlock, Remains), ChainError> {
        let shanghai = spec.is_shanghai_active_at_timestamp(self.header.timestamp);
        let mut header = std::mem::take(&mut self.header);
        let body = BlockBody {
            transactions: std::mem::take(&mut self.body),
            ommers: Vec::new(),
            withdrawals: shanghai.then(Default::default),
        };
        let senders = std::mem::take(&mut self.senders);
        let transactions_root = std::mem::take(&mut self.transactions_root).finish();
        let (execution, remains) = self.end(spec, &header)?;
        execution.complete(&mut header, spec, transactions_root);
        let block = RecoveredBlock::new(Block { header, body }, senders);
        Ok((execution.into_executed(block), remains))
    }

    /// All that execution gives. Under OP rules nothing changes after the last transaction: the
    /// state root goes on from where it is.
    fn end(
        mut self,
        spec: &ChainSpec,
        header: &Header,
    ) -> Result<(Execution, Remains), ChainError> {
        let time = header.timestamp;
        let failed = |reason: String| ChainError::Build { number: header.number, reason };
        let receipts = (self.receipts_root.finish(), self.logs_bloom);
        let parent = &self.parent_state;
        if spec.is_optimism() {
            self.pending.push(&std::mem::take(&mut self.unpublished));
            let begun = self.root_ahead.finish();
            if let Some(rooted) = self.pending.view(parent).head_start(begun)? {
                let (outcome, state) = self.executor.finish_collected();
                let remains: Remains = Box::new((state, self.pending));
                let rooted = rooted.into_parts();
                let execution = Execution::joined(spec, time, outcome, rooted, parent, receipts);
                return execution.map(|execution| (execution, remains));
            }
        }
        let shanghai = spec.is_shanghai_active_at_timestamp(time);
        let withdrawals: Option<&[_]> = if shanghai { Some(&[]) } else { None };
        let outcome = self.executor.finish(&[], withdrawals).map_err(|e| failed(e.to_string()))?;
        let execution = Execution::rooted(spec, time, outcome, parent, receipts);
        execution.map(|execution| (execution, Box::new(()) as Remains))
    }
}

fn add_delta(to: &mut Delta, delta: AccountDelta) {
    if delta.wiped {
        to.wipe_storage(delta.address);
    }
    to.set_account(delta.address, delta.account);
    for (slot, value) in delta.storage {
        to.set_storage(delta.address, slot, value);
    }
    if let Some((hash, code)) = delta.code {
        to.set_code(hash, code);
    }
}

/// Everything in a header that is known before the first transaction.
pub(crate) fn header_template(
    evm: &EvmConfig,
    parent_hash: B256,
    parent: &Header,
    block: &BlockAttributes,
) -> Result<Header, String> {
    let spec = evm.spec();
    let number = parent.number.checked_add(1).ok_or("block numbers are used up")?;
    let time = block.timestamp;
    let cancun = spec.is_cancun_active_at_timestamp(time);
    let excess = spec
        .blob_params(time)
        .map_or(Some(0), |params| parent.next_block_excess_blob_gas(params).or(Some(0)));
    Ok(Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: block.fee_recipient,
        number,
        gas_limit: block.gas_limit,
        timestamp: time,
        extra_data: block.extra_data.clone(),
        mix_hash: block.prev_randao,
        base_fee_per_gas: spec.next_base_fee(parent, time).map_err(|e| e.to_string())?,
        withdrawals_root: spec.is_shanghai_active_at_timestamp(time).then_some(EMPTY_WITHDRAWALS),
        blob_gas_used: cancun.then_some(0),
        excess_blob_gas: excess.filter(|_| cancun),
        parent_beacon_block_root: block.parent_beacon_block_root.filter(|_| cancun),
        requests_hash: spec.is_prague_active_at_timestamp(time).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    })
}

/// A transaction of a replayed journal, in the form that execution takes.
pub(super) fn replayed(tx: cairn_primitives::SignedTx, encoded: Bytes) -> PoolTransaction {
    let hash = alloy_primitives::keccak256(&encoded);
    PoolTransaction::new(tx, hash, encoded, Origin::Restored, Timestamp::default())
}
