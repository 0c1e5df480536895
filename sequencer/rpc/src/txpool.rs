//! The `txpool` namespace.
//!
//! A transaction stays pending here until its block is sealed, as clients know it from nodes that
//! execute only then; the pool itself lets go of it when the open block has executed it.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::transaction::Recovered;
use alloy_primitives::{Address, U64};
use cairn_pool::{Origin, PoolTransaction, SenderContent, Timestamp};
use serde::Serialize;

use crate::params::AddressParam;
use crate::scan::Scan;
use crate::view::{TransactionView, index};
use crate::{Args, Backend, Methods, RpcError, answer};

pub(crate) fn register(methods: &mut Methods) {
    methods.quick("txpool_status", 0, status);
    methods.scanning("txpool_content", 0, |backend, _, scan| content(backend, whole, scan));
    methods.scanning("txpool_inspect", 0, |backend, _, scan| {
        content(backend, |tx| Ok(tx.inspect()), scan)
    });
    methods.reading("txpool_contentFrom", 1, content_from);
}

#[derive(Debug, Serialize)]
struct Parts<T> {
    pending: T,
    queued: T,
}

/// Transactions of one sender by nonce, in decimal.
type ByNonce<T> = BTreeMap<String, T>;
type Json = Box<serde_json::value::RawValue>;

/// The base-fee sub-pool counts as pending, as geth counts it.
fn status(backend: &Backend, _: &Args) -> Result<Parts<U64>, RpcError> {
    let status = backend.pool.status();
    let pooled = status.pending.saturating_add(status.base_fee);
    let pending = pooled.saturating_add(backend.chain.pending_count());
    Ok(Parts { pending: index(pending), queued: index(status.queued) })
}

/// What the open block has executed out of the pool.
fn executed(backend: &Backend) -> Vec<Arc<PoolTransaction>> {
    let open = backend.chain.pending();
    let transactions = open.iter().flat_map(|open| open.transactions.iter());
    transactions
        .filter(|done| !done.tx.is_deposit_tx())
        .map(|done| {
            let signed = Recovered::new_unchecked(done.tx.clone(), done.sender);
            Arc::new(PoolTransaction::from_recovered(signed, Origin::Remote, Timestamp::default()))
        })
        .collect()
}

fn whole(tx: &PoolTransaction) -> Result<Json, RpcError> {
    let at = crate::eth::pool_placement();
    answer(Ok(TransactionView::new(tx.envelope(), tx.sender(), at, None)))
}

fn by_nonce<T>(
    txs: &[Arc<PoolTransaction>],
    show: fn(&PoolTransaction) -> Result<T, RpcError>,
) -> Result<ByNonce<T>, RpcError> {
    txs.iter().map(|tx| Ok((tx.nonce().to_string(), show(tx)?))).collect()
}

fn content<T>(
    backend: &Backend,
    show: fn(&PoolTransaction) -> Result<T, RpcError>,
    scan: &Scan,
) -> Result<Parts<BTreeMap<String, ByNonce<T>>>, RpcError> {
    let mut content = backend.pool.read(|pool| pool.content());
    for tx in executed(backend) {
        content.entry(tx.sender()).or_default().pending.push(tx);
    }
    let mut parts = Parts { pending: BTreeMap::new(), queued: BTreeMap::new() };
    for (sender, SenderContent { pending, queued }) in &content {
        scan.check()?;
        let sender = Address::to_checksum(sender, None);
        if !pending.is_empty() {
            parts.pending.insert(sender.clone(), by_nonce(pending, show)?);
        }
        if !queued.is_empty() {
            parts.queued.insert(sender, by_nonce(queued, show)?);
        }
    }
    Ok(parts)
}

fn content_from(backend: &Backend, args: &Args) -> Result<Parts<ByNonce<Json>>, RpcError> {
    let sender = args.required::<AddressParam>(0)?.0;
    let mut content = backend.pool.read(|pool| pool.content_from(sender));
    content.pending.extend(executed(backend).into_iter().filter(|tx| tx.sender() == sender));
    Ok(Parts {
        pending: by_nonce(&content.pending, whole)?,
        queued: by_nonce(&content.queued, whole)?,
    })
}
