//! One case of a state test.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use cairn_evm::{BlockExecutor, BlockOutcome, EvmConfig, TxError};
use cairn_pool::{decode_canonical, recover_sender};
use cairn_primitives::{Account, BlockBody, ReadError, RecoveredBlock, StateReader, TxEnvelope};
use cairn_state::{CommittedBlock, StateChanges, StateChangesBuilder, StateView};

use super::file::{PostSection, StateTest};
use super::scratch::{self, Scratch};
use crate::Fork;
use crate::failure::{CaseError, same};
use crate::sections::Accounts;

/// A case with everything that it needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) test: &'a StateTest,
    pub(super) fork: Fork,
    pub(super) post: &'a PostSection,
    pub(super) evm: &'a EvmConfig,
}

/// A transaction that was executed, or nothing where it was refused as the file expects.
type Executed = Option<(TxEnvelope, Address)>;

/// Runs a case and leaves the store at its genesis.
pub(super) fn run_case(scratch: &mut Scratch, case: &Case<'_>) -> Result<(), CaseError> {
    let store = scratch.store()?;
    scratch::commit_changes(&store, &store.latest()?, pre_state(&case.test.pre)?)?;

    let before = store.latest()?;
    let (transaction, outcome) = execute(case, &before)?;
    let timestamp = case.test.env.header(case.fork)?.timestamp;
    let logs: Vec<Log> = outcome.receipts.iter().flat_map(|r| r.logs().to_vec()).collect();
    let execution = scratch::root_of(case.evm, timestamp, outcome, &before)?;
    let root = execution.update.root();
    same("state root", &root, &case.post.hash)?;
    same("hash of the logs", &keccak256(alloy_rlp::encode(&logs)), &case.post.logs)?;

    let (transactions, senders) = transaction.into_iter().unzip();
    let body = BlockBody { transactions, ..BlockBody::default() };
    let block = RecoveredBlock::new(scratch::block(&before, &execution.update, body), senders);
    let block = execution.into_executed(block);
    let block = CommittedBlock { block: block.block, receipts: block.receipts, layer: block.layer };
    store.commit(&[block])?;
    scratch::verify(&store, root)?;
    scratch::unwind(&store)
}

/// The changes that bring the test's accounts into an empty state.
fn pre_state(accounts: &Accounts) -> Result<Arc<StateChanges>, CaseError> {
    let mut changes = StateChangesBuilder::new();
    for (address, section) in accounts {
        let account = section.account()?;
        changes.account(*address, None, Some(account));
        if account.has_code() {
            changes.code(account.code_hash, section.code().clone());
        }
        for (slot, value) in section.slots() {
            changes.storage(*address, slot, U256::ZERO, value);
        }
    }
    Ok(Arc::new(changes.build()))
}

/// Executes the transaction, or sees it refused where the file expects that.
fn execute(case: &Case<'_>, before: &StateView) -> Result<(Executed, BlockOutcome), CaseError> {
    let header = case.test.env.header(case.fork)?;
    let env = case.evm.env(&header);
    let mut executor = BlockExecutor::new(case.evm, env, CaseState(before.clone()));
    let executed = match (attempt(&mut executor, case), &case.post.expect_exception) {
        (Ok(transaction), None) => Some(transaction),
        (Err(error), None) => return Err(error),
        (Ok(_), Some(expected)) => {
            return Err(CaseError::Accepted { expected: expected.clone() });
        }
        (Err(error), Some(_)) if is_refusal(&error) => None,
        (Err(error), Some(_)) => return Err(error),
    };
    Ok((executed, executor.finish_transactions()))
}

fn attempt(
    executor: &mut BlockExecutor<CaseState>,
    case: &Case<'_>,
) -> Result<(TxEnvelope, Address), CaseError> {
    let encoded = &case.post.txbytes.0;
    let (transaction, _) = decode_canonical(encoded)?;
    let sender = recover_sender(&transaction)?;
    if let Some(expected) = &case.test.transaction.sender {
        same("sender", &sender, expected)?;
    }
    executor.execute(&transaction, sender, encoded.clone())?;
    Ok((transaction, sender))
}

/// Whether the transaction is at fault, not the node.
const fn is_refusal(error: &CaseError) -> bool {
    match error {
        CaseError::Decode(_) => true,
        CaseError::Transaction(error) => !TxError::is_fatal(error),
        _ => false,
    }
}

/// The state of a case. Its ancestors are not the store's: the suite defines the hash of block `n`
/// as the hash of `n` in decimal.
#[derive(Debug, Clone)]
struct CaseState(StateView);

impl StateReader for CaseState {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        self.0.account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        self.0.storage(address, slot)
    }

    fn has_storage(&self, address: Address) -> Result<bool, ReadError> {
        self.0.has_storage(address)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        self.0.code(code_hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, ReadError> {
        Ok(keccak256(number.to_string()))
    }
}
