//! Installed filters: changes are collected until the client asks for them.
//!
//! A filter that is not asked for a while is removed, and one that collects too much is removed
//! too: its client gets `filter not found` and installs it again, as after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alloy_primitives::{B128, B256};
use cairn_chain::ChainEvent;
use cairn_pool::PoolTransaction;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use super::criteria::{Criteria, CriteriaParam};
use super::table::{Changes, Filter, Table};
use super::{feed, query};
use crate::view::TransactionView;
use crate::{Args, Backend, MethodLimits, Methods, RpcError, answer};

pub(super) fn register(methods: &mut Methods) {
    // None of them on the reactor: they wait for each other, and changes may be many.
    methods.reading("eth_newFilter", 1, new_log_filter);
    methods.reading("eth_newBlockFilter", 0, |backend, _| {
        backend.filters.install(Changes::Blocks(Vec::new()))
    });
    methods.reading("eth_newPendingTransactionFilter", 1, new_pending_filter);
    methods.reading("eth_uninstallFilter", 1, |backend, args| {
        Ok(backend.filters.remove(&args.required::<String>(0)?))
    });
    methods.reading("eth_getFilterChanges", 1, |backend, args| {
        backend.filters.changes(&args.required::<String>(0)?)
    });
    methods.scanning("eth_getFilterLogs", 1, |backend, args, scan| {
        let criteria = backend.filters.criteria(&args.required::<String>(0)?)?;
        query::logs(backend, &criteria, scan)
    });
}

/// All installed filters.
#[derive(Debug)]
pub(crate) struct Filters {
    installed: Mutex<Table>,
    /// Whether a task collects pooled transactions: only while some filter wants them.
    pub(super) pool_feed: AtomicBool,
    lifetime: Duration,
    most: usize,
    most_changes: usize,
}

/// What was collected, as JSON.
fn changes_json(changes: &Changes) -> Result<Box<RawValue>, RpcError> {
    match changes {
        Changes::Logs(_, logs) => answer(Ok(logs)),
        Changes::Blocks(hashes) | Changes::TransactionHashes(hashes) => answer(Ok(hashes)),
        Changes::Transactions(txs) => {
            let view = |tx: &Arc<PoolTransaction>| pooled_json(tx);
            answer(Ok(txs.iter().map(view).collect::<Result<Vec<_>, _>>()?))
        }
    }
}

/// A pooled transaction as JSON.
pub(super) fn pooled_json(tx: &PoolTransaction) -> Result<Box<RawValue>, RpcError> {
    let at = crate::eth::pool_placement();
    answer(Ok(TransactionView::new(tx.envelope(), tx.sender(), at, None)))
}

impl Filters {
    pub(crate) fn new(limits: &MethodLimits) -> Self {
        Self {
            installed: Mutex::new(Table::new(limits.filter_changes, limits.filter_changes_total)),
            pool_feed: AtomicBool::new(false),
            lifetime: limits.filter_lifetime,
            most: limits.filters,
            most_changes: limits.filter_changes,
        }
    }

    fn install(&self, changes: Changes) -> Result<String, RpcError> {
        let mut installed = self.installed.lock();
        if installed.len() >= self.most {
            return Err(RpcError::LimitExceeded(format!("too many filters (max {})", self.most)));
        }
        let id = random_id();
        let deadline = Instant::now() + self.lifetime;
        installed.insert(id.clone(), Filter { deadline, changes });
        Ok(id)
    }

    fn remove(&self, id: &str) -> bool {
        self.installed.lock().remove(id)
    }

    fn changes(&self, id: &str) -> Result<Box<RawValue>, RpcError> {
        let taken = self.installed.lock().take(id, Instant::now() + self.lifetime);
        changes_json(&taken.ok_or_else(not_found)?)
    }

    fn criteria(&self, id: &str) -> Result<Arc<Criteria>, RpcError> {
        match self.installed.lock().get(id) {
            Some(Changes::Logs(criteria, _)) => Ok(criteria.clone()),
            _ => Err(not_found()),
        }
    }

    /// Removes filters that nobody asks for.
    pub(super) fn expire(&self, now: Instant) {
        self.installed.lock().retain(|filter| filter.deadline > now);
    }

    /// Removes the filters over blocks and logs: changes were lost, and a gap must not go unseen.
    pub(super) fn lose_chain(&self) {
        self.installed.lock().retain(|filter| filter.changes.is_of_pool());
    }

