//! Installed filters: changes are collected until the client asks for them.
//!
//! A filter that is not asked for a while is removed, and one that collects too much is removed
//! too: its client gets `filter not found` and installs it again, as after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alloy_primitives::map::HashMap;
use alloy_primitives::{B128, B256};
use cairn_chain::ChainEvent;
use cairn_pool::PoolTransaction;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use super::criteria::{Criteria, CriteriaParam};
use super::{feed, query};
use crate::view::{LogView, TransactionView};
use crate::{Args, Backend, MethodLimits, Methods, RpcError, answer};

pub(super) fn register(methods: &mut Methods) {
    methods.quick("eth_newFilter", 1, new_log_filter);
    methods.quick("eth_newBlockFilter", 0, |backend, _| {
        backend.filters.install(Changes::Blocks(Vec::new()))
    });
    methods.quick("eth_newPendingTransactionFilter", 1, new_pending_filter);
    methods.quick("eth_uninstallFilter", 1, |backend, args| {
        Ok(backend.filters.remove(&args.required::<String>(0)?))
    });
    methods.quick("eth_getFilterChanges", 1, |backend, args| {
        backend.filters.changes(&args.required::<String>(0)?)
    });
    methods.reading("eth_getFilterLogs", 1, |backend, args| {
        let criteria = backend.filters.criteria(&args.required::<String>(0)?)?;
        query::logs(backend, &criteria)
    });
}

/// All installed filters.
#[derive(Debug)]
pub(crate) struct Filters {
    installed: Mutex<HashMap<String, Filter>>,
    /// Whether a task collects pooled transactions: only while some filter wants them.
    pub(super) pool_feed: AtomicBool,
    lifetime: Duration,
    most: usize,
    most_changes: usize,
    most_changes_total: usize,
}

#[derive(Debug)]
struct Filter {
    deadline: Instant,
    changes: Changes,
}

/// What a filter collects.
#[derive(Debug)]
enum Changes {
    Logs(Arc<Criteria>, Vec<LogView>),
    Blocks(Vec<B256>),
    TransactionHashes(Vec<B256>),
    Transactions(Vec<Arc<PoolTransaction>>),
}

impl Changes {
    const fn len(&self) -> usize {
        match self {
            Self::Logs(_, logs) => logs.len(),
            Self::Blocks(hashes) | Self::TransactionHashes(hashes) => hashes.len(),
            Self::Transactions(txs) => txs.len(),
        }
    }

