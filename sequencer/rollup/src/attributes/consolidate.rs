use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes};
use cairn_primitives::{Block, TxEnvelope};
use op_alloy_consensus::TxDeposit;

use super::RollupAttributes;

/// What an existing block has otherwise than the attributes say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is on another parent.
    #[error("parent {actual}, not {expected}")]
    Parent {
        /// Hash of the safe head.
        expected: B256,
        /// The block's.
        actual: B256,
    },
    /// Timestamp.
    #[error("timestamp {actual}, not {expected}")]
    Timestamp {
        /// Derived.
        expected: u64,
        /// The block's.
        actual: u64,
    },
    /// Randomness.
    #[error("prev_randao {actual}, not {expected}")]
    PrevRandao {
        /// Derived.
        expected: B256,
        /// The block's.
        actual: B256,
    },
    /// Receiver of tips.
    #[error("fee recipient {actual}, not {expected}")]
    FeeRecipient {
        /// Derived.
        expected: Address,
        /// The block's.
        actual: Address,
    },
    /// Gas limit.
    #[error("gas limit {actual}, not {expected}")]
    GasLimit {
        /// Derived.
        expected: u64,
        /// The block's.
        actual: u64,
    },
    /// EIP-1559 parameters.
    #[error("extra data {actual}, not {expected}")]
    ExtraData {
        /// Derived.
        expected: Bytes,
        /// The block's.
        actual: Bytes,
    },
    /// Parent beacon block root.
    #[error("parent beacon block root {actual:?}, not {expected}")]
    ParentBeaconBlockRoot {
        /// Derived.
        expected: B256,
        /// The block's.
        actual: Option<B256>,
    },
    /// Withdrawals, of which an L2 block has an empty list.
    #[error("withdrawals {0:?}, not an empty list")]
    Withdrawals(Option<usize>),
    /// Number of transactions.
    #[error("{actual} transactions, not {expected}")]
    TransactionCount {
        /// Derived, deposits included.
        expected: usize,
        /// The block's.
        actual: usize,
    },
    /// A transaction, deposits counted.
    #[error("another transaction at {0}")]
    Transaction(usize),
}

/// The first field in which `block` is not what the attributes on `parent` make; `None` if it is
/// that block (OP specification: L1 consolidation).
pub fn mismatch(attributes: &RollupAttributes, parent: B256, block: &Block) -> Option<Mismatch> {
    header_mismatch(attributes, parent, block).or_else(|| transaction_mismatch(attributes, block))
}

fn header_mismatch(attributes: &RollupAttributes, parent: B256, block: &Block) -> Option<Mismatch> {
    let header = &block.header;
    macro_rules! same {
        ($variant:ident, $expected:expr, $actual:expr) => {
            if $expected != $actual {
                let (expected, actual) = ($expected.clone(), $actual.clone());
                return Some(Mismatch::$variant { expected, actual });
            }
        };
    }
    same!(Parent, parent, header.parent_hash);
    same!(Timestamp, attributes.timestamp, header.timestamp);
    same!(PrevRandao, attributes.prev_randao, header.mix_hash);
    same!(FeeRecipient, attributes.fee_recipient, header.beneficiary);
    same!(GasLimit, attributes.gas_limit, header.gas_limit);
    same!(ExtraData, attributes.extra_data, header.extra_data);
    if header.parent_beacon_block_root != Some(attributes.parent_beacon_block_root) {
        return Some(Mismatch::ParentBeaconBlockRoot {
            expected: attributes.parent_beacon_block_root,
            actual: header.parent_beacon_block_root,
        });
    }
    let withdrawals = block.body.withdrawals.as_ref().map(|list| list.len());
    (withdrawals != Some(0)).then_some(Mismatch::Withdrawals(withdrawals))
}

fn transaction_mismatch(attributes: &RollupAttributes, block: &Block) -> Option<Mismatch> {
    let deposits = attributes.deposits.len();
    let expected = deposits + attributes.transactions.len();
    let transactions = &block.body.transactions;
    if expected != transactions.len() {
        return Some(Mismatch::TransactionCount { expected, actual: transactions.len() });
    }
    let (head, tail) = transactions.split_at_checked(deposits)?;
    let same_deposit = |(tx, deposit): (&TxEnvelope, &TxDeposit)| matches!(tx, TxEnvelope::Deposit(tx) if tx.inner() == deposit);
    if let Some(at) = head.iter().zip(&attributes.deposits).position(|pair| !same_deposit(pair)) {
        return Some(Mismatch::Transaction(at));
    }
    let mut encoded = Vec::new();
    let same = |(tx, bytes): (&TxEnvelope, &Bytes)| {
        encoded.clear();
        tx.encode_2718(&mut encoded);
        encoded == **bytes
    };
    let mut pairs = tail.iter().zip(&attributes.transactions).map(same);
    pairs.position(|same| !same).map(|at| Mismatch::Transaction(deposits + at))
}
