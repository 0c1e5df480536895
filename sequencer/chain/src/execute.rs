//! Execution of a whole block on its parent's state, and what must come out.

mod post_state;

use std::sync::Arc;

use alloy_consensus::EMPTY_OMMER_ROOT_HASH;
use alloy_eips::Encodable2718;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, B256, Bloom, Bytes, address};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_evm::{BlockDiff, BlockError, BlockExecutor, BlockOutcome, EvmConfig};
use cairn_primitives::{ChainSpec, Header, Receipt, RecoveredBlock};
use cairn_state::{Layer, StateChanges, StateChangesBuilder, StateUpdate, StateView};

use self::post_state::PostStates;
use crate::error::{ChainError, ImportError};
use crate::roots::ordered_root;
use crate::{ExecutedBlock, OrderedRoot};

/// The L2-to-L1 message passer, whose storage root stands in the header since Isthmus.
pub(crate) const MESSAGE_PASSER: Address = address!("0x4200000000000000000000000000000000000016");

/// Everything that execution of a block gives, hashed and rooted.
#[derive(Debug)]
pub struct Execution {
    /// Receipts, requests, gas.
    pub outcome: BlockOutcome,
    /// State changes, keys hashed.
    pub changes: Arc<StateChanges>,
    /// New state root and trie nodes.
    pub update: StateUpdate,
    /// Root over receipts.
    pub receipts_root: B256,
    /// Bloom over all logs.
    pub logs_bloom: Bloom,
    /// Withdrawals root that OP rules prescribe since Isthmus.
    pub message_passer_root: Option<B256>,
}

/// Executes a block on the state of its parent. Compares nothing.
pub fn execute_block(
    evm: &EvmConfig,
    block: &RecoveredBlock,
    encoded: &[Bytes],
    parent_state: &StateView,
) -> Result<BlockOutcome, BlockError> {
    let header = block.header();
    let mut executor = BlockExecutor::new(evm, evm.env(header), parent_state.clone());
    executor.begin(header.parent_hash, header.parent_beacon_block_root)?;
    let mut post_states = PostStates::new(evm.spec(), header.number, parent_state);
    for (index, (tx, sender)) in block.transactions_with_sender().enumerate() {
        let executed = executor
            .execute(tx, sender, encoded[index].clone())
            .map_err(|source| BlockError::Transaction { index, hash: *tx.hash(), source })?;
        if let Some(post_states) = &mut post_states {
            post_states.add(executed.deltas)?;
        }
    }
    let withdrawals = block.body().withdrawals.as_deref().map(Vec::as_slice);
    let mut outcome = executor.finish(&block.body().ommers, withdrawals)?;
    if let Some(post_states) = post_states {
        post_states.write(&mut outcome.receipts);
    }
    Ok(outcome)
}

impl Execution {
    /// Hashes and roots an outcome on top of its parent's state.
    pub fn new(
        spec: &ChainSpec,
        timestamp: u64,
        outcome: BlockOutcome,
        parent_state: &StateView,
    ) -> Result<Self, ChainError> {
        let receipts = receipts_root(&outcome.receipts);
        Self::rooted(spec, timestamp, outcome, parent_state, receipts)
    }

    /// [`Self::new`] for a caller that has root and bloom of the receipts.
    pub(crate) fn rooted(
        spec: &ChainSpec,
        timestamp: u64,
        mut outcome: BlockOutcome,
        parent_state: &StateView,
        receipts: (B256, Bloom),
    ) -> Result<Self, ChainError> {
        let changes = state_changes(std::mem::take(&mut outcome.diff));
        let update = parent_state.state_update(&changes)?;
        Self::joined(spec, timestamp, outcome, (changes, update), parent_state, receipts)
    }

    /// [`Self::rooted`] for a caller that has hashed and rooted the changes, too.
    pub(crate) fn joined(
        spec: &ChainSpec,
        timestamp: u64,
        outcome: BlockOutcome,
        (changes, update): (StateChanges, StateUpdate),
        parent_state: &StateView,
        (receipts_root, logs_bloom): (B256, Bloom),
    ) -> Result<Self, ChainError> {
        let changes = Arc::new(changes);
        let isthmus = spec.is_optimism() && spec.is_prague_active_at_timestamp(timestamp);
        let message_passer_root = if isthmus {
            Some(match update.storage_root(MESSAGE_PASSER) {
                Some(root) => root,
                None => parent_state.storage_root(MESSAGE_PASSER)?.unwrap_or(EMPTY_ROOT_HASH),
            })
        } else {
            None
        };
        Ok(Self { outcome, changes, update, receipts_root, logs_bloom, message_passer_root })
    }