    /// Gives what was collected, as JSON, and forgets it.
    fn take(&mut self) -> Result<Box<RawValue>, RpcError> {
        match self {
            Self::Logs(_, logs) => answer(Ok(std::mem::take(logs))),
            Self::Blocks(hashes) | Self::TransactionHashes(hashes) => {
                answer(Ok(std::mem::take(hashes)))
            }
            Self::Transactions(txs) => {
                let txs = std::mem::take(txs);
                let view = |tx: &Arc<PoolTransaction>| pooled_json(tx);
                answer(Ok(txs.iter().map(view).collect::<Result<Vec<_>, _>>()?))
            }
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
            installed: Mutex::new(HashMap::default()),
            pool_feed: AtomicBool::new(false),
            lifetime: limits.filter_lifetime,
            most: limits.filters,
            most_changes: limits.filter_changes,
            most_changes_total: limits.filter_changes_total,
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
        self.installed.lock().remove(id).is_some()
    }

    fn changes(&self, id: &str) -> Result<Box<RawValue>, RpcError> {
        let mut installed = self.installed.lock();
        let filter = installed.get_mut(id).ok_or_else(not_found)?;
        filter.deadline = Instant::now() + self.lifetime;
        filter.changes.take()
    }

    fn criteria(&self, id: &str) -> Result<Arc<Criteria>, RpcError> {
        match self.installed.lock().get(id).map(|filter| &filter.changes) {
            Some(Changes::Logs(criteria, _)) => Ok(criteria.clone()),
            _ => Err(not_found()),
        }
    }

    /// Removes filters that nobody asks for.
    pub(super) fn expire(&self, now: Instant) {
        self.installed.lock().retain(|_, filter| filter.deadline > now);
    }

    /// Removes the filters over blocks and logs: changes were lost, and a gap must not go unseen.
    pub(super) fn lose_chain(&self) {
        self.installed.lock().retain(|_, filter| {
            matches!(filter.changes, Changes::TransactionHashes(_) | Changes::Transactions(_))
        });
    }

    pub(super) fn add_chain_event(&self, event: &ChainEvent) {
        let (removed, added) = match event {
            ChainEvent::Extended(added) => (&[][..], &added[..]),
            ChainEvent::Reorged { removed, added } => (&removed[..], &added[..]),
        };
        self.update(|changes| match changes {
            Changes::Logs(criteria, logs) => {
                let gone = removed.iter().map(|block| (block, true));
                for (block, removed) in gone.chain(added.iter().map(|block| (block, false))) {
                    logs.extend(query::live(criteria, block, removed));
                }
            }
            Changes::Blocks(hashes) => hashes.extend(added.iter().map(|block| block.block.hash())),
            Changes::TransactionHashes(_) | Changes::Transactions(_) => {}
        });
    }

    pub(super) fn add_pooled(&self, txs: &[Arc<PoolTransaction>]) {
        self.update(|changes| match changes {
            Changes::TransactionHashes(hashes) => hashes.extend(txs.iter().map(|tx| tx.hash())),
            Changes::Transactions(all) => all.extend(txs.iter().cloned()),
            Changes::Logs(..) | Changes::Blocks(_) => {}
        });
    }

    /// Whether some filter collects pooled transactions. Says no only once, to the feed that ends.
    pub(super) fn wants_pool(&self) -> bool {
        let installed = self.installed.lock();
        let wanted = installed.values().any(|filter| {
            matches!(filter.changes, Changes::TransactionHashes(_) | Changes::Transactions(_))
        });
        if !wanted {
            self.pool_feed.store(false, Ordering::Release);
        }
        wanted
    }

    fn update(&self, mut add: impl FnMut(&mut Changes)) {
        let mut installed = self.installed.lock();
        let mut total = 0;
        installed.retain(|_, filter| {
            add(&mut filter.changes);
            let kept = filter.changes.len() <= self.most_changes;
            total += if kept { filter.changes.len() } else { 0 };
            kept
        });
        while total > self.most_changes_total {
            let largest = installed.iter().max_by_key(|(_, filter)| filter.changes.len());
            let Some((id, len)) = largest.map(|(id, filter)| (id.clone(), filter.changes.len()))
            else {
                break;
            };
            installed.remove(&id);
            total -= len;
        }
    }

    /// Whether no filter is installed.
    pub(super) fn is_empty(&self) -> bool {
        self.installed.lock().is_empty()
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
    fn a_filter_that_collects_too_much_is_removed() {
        let filters = filters(2);
        let id = filters.install(Changes::Blocks(Vec::new())).unwrap();
        let add = |changes: &mut Changes| {
            if let Changes::Blocks(hashes) = changes {
                hashes.extend([B256::ZERO; 2]);
            }
        };
        filters.update(add);
        assert!(filters.changes(&id).is_ok());
        filters.update(add);
        filters.update(add);
        assert!(!filters.remove(&id));
    }

    #[test]
    fn filters_that_collect_too_much_together_lose_the_largest() {
        let limits = MethodLimits {
            filter_changes: 100,
            filter_changes_total: 10,
            ..MethodLimits::default()
        };
        let filters = Filters::new(&limits);
        let small = filters.install(Changes::Blocks(vec![B256::ZERO; 4])).unwrap();
        let large = filters.install(Changes::TransactionHashes(vec![B256::ZERO; 7])).unwrap();
        filters.update(|_| ());
        assert!(!filters.remove(&large));
        assert!(filters.remove(&small));
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
