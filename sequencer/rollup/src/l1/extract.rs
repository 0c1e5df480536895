use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{Header, Transaction, TxReceipt};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{B256, Log, U256};

use super::deposits::{DepositLogError, TRANSACTION_DEPOSITED, deposit_from_log};
use super::{BlobId, Carrier, InboxTransaction, L1Block, config_update_from_log};
use crate::RollupConfig;

/// The highest transaction type that may carry a batch (OP specification: L1 retrieval). A
/// set-code transaction may not.
const MAX_BATCHER_TX_TYPE: u8 = 3;

/// An L1 block with its transactions and receipts.
#[derive(Debug)]
pub struct L1BlockInput<'a, T, R> {
    /// Header.
    pub header: &'a Header,
    /// Its hash, or what a trusted endpoint calls so.
    pub hash: B256,
    /// Transactions in order.
    pub transactions: &'a [T],
    /// One receipt for each.
    pub receipts: &'a [R],
    /// Blob parameters of L1 at the block's time.
    pub blob_params: BlobParams,
}

/// An L1 block that cannot be derived from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum L1BlockError {
    /// Transactions and receipts are not of one block: fetch them again.
    #[error("L1 block {number} has {transactions} transactions and {receipts} receipts")]
    Receipts {
        /// The block.
        number: u64,
        /// Transactions given.
        transactions: usize,
        /// Receipts given.
        receipts: usize,
    },
    /// A deposit that this node cannot read: no derivation beyond that block.
    #[error("L1 block {number}, log {index}: {source}")]
    Deposit {
        /// The block.
        number: u64,
        /// Position among all logs of the block.
        index: u64,
        /// What is wrong.
        source: DepositLogError,
    },
}

impl L1Block {
    /// Picks out what derivation needs. The caller has compared transactions and receipts with
    /// the roots of the header. Senders are recovered of transactions to the inbox alone.
    pub fn extract<T, R>(
        config: &RollupConfig,
        input: &L1BlockInput<'_, T, R>,
    ) -> Result<Self, L1BlockError>
    where
        T: Transaction + Encodable2718 + SignerRecoverable,
        R: TxReceipt<Log = Log>,
    {
        let header = input.header;
        if input.transactions.len() != input.receipts.len() {
            return Err(L1BlockError::Receipts {
                number: header.number,
                transactions: input.transactions.len(),
                receipts: input.receipts.len(),
            });
        }
        let mut block = Self {
            number: header.number,
            hash: input.hash,
            parent_hash: header.parent_hash,
            timestamp: header.timestamp,
            base_fee: U256::from(header.base_fee_per_gas.unwrap_or_default()),
            blob_base_fee: U256::from(header.blob_fee(input.blob_params).unwrap_or(1)),
            prev_randao: header.mix_hash,
            parent_beacon_block_root: header.parent_beacon_block_root.unwrap_or_default(),
            ..Self::default()
        };
        block.read_logs(config, input.receipts)?;
        block.read_inbox(config, input);
        Ok(block)
    }

    fn read_logs<R>(&mut self, config: &RollupConfig, receipts: &[R]) -> Result<(), L1BlockError>
    where
        R: TxReceipt<Log = Log>,
    {
        // Failed transactions have no logs, so every log counts.
        for (index, log) in (0u64..).zip(receipts.iter().flat_map(TxReceipt::logs)) {
            let deposit = log.topics().first() == Some(&TRANSACTION_DEPOSITED);
            if log.address == config.deposit_contract_address && deposit {
                let deposit = deposit_from_log(log, self.hash, index).map_err(|source| {
                    L1BlockError::Deposit { number: self.number, index, source }
                })?;
                self.deposits.push(deposit);
            }
            if log.address == config.l1_system_config_address {
                self.config_updates.extend(config_update_from_log(log));
            }
        }
        Ok(())
    }

    fn read_inbox<T, R>(&mut self, config: &RollupConfig, input: &L1BlockInput<'_, T, R>)
    where
        T: Transaction + Encodable2718 + SignerRecoverable,
        R: TxReceipt<Log = Log>,
    {
        let mut next_blob = 0;
        let pairs = input.transactions.iter().zip(input.receipts);
        for (index, (tx, receipt)) in (0u64..).zip(pairs) {
            let hashes = tx.blob_versioned_hashes().unwrap_or_default();
            let blobs = (next_blob..).zip(hashes);
            next_blob += hashes.len() as u64;
            let to_inbox = tx.to() == Some(config.batch_inbox_address);
            if !to_inbox || !receipt.status() || tx.ty() > MAX_BATCHER_TX_TYPE {
                continue;
            }
            let carrier = if hashes.is_empty() {
                Carrier::from_calldata(tx.input())
            } else {
                let id = |(index, hash): (u64, &B256)| BlobId { index, versioned_hash: *hash };
                Some(Carrier::Blobs(blobs.map(id).collect()))
            };
            // A signature that recovers nobody is nobody's batch.
            if let (Some(carrier), Ok(sender)) = (carrier, tx.recover_signer()) {
                let hash = tx.trie_hash();
                self.batches.push(InboxTransaction { index, hash, sender, carrier });
            }
        }
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