    /// Fills in what only execution gives: gas, roots, bloom.
    pub(crate) fn complete(&self, header: &mut Header, spec: &ChainSpec, transactions_root: B256) {
        header.gas_used = self.outcome.gas_used;
        if header.blob_gas_used.is_some() {
            header.blob_gas_used = Some(self.outcome.blob_gas_used);
        }
        if header.requests_hash.is_some() && !spec.is_optimism() {
            header.requests_hash = Some(self.outcome.requests.requests_hash());
        }
        header.transactions_root = transactions_root;
        header.receipts_root = self.receipts_root;
        header.logs_bloom = self.logs_bloom;
        header.state_root = self.update.root();
        if let Some(root) = self.message_passer_root {
            header.withdrawals_root = Some(root);
        }
    }

    /// Joins the execution with its block.
    pub fn into_executed(self, block: RecoveredBlock) -> ExecutedBlock {
        let layer =
            Layer::new(block.num_hash(), block.header().parent_hash, self.changes, self.update);
        ExecutedBlock { block, receipts: Arc::new(self.outcome.receipts), layer: Arc::new(layer) }
    }

    /// Compares the results with what the header claims.
    pub fn check(&self, block: &RecoveredBlock, spec: &ChainSpec) -> Result<(), ImportError> {
        let header = block.header();
        let number = header.number;
        same(number, "gas used", self.outcome.gas_used, header.gas_used)?;
        same(number, "receipts root", self.receipts_root, header.receipts_root)?;
        same(number, "logs bloom", self.logs_bloom, header.logs_bloom)?;
        if let Some(claimed) = header.blob_gas_used {
            same(number, "blob gas used", self.outcome.blob_gas_used, claimed)?;
        }
        if let Some(claimed) = header.requests_hash {
            let got = if spec.is_optimism() {
                EMPTY_REQUESTS_HASH
            } else {
                self.outcome.requests.requests_hash()
            };
            same(number, "requests hash", got, claimed)?;
        }
        if let (Some(got), Some(claimed)) = (self.message_passer_root, header.withdrawals_root) {
            same(number, "withdrawals root", got, claimed)?;
        }
        same(number, "state root", self.update.root(), header.state_root)
    }
}

/// Checks that the body is the one the header commits to. Gives the transactions' encodings.
pub(crate) fn check_body(
    block: &RecoveredBlock,
    spec: &ChainSpec,
) -> Result<Vec<Bytes>, ImportError> {
    let (header, body) = (block.header(), block.body());
    let encoded: Vec<Bytes> = body.transactions.iter().map(|tx| tx.encoded_2718().into()).collect();
    let mut root = OrderedRoot::default();
    encoded.iter().for_each(|tx| root.push(tx));
    same(header.number, "transactions root", root.finish(), header.transactions_root)?;
    let ommers = if body.ommers.is_empty() {
        EMPTY_OMMER_ROOT_HASH
    } else {
        alloy_primitives::keccak256(alloy_rlp::encode(&body.ommers))
    };
    same(header.number, "uncles hash", ommers, header.ommers_hash)?;
    let has_withdrawals = body.withdrawals.is_some();
    same(
        header.number,
        "presence of withdrawals",
        has_withdrawals,
        header.withdrawals_root.is_some(),
    )?;
    let isthmus = spec.is_optimism() && spec.is_prague_active_at_timestamp(header.timestamp);
    if let (Some(withdrawals), Some(claimed)) = (&body.withdrawals, header.withdrawals_root) {
        if isthmus {
            same(header.number, "number of withdrawals", withdrawals.len(), 0)?;
        } else {
            let got =
                ordered_root(withdrawals, |item, out| alloy_rlp::Encodable::encode(item, out));
            same(header.number, "withdrawals root", got, claimed)?;
        }
    }
    Ok(encoded)
}

/// Root and bloom over receipts.
pub(crate) fn receipts_root(receipts: &[Receipt]) -> (B256, Bloom) {
    let mut logs_bloom = Bloom::ZERO;
    let root = ordered_root(receipts, |receipt, out| {
        let bloom = receipt.bloom();
        logs_bloom |= bloom;
        receipt.encode_2718_with_bloom(&bloom, out);
    });
    (root, logs_bloom)
}

/// Hashes the keys of a diff.
pub(crate) fn state_changes(diff: BlockDiff) -> StateChanges {
    let mut changes = StateChangesBuilder::with_capacity(diff.accounts.len());
    for account in diff.accounts {
        changes.account(account.address, account.before, account.after);
        if account.wiped {
            changes.wipe_storage(account.address);
        }
        for (slot, before, after) in account.storage {
            changes.storage(account.address, slot, before, after);
        }
    }
    for (hash, code) in diff.code {
        changes.code(hash, code);
    }
    changes.build()
}

fn same<T: PartialEq + std::fmt::Display>(
    number: u64,
    what: &'static str,
    got: T,
    want: T,
) -> Result<(), ImportError> {
    if got == want {
        return Ok(());
    }
    Err(ImportError::Mismatch { number, what, got: got.to_string(), want: want.to_string() })
}
