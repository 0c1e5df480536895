//! Execution of a payload, and the replacement of unsafe blocks by it.

use alloy_eips::BlockNumHash;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::B256;
use cairn_evm::{BlockExecutor, BlockOutcome, TxError};
use cairn_primitives::{Block, BlockBody, Header, RecoveredBlock, TxEnvelope};
use cairn_state::StateView;

use super::error::{DeriveError, InvalidPayload};
use super::payload::RecoveredPayload;
use crate::error::ChainError;
use crate::events::ChainEvent;
use crate::execute::Execution;
use crate::header::validate_header;
use crate::sequencer::header_template;
use crate::{BlockRef, Chain, ExecutedBlock};

/// What [`Chain::derive`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The new unsafe head.
    pub block: BlockNumHash,
    /// Unsafe blocks that it replaced.
    pub replaced: u64,
}

impl Chain {
    /// Builds the block that a payload gives on `parent` and makes it the unsafe head. It is not
    /// safe before [`Self::advance_heads`] says so.
    ///
    /// Blocks above `parent` are unwound in the same operation, and subscribers get one
    /// [`ChainEvent::Reorged`]; their transactions go back to the pool of a sequencer. The payload is
    /// executed first, so that an invalid one leaves the chain as it is. Waits while too many blocks
    /// wait for the disk.
    pub fn derive(&self, parent: B256, payload: RecoveredPayload) -> Result<Derived, DeriveError> {
        self.wait_for_room()?;
        let _writer = self.inner.writer.lock();
        let (_, parent_header) =
            self.header(BlockRef::Hash(parent))?.ok_or(DeriveError::UnknownParent(parent))?;
        let heads = self.heads();
        let number = parent_header.number.saturating_add(1);
        if parent_header.number < heads.safe.number {
            return Err(DeriveError::BelowSafe { number, safe: heads.safe.number });
        }
        let attributes = |reason| DeriveError::Attributes { number, reason };
        let header = header_template(self.evm(), parent, &parent_header, &payload.block)
            .map_err(attributes)?;
        validate_header(self.spec(), &header, &parent_header, self.inner.options.timestamps)
            .map_err(|error| attributes(error.to_string()))?;
        let state = self.state_at_number(parent_header.number)?;
        let outcome = self.execute_payload(&header, &parent_header, &payload, &state)?;
        if parent == heads.unsafe_head.hash {
            let executed = self.seal_payload(header, outcome, payload, &state)?;
            return Ok(self.put_on_tip(executed, None));
        }
        let removed = self.unwind(parent_header.number).map_err(DeriveError::unwind)?;
        // The view from before the unwind is gone.
        let sealed = self
            .state_at_number(parent_header.number)
            .and_then(|state| self.seal_payload(header, outcome, payload, &state));
        match sealed {
            Ok(executed) => Ok(Derived {
                replaced: heads.unsafe_head.number.saturating_sub(parent_header.number),
                ..self.put_on_tip(executed, Some(removed))
            }),
            Err(error) => {
                let event = ChainEvent::Reorged { removed: removed.into(), added: [].into() };
                self.inner.events.send(event);
                Err(error.into())
            }
        }
    }

    /// Appends a block in place of removed ones and tells everyone.
    fn put_on_tip(&self, block: ExecutedBlock, removed: Option<Vec<ExecutedBlock>>) -> Derived {
        let at = block.block.num_hash();
        self.append(block.clone());
        let added = [block].into();
        self.inner.events.send(match removed {
            Some(removed) => ChainEvent::Reorged { removed: removed.into(), added },
            None => ChainEvent::Extended(added),
        });
        self.inner.head_waker.wake();
        Derived { block: at, replaced: 0 }
    }

    /// Executes all transactions. Changes nothing.
    fn execute_payload(
        &self,
        header: &Header,
        parent: &Header,
        payload: &RecoveredPayload,
        state: &StateView,
    ) -> Result<BlockOutcome, DeriveError> {
        let number = header.number;
        let attributes = |reason: String| DeriveError::Attributes { number, reason };
        let failed = |error: cairn_evm::BlockError| match error {
            cairn_evm::BlockError::Read(error) => DeriveError::Chain(error.into()),
            error => attributes(error.to_string()),
        };
        let env = self
            .evm()
            .next_env(parent, &payload.block)
            .map_err(|error| attributes(error.to_string()))?;
        let mut executor = BlockExecutor::new(self.evm(), env, state.clone());
        executor.begin(header.parent_hash, header.parent_beacon_block_root).map_err(failed)?;
        let all = payload.transactions.iter().zip(&payload.senders).zip(&payload.encoded);
        for (position, ((tx, sender), encoded)) in all.enumerate() {
            let deposit = position < payload.deposits;
            if deposit && !tx.is_deposit_tx() {
                return Err(attributes("an attribute transaction is no deposit".into()));
            }
            if let Err(error) = executor.execute(tx, *sender, encoded.clone()) {
                return Err(refused(number, position, payload.deposits, tx, error));
            }
        }
        let withdrawals = self.spec().is_shanghai_active_at_timestamp(header.timestamp);
        executor.finish(&[], withdrawals.then_some(&[])).map_err(failed)
    }

    /// Roots an outcome and joins it with its block.
    fn seal_payload(
        &self,
        mut header: Header,
        outcome: BlockOutcome,
        payload: RecoveredPayload,
        state: &StateView,
    ) -> Result<ExecutedBlock, ChainError> {
        let execution = Execution::new(self.spec(), header.timestamp, outcome, state)?;
        execution.complete(&mut header, self.spec(), payload.transactions_root);
        let shanghai = self.spec().is_shanghai_active_at_timestamp(header.timestamp);
        let body = BlockBody {
            transactions: payload.transactions,
            ommers: Vec::new(),
            withdrawals: shanghai.then(Default::default),
        };
        let block = RecoveredBlock::new(Block { header, body }, payload.senders);
        Ok(execution.into_executed(block))
    }
}

/// What the failure of a payload's transaction means.
fn refused(
    number: u64,
    position: usize,
    deposits: usize,
    tx: &TxEnvelope,
    error: TxError,
) -> DeriveError {
    match error {
        TxError::Read(error) => ChainError::Read(error).into(),
        TxError::Fatal(reason) => ChainError::Build { number, reason }.into(),
        source => match position.checked_sub(deposits) {
            Some(index) => {
                let hash = *tx.hash();
                let source = InvalidPayload::Execution { index, hash, source: source.into() };
                DeriveError::Invalid { number, source }
            }
            None => {
                let reason = format!("deposit {position} ({}): {source}", tx.hash());
                DeriveError::Attributes { number, reason }
            }
        },
    }
}
