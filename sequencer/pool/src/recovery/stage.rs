//! What a worker does with a batch.

use std::sync::Arc;

use alloy_consensus::Transaction;
use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_primitives::{ReadError, SignedTx, TxEnvelope, recover_senders};

use crate::decode::{decode_hashed, recover_authorities};
use crate::validate::{check_fee, check_size, check_stateless};
use crate::{
    BlockConditions, Origin, PoolError, PoolTransaction, SenderView, SharedPool, Timestamp,
};

/// How often an account is read anew because its code changed between reading and inserting.
const VIEW_ATTEMPTS: usize = 3;

/// A transaction as it was submitted.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) bytes: Bytes,
    pub(super) origin: Origin,
    pub(super) received: Timestamp,
}

type Recovered = Result<Arc<PoolTransaction>, PoolError>;
type View = Result<SenderView, ReadError>;

/// Decoding, checks, recovery and insertion.
#[derive(Debug)]
pub(super) struct Stage {
    pool: SharedPool,
}

impl Stage {
    pub(super) const fn new(pool: SharedPool) -> Self {
        Self { pool }
    }

    /// Decodes transactions, checks what needs no state, and recovers the senders. Known ones are
    /// sorted out before the costly part.
    pub(super) fn recover(&self, raws: &[Raw]) -> Vec<Recovered> {
        let limit = self.pool.config().max_tx_bytes;
        let hashes: Vec<Result<B256, PoolError>> = raws
            .iter()
            .map(|raw| check_size(raw.bytes.len(), limit).map(|()| keccak256(&raw.bytes)))
            .collect();
        let (known, conditions) = self.pool.read(|pool| {
            let known = |hash: &B256| pool.is_current(hash);
            let known: Vec<bool> =
                hashes.iter().map(|hash| hash.as_ref().is_ok_and(known)).collect();
            (known, *pool.conditions())
        });
        let parts = raws.iter().zip(hashes).zip(known);
        let decoded: Vec<Result<(TxEnvelope, B256), PoolError>> = parts
            .map(|((raw, hash), known)| match hash {
                Ok(_) if known => Err(PoolError::AlreadyKnown),
                Ok(hash) => Ok((self.decode(raw, hash, &conditions)?, hash)),
                Err(error) => Err(error),
            })
            .collect();
        let txs = decoded.iter().flatten().map(|(tx, _)| tx);
        let mut senders = recover_senders(txs).into_iter();
        let join = |(raw, decoded): (&Raw, Result<(TxEnvelope, B256), PoolError>)| {
            let (tx, hash) = decoded?;
            let sender = senders.next().and_then(Result::ok).ok_or(PoolError::InvalidSender)?;
            Ok(self.join(raw, tx, hash, sender))
        };
        raws.iter().zip(decoded).map(join).collect()
    }

    /// Decodes a transaction and checks what needs neither state nor sender.
    fn decode(
        &self,
        raw: &Raw,
        hash: B256,
        conditions: &BlockConditions,
    ) -> Result<TxEnvelope, PoolError> {
        let tx = decode_hashed(&raw.bytes, hash)?;
        if raw.origin != Origin::Restored {
            check_fee(&tx, self.pool.config())?;
        }
        check_stateless(&tx, raw.bytes.len(), conditions, self.pool.config())?;
        Ok(tx)
    }

    fn join(&self, raw: &Raw, tx: TxEnvelope, hash: B256, sender: Address) -> Arc<PoolTransaction> {
        let rollup_cost = self.pool.tip().rollup_cost(&raw.bytes, tx.gas_limit());
        let signed = SignedTx::new_unchecked(tx, sender);
        let tx = PoolTransaction::new(signed, hash, raw.bytes.clone(), raw.origin, raw.received);
        Arc::new(tx.with_rollup_cost(rollup_cost))
    }

    /// Inserts recovered transactions: at once where the sender is known, the others after their
    /// senders' accounts have been read without the lock.
    pub(super) fn insert(&self, recovered: Vec<Recovered>) -> Vec<Result<B256, PoolError>> {
        let now = self.pool.now();
        let mut late = Vec::new();
        let mut results: Vec<Result<B256, PoolError>> = self.pool.with(|pool| {
            let insert = |(index, tx): (usize, Recovered)| {
                let tx = tx?;
                let has_authorizations = tx.envelope().authorization_list().is_some();
                if has_authorizations || pool.needs_view(tx.sender()) {
                    pool.register(tx.sender(), now);
                    late.push((index, tx));
                    return Err(PoolError::Busy);
                }
                let hash = tx.hash();
                let result = pool.insert(tx.clone(), None, now).map(|_| hash);
                if matches!(result, Err(PoolError::SenderNotLoaded { .. })) {
                    // Its sender was the one that had rested for longest and made room just now.
                    pool.register(tx.sender(), now);
                    late.push((index, tx));
                }
                result
            };
            recovered.into_iter().enumerate().map(insert).collect()
        });
        for _ in 0..VIEW_ATTEMPTS {
            if late.is_empty() {
                break;
            }
            self.insert_late(&mut late, &mut results, now);
        }
        self.pool.count(&results);
        results
    }

    /// Counts the results of a batch that [`Self::insert`] did not come to count.
    pub(super) fn count(&self, results: &[Result<B256, PoolError>]) {
        self.pool.count(results);
    }

    /// Reads the accounts of senders and inserts their transactions. Leaves in `late` what has to
    /// be tried again.
    fn insert_late(
        &self,
        late: &mut Vec<(usize, Arc<PoolTransaction>)>,
        results: &mut [Result<B256, PoolError>],
        now: Timestamp,
    ) {
        let view = self.pool.tip().view();
        let mut views: HashMap<Address, View> = HashMap::default();
        let mut ready = Vec::with_capacity(late.len());
        for (index, mut tx) in late.drain(..) {
            let sender = tx.sender();
            let account =
                views.entry(sender).or_insert_with(|| SenderView::read(view.as_ref(), sender));
            match account.clone().map_err(PoolError::from).and_then(|account| {
                add_authorities(&mut tx, &account)?;
                Ok(account)
            }) {
                Ok(account) => ready.push((index, tx, account)),
                Err(error) => results[index] = Err(error),
            }
        }
        self.pool.with(|pool| {
            for (index, tx, account) in ready {
                let hash = tx.hash();
                let result = pool.insert(tx.clone(), Some(&account), now).map(|_| hash);
                if matches!(result, Err(PoolError::SenderNotLoaded { .. })) {
                    late.push((index, tx));
                } else {
                    results[index] = result;
                }
            }
        });
    }
}

/// Recovers the signers of an authorization list, at 45 µs each; therefore only for a sender who
/// can pay for the transaction.
fn add_authorities(tx: &mut Arc<PoolTransaction>, sender: &SenderView) -> Result<(), PoolError> {
    if tx.envelope().authorization_list().is_none() || !tx.authorities().is_empty() {
        return Ok(());
    }
    let SenderView { account, .. } = sender;
    let nonce = tx.nonce();
    if nonce < account.nonce {
        return Err(PoolError::NonceTooLow { next: account.nonce, nonce });
    }
    let cost = tx.cost().saturating_add(U256::from(tx.rollup_fee()));
    if account.balance < cost {
        return Err(PoolError::InsufficientFunds { balance: account.balance, cost });
    }
    let authorities = recover_authorities(tx.envelope());
    Arc::make_mut(tx).set_authorities(authorities);
    Ok(())
}