    /// Adds the changes of the chain. Each filter is matched by itself and without the lock, so
    /// that methods never wait for more than one of them.
    pub(super) fn add_chain_event(&self, event: &ChainEvent) {
        let (removed, added) = match event {
            ChainEvent::Extended(added) => (&[][..], &added[..]),
            ChainEvent::Reorged { removed, added } => (&removed[..], &added[..]),
        };
        let hashes: Vec<B256> = added.iter().map(|block| block.block.hash()).collect();
        let ids = self.installed.lock().ids(|changes| !changes.is_of_pool());
        for id in ids {
            let Ok(criteria) = self.criteria(&id) else {
                self.installed.lock().append(&id, hashes.len(), |changes| {
                    if let Changes::Blocks(all) = changes {
                        all.extend(&hashes);
                    }
                });
                continue;
            };
            let new = query::live_all(&criteria, removed, added, self.most_changes);
            self.installed.lock().append(&id, new.len(), |changes| {
                if let Changes::Logs(_, logs) = changes {
                    logs.extend(new);
                }
            });
        }
    }

    pub(super) fn add_pooled(&self, txs: &[Arc<PoolTransaction>]) {
        let ids = self.installed.lock().ids(Changes::is_of_pool);
        for id in ids {
            self.installed.lock().append(&id, txs.len(), |changes| match changes {
                Changes::TransactionHashes(hashes) => hashes.extend(txs.iter().map(|tx| tx.hash())),
                Changes::Transactions(all) => all.extend(txs.iter().cloned()),
                Changes::Logs(..) | Changes::Blocks(_) => {}
            });
        }
    }

    /// Whether some filter collects pooled transactions. Says no only once, to the feed that ends.
    pub(super) fn wants_pool(&self) -> bool {
        let installed = self.installed.lock();
        let wanted = !installed.ids(Changes::is_of_pool).is_empty();
        if !wanted {
            self.pool_feed.store(false, Ordering::Release);
        }
        wanted
    }

    /// Whether no filter is installed.
    pub(super) fn is_empty(&self) -> bool {
        self.installed.lock().len() == 0
    }
}

fn not_found() -> RpcError {
    RpcError::server("filter not found")
}

/// A random id without leading zeros, of filters and subscriptions alike.
pub(crate) fn random_id() -> String {
    format!("{:#x}", u128::from_be_bytes(B128::random().0))
}

fn new_log_filter(backend: &Backend, args: &Args) -> Result<String, RpcError> {
    let param: CriteriaParam = args.required(0)?;
    let criteria = param.check(backend.config.methods.log_alternatives)?;
    criteria.check_live()?;
    backend.filters.install(Changes::Logs(Arc::new(criteria), Vec::new()))
}

fn new_pending_filter(backend: &Backend, args: &Args) -> Result<String, RpcError> {
    let full = args.or_default::<bool>(0)?;
    let changes = if full {
        Changes::Transactions(Vec::new())
    } else {
        Changes::TransactionHashes(Vec::new())
    };
    let id = backend.filters.install(changes)?;
    if !backend.filters.pool_feed.swap(true, Ordering::AcqRel) {
        feed::feed_pool(backend);
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(most: usize) -> Filters {
        let limits = MethodLimits { filters: most, filter_changes: 2, ..MethodLimits::default() };
        Filters::new(&limits)
    }

    #[test]
    fn a_filter_that_nobody_asks_for_expires() {
        let filters = filters(1);
        let id = filters.install(Changes::Blocks(Vec::new())).unwrap();
        assert!(filters.install(Changes::Blocks(Vec::new())).is_err(), "the limit holds");
        filters.expire(Instant::now());
        assert_eq!(filters.changes(&id).unwrap().get(), "[]");
        filters.expire(Instant::now() + filters.lifetime * 2);
        assert_eq!(filters.changes(&id).unwrap_err().to_string(), "filter not found");
    }

    #[test]
    fn the_pool_feed_ends_when_no_filter_wants_it() {
        let filters = filters(2);
        filters.pool_feed.store(true, Ordering::Release);
        let id = filters.install(Changes::TransactionHashes(Vec::new())).unwrap();
        assert!(filters.wants_pool());
        assert!(filters.remove(&id));
        assert!(!filters.wants_pool());
        assert!(!filters.pool_feed.load(Ordering::Acquire));
    }
}
