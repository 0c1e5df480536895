//! `TransactionTests`: bytes that are a valid transaction at some forks and not at others.
//!
//! A transaction counts as valid if the pool's decoder takes it, its sender can be recovered, and
//! the executor runs it for a sender who has its nonce and more than enough balance. Forks before
//! EIP-155 are left out: they allow signatures that this node refuses everywhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use alloy_eips::Encodable2718;
use alloy_genesis::Genesis;
use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_evm::revm_types::InvalidTransaction;
use cairn_evm::{BlockExecutor, EvmConfig, TxError};
use cairn_pool::{BlockConditions, decode_canonical, intrinsic_gas, recover_sender};
use cairn_primitives::{Account, ChainSpec, Header, ReadError, StateReader, TxEnvelope};
use serde::Deserialize;

use crate::exceptions::Suite;
use crate::failure::{CaseError, RunError, same};
use crate::json::{Hex, Number};
use crate::run::{Cases, Runner, run};
use crate::{Fork, Options, Report};

/// Sections of forks that allow what EIP-2 and EIP-155 forbid.
const OLD_FORKS: [&str; 3] = ["Frontier", "Homestead", "EIP150"];

/// Runs every transaction test under a directory, at all forks that the files list but those
/// before EIP-155. The forks of the options do not matter. Cases are numbered by the place of
/// their fork in the file, in order of names.
///
/// # Errors
/// [`RunError`] where nothing could be run. Failures of cases are in the report.
pub fn run_transaction_tests(directory: &Path, options: &Options<'_>) -> Result<Report, RunError> {
    run(&TransactionTests, directory, options)
}

struct TransactionTests;

#[derive(Debug, Deserialize)]
pub(crate) struct TransactionTest {
    txbytes: Hex,
    result: BTreeMap<String, ResultSection>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultSection {
    exception: Option<String>,
    hash: Option<B256>,
    sender: Option<Address>,
    intrinsic_gas: Option<Number>,
}

impl Runner for TransactionTests {
    type Test = TransactionTest;
    type Worker = ();
    const SUITE: Suite = Suite::Transaction;

    fn run_test(&self, (): &mut (), test: &TransactionTest, cases: &mut Cases<'_>) {
        for (index, (name, expected)) in test.result.iter().enumerate() {
            if OLD_FORKS.contains(&name.as_str()) {
                cases.skip(name);
                continue;
            }
            match Fork::from_name(name) {
                Some(fork) => {
                    cases.run(index, || run_case(fork, &test.txbytes.0, expected));
                }
                None => cases.take(index, Err(CaseError::Shape(format!("fork {name:?}")))),
            }
        }
    }
}

fn run_case(fork: Fork, encoded: &Bytes, expected: &ResultSection) -> Result<(), CaseError> {
    let valid = match (validate(fork, encoded), &expected.exception) {
        (Ok(valid), None) => valid,
        (Err(error), None) => return Err(error),
        (Ok(_), Some(exception)) => {
            return Err(CaseError::Accepted { expected: exception.clone() });
        }
        (Err(CaseError::Decode(_)), Some(_)) => return Ok(()),
        (Err(CaseError::Transaction(error)), Some(_)) if !error.is_fatal() => return Ok(()),
        (Err(error), Some(_)) => return Err(error),
    };
    let missing = |field: &str| CaseError::Shape(format!("{field} of a valid transaction"));
    let hash = expected.hash.ok_or_else(|| missing("hash"))?;
    let sender = expected.sender.ok_or_else(|| missing("sender"))?;
    let gas = expected.intrinsic_gas.ok_or_else(|| missing("intrinsicGas"))?;
    same("hash", &valid.hash, &hash)?;
    same("sender", &valid.sender, &sender)?;
    same("intrinsic gas", &U256::from(valid.intrinsic), &gas.0)
}

struct Valid {
    hash: B256,
    sender: Address,
    intrinsic: u64,
}

fn validate(fork: Fork, encoded: &Bytes) -> Result<Valid, CaseError> {
    let (tx, hash) = decode_canonical(encoded)?;
    let sender = recover_sender(&tx)?;
    same("bytes of the decoded transaction", &Bytes::from(tx.encoded_2718()), encoded)?;
    let genesis = Genesis { config: fork.config(1), ..Genesis::default() };
    let spec = Arc::new(ChainSpec::from_genesis(&genesis)?);
    execute(&spec, &tx, sender, encoded)?;
    let conditions = BlockConditions::new(&spec, 1, 1, 0, 1, u64::MAX);
    Ok(Valid { hash, sender, intrinsic: intrinsic_gas(&tx, &conditions).intrinsic })
}

/// Runs the transaction in a block that takes everything.
fn execute(
    spec: &Arc<ChainSpec>,
    tx: &TxEnvelope,
    sender: Address,
    encoded: &Bytes,
) -> Result<(), CaseError> {
    let evm = EvmConfig::new(spec.clone());
    let header = Header {
        number: 1,
        timestamp: 1,
        gas_limit: u64::MAX,
        base_fee_per_gas: Some(0),
        excess_blob_gas: spec.blob_params(1).map(|_| 0),
        ..Header::default()
    };
    let nonce = alloy_consensus::Transaction::nonce(tx);
    let state =
        RichSender { sender, account: Account { nonce, balance: U256::MAX, ..Account::default() } };
    let mut executor = BlockExecutor::new(&evm, evm.env(&header), state);
    match executor.execute(tx, sender, encoded.clone()) {
        // Valid in itself, although nobody can send 2^256 - 1 wei and pay for gas: what an account
        // can pay is not this suite's question.
        Err(TxError::Invalid(InvalidTransaction::OverflowPaymentInTransaction)) => Ok(()),
        result => Ok(result.map(|_| ())?),
    }
}

/// A state with one account.
#[derive(Debug)]
struct RichSender {
    sender: Address,
    account: Account,
}

impl StateReader for RichSender {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        Ok((address == self.sender).then_some(self.account))
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, ReadError> {
        Ok(U256::ZERO)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        Err(ReadError::Store(format!("no account has code, and not {code_hash}")))
    }

    fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
        Ok(B256::ZERO)
    }
}
