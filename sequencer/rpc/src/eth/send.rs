//! Submission of transactions.
//!
//! The reactor does no more than decode hex and hand the bytes on: decoding, signature recovery and
//! pooling happen on the pool's own threads.

use std::time::Duration;

use alloy_primitives::{B256, Bytes, keccak256};
use cairn_chain::Preconfirmation;
use cairn_pool::{ErrorKind, Origin, PoolError};
use serde_json::value::RawValue;

use super::blob_sidecar;
use super::receipts::{BlockReceipts, Executed};
use crate::params::BytesParam;
use crate::view::ReceiptView;
use crate::{Args, Backend, Methods, RpcError, answer};

/// Type byte of blob transactions (EIP-4844), which arrive with a sidecar.
const BLOB_TX_TYPE: u8 = 3;

pub(super) fn register(methods: &mut Methods) {
    methods.waiting("eth_sendRawTransaction", 1, |backend, args| {
        Box::pin(async move {
            let raw = args.required::<BytesParam>(0)?.0;
            if let Some(upstream) = &backend.upstream {
                let patience = backend.config.methods.forward_timeout;
                return upstream.forward("eth_sendRawTransaction", &args, patience).await;
            }
            answer(send(&backend, raw).await)
        })
    });
    methods.waiting("eth_sendRawTransactionSync", 2, |backend, args| {
        Box::pin(send_sync(backend, args))
    });
}

/// Hands a transaction to the pool; gives its hash once it is pooled.
async fn send(backend: &Backend, raw: Bytes) -> Result<B256, RpcError> {
    check_disk(backend)?;
    let raw = canonical(backend, raw).await?;
    Ok(backend.recovery.add(raw, origin(backend)).await?)
}

/// A node that cannot write what it promises takes no more promises.
pub(crate) fn check_disk(backend: &Backend) -> Result<(), RpcError> {
    if backend.chain.is_disk_full() {
        return Err(RpcError::server("no transactions are accepted: the disk is full"));
    }
    Ok(())
}

/// What submitted transactions count as.
pub(crate) fn origin(backend: &Backend) -> Origin {
    if backend.config.local_transactions { Origin::Local } else { Origin::Remote }
}

/// Whether a raw transaction is as a block holds it, without a sidecar to take off.
pub(crate) fn is_plain(backend: &Backend, raw: &[u8]) -> bool {
    raw.first() != Some(&BLOB_TX_TYPE) || backend.spec().is_optimism()
}

/// Takes the sidecar off a blob transaction, after it has been checked.
async fn canonical(backend: &Backend, raw: Bytes) -> Result<Bytes, RpcError> {
    if is_plain(backend, &raw) {
        return Ok(raw);
    }
    backend.execute(move || blob_sidecar::strip(raw)).await
}

/// Sends a transaction and waits until the open block has executed it (EIP-7966).
///
/// The receipt is given as soon as the transaction is executed and journaled. Its block is then
/// still open: `blockHash` is the zero hash, `blockNumber` the number that the block will have.
async fn send_sync(backend: Backend, args: Args) -> Result<Box<RawValue>, RpcError> {
    let raw = args.required::<BytesParam>(0)?.0;
    let timeout = timeout(&backend, &args)?;
    if let Some(upstream) = &backend.upstream {
        let patience = timeout.saturating_add(backend.config.methods.forward_timeout);
        return upstream.forward("eth_sendRawTransactionSync", &args, patience).await;
    }
    check_disk(&backend)?;
    let raw = canonical(&backend, raw).await?;
    let hash = keccak256(&raw);
    // Before it is submitted: it may be executed before the submission returns.
    let executed = backend.chain.wait_for(hash);
    match backend.recovery.add(raw, origin(&backend)).await {
        Ok(_) => {}
        // The pool forgets a transaction some time after it was sealed; its nonce is used then.
        Err(error @ (PoolError::AlreadyKnown | PoolError::NonceTooLow { .. })) => {
            match sealed(&backend, hash).await? {
                Some(receipt) => return Ok(receipt),
                None if error.kind() == ErrorKind::AlreadyKnown => {}
                None => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    }
    match tokio::time::timeout(timeout, executed).await {
        // Everything is in memory: a hop to another thread would cost more than the answer.
        Ok(Ok(found)) => answer(Ok(open_receipt(&backend, &found))),
        Ok(Err(_)) => match sealed(&backend, hash).await? {
            Some(receipt) => Ok(receipt),
            None => Err(not_ready(hash)),
        },
        Err(_) => {
            let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            Err(RpcError::SyncTimeout { hash, millis })
        }
    }
}

/// Code 5 of EIP-7966: the transaction left the pool without being executed.
fn not_ready(hash: B256) -> RpcError {
    RpcError::Coded {
        code: 5,
        message: "The transaction was added to the transaction pool but wasn't processed".into(),
        data: Some(hash.to_string().into()),
    }
}

/// The time that the caller names in milliseconds, as number or quantity, or the node's.
fn timeout(backend: &Backend, args: &Args) -> Result<Duration, RpcError> {
    let limits = &backend.config.methods;
    let named = args.optional::<crate::params::LenientCount>(1)?.map(|millis| millis.0);
    Ok(match named {
        None | Some(0) => limits.sync_timeout,
        Some(millis) => Duration::from_millis(millis).min(limits.sync_timeout_max),
    })
}

/// The receipt of a transaction that a sealed block holds already.
async fn sealed(backend: &Backend, hash: B256) -> Result<Option<Box<RawValue>>, RpcError> {
    let work = backend.clone();
    backend.read(move || super::receipts::find(&work, hash)).await
}

fn open_receipt(backend: &Backend, found: &Preconfirmation) -> ReceiptView {
    let first = Some(&found.first.tx);
    let common = BlockReceipts::new(backend.spec(), &found.header, B256::ZERO, first);
    let tx = &found.tx;
    common.view(Executed {
        tx: &tx.tx,
        sender: tx.sender,
        receipt: &tx.receipt,
        index: tx.index,
        gas_used: tx.gas_used,
        first_log: tx.first_log,
    })
}
