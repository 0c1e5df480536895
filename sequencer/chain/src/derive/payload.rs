//! Payloads, and the recovery of their senders ahead of execution.

use alloy_eips::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes};
use cairn_evm::BlockAttributes;
use cairn_primitives::{TxEnvelope, recover_senders};
use crossbeam_channel::{Receiver, bounded};
use rayon::prelude::*;

use super::error::InvalidPayload;
use crate::error::ChainError;
use crate::import::RECOVERY_CHUNK;
use crate::{OrderedRoot, PayloadAttributes};

/// Everything that decides a block.
#[derive(Debug, Clone)]
pub struct DerivedPayload {
    /// Environment and deposits. `deposits_only` is not read: there is no pool here.
    pub attributes: PayloadAttributes,
    /// Transactions of the batch, in EIP-2718 form. None of them may be a deposit.
    pub transactions: Vec<Bytes>,
}

/// A payload with its transactions decoded, hashed and rooted, and their senders known.
#[derive(Debug, Clone)]
pub struct RecoveredPayload {
    pub(super) block: BlockAttributes,
    /// How many of the transactions are deposits; they come first.
    pub(super) deposits: usize,
    pub(super) transactions: Vec<TxEnvelope>,
    pub(super) senders: Vec<Address>,
    pub(super) encoded: Vec<Bytes>,
    pub(super) transactions_root: B256,
}

/// A payload whose senders are being recovered.
#[derive(Debug)]
pub struct Recovering(Receiver<Result<RecoveredPayload, InvalidPayload>>);

impl DerivedPayload {
    /// The payload without its batch, which replaces an invalid one (Holocene).
    #[must_use]
    pub fn deposits_only(mut self) -> Self {
        self.transactions.clear();
        self
    }

    /// Decodes, hashes and recovers all transactions, on the threads that imports use.
    ///
    /// # Errors
    /// The first transaction that is none, is a deposit, or has no valid signature.
    pub fn recover(self) -> Result<RecoveredPayload, InvalidPayload> {
        let chunks: Vec<Vec<(TxEnvelope, Address)>> = self
            .transactions
            .par_chunks(RECOVERY_CHUNK)
            .enumerate()
            .map(|(chunk, bytes)| recover_chunk(chunk * RECOVERY_CHUNK, bytes))
            .collect::<Result<_, _>>()?;
        let recovered = chunks.into_iter().flatten();
        let deposits = self.attributes.deposits.len();
        let count = deposits.saturating_add(self.transactions.len());
        let mut transactions = Vec::with_capacity(count);
        let mut senders = Vec::with_capacity(count);
        let mut encoded = Vec::with_capacity(count);
        for deposit in self.attributes.deposits {
            senders.push(deposit_sender(&deposit));
            encoded.push(deposit.encoded_2718().into());
            transactions.push(deposit);
        }
        for (tx, sender) in recovered {
            transactions.push(tx);
            senders.push(sender);
        }
        encoded.extend(self.transactions);
        let mut root = OrderedRoot::default();
        encoded.iter().for_each(|tx| root.push(tx));
        Ok(RecoveredPayload {
            block: self.attributes.block,
            deposits,
            transactions,
            senders,
            encoded,
            transactions_root: root.finish(),
        })
    }

    /// Starts [`Self::recover`] and returns at once, so that it overlaps with the execution of the
    /// payloads before. The caller bounds how many it starts ahead; two or three keep all processors
    /// busy.
    pub fn recover_ahead(self) -> Recovering {
        let (done, wait) = bounded(1);
        // A receiver that is gone was not interested any more.
        rayon::spawn(move || drop(done.send(self.recover())));
        Recovering(wait)
    }
}

impl Recovering {
    /// Waits for the result.
    ///
    /// # Errors
    /// The outer error says that the node failed, the inner one that the payload is invalid.
    pub fn wait(self) -> Result<Result<RecoveredPayload, InvalidPayload>, ChainError> {
        self.0.recv().map_err(|_| ChainError::Build {
            number: 0,
            reason: "the recovery of a payload has ended without result".into(),
        })
    }
}

impl RecoveredPayload {
    /// Number of transactions, deposits counted.
    pub const fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether there is no transaction at all.
    pub const fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }
}

/// The account that a deposit names; [`Chain::derive`](crate::Chain::derive) refuses anything else.
fn deposit_sender(tx: &TxEnvelope) -> Address {
    match tx {
        TxEnvelope::Deposit(deposit) => deposit.from,
        _ => Address::ZERO,
    }
}

/// Transactions of which the first is that of `index`.
fn recover_chunk(
    index: usize,
    chunk: &[Bytes],
) -> Result<Vec<(TxEnvelope, Address)>, InvalidPayload> {
    let txs = (index..).zip(chunk).map(|(index, bytes)| decode(index, bytes));
    let txs: Vec<TxEnvelope> = txs.collect::<Result<_, _>>()?;
    let senders = recover_senders(&txs);
    let joined = (index..).zip(txs.into_iter().zip(senders)).map(|(index, (tx, sender))| {
        // The hash is computed here too, and kept by the transaction.
        let hash = *tx.hash();
        let sender = sender.map_err(|_| InvalidPayload::Signature { index, hash })?;
        Ok((tx, sender))
    });
    joined.collect()
}

fn decode(index: usize, bytes: &Bytes) -> Result<TxEnvelope, InvalidPayload> {
    let tx = TxEnvelope::decode_2718_exact(bytes)
        .map_err(|error| InvalidPayload::Undecodable { index, reason: error.to_string() })?;
    if tx.is_deposit_tx() { Err(InvalidPayload::Deposit { index }) } else { Ok(tx) }
}
