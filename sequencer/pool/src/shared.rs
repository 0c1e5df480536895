//! The pool behind a lock, with subscribers and a builder to wake.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, B256};
use parking_lot::{Mutex, RwLock};
use tokio::sync::broadcast;

use crate::event::Effects;
use crate::metrics::PoolMetrics;
use crate::{
    BlockConditions, Pool, PoolConfig, PoolError, PoolEvent, PoolStatus, PoolTransaction,
    Timestamp, TipState,
};

/// Called when the builder, having found nothing, has something to take. Must not block: it runs
/// on the thread that inserted the transaction.
type Waker = Arc<dyn Fn() + Send + Sync>;

/// A [`Pool`] that threads share. Cheap to clone.
#[derive(Clone)]
pub struct SharedPool {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Mutex<Pool>,
    config: PoolConfig,
    tip: Arc<dyn TipState>,
    events: broadcast::Sender<PoolEvent>,
    waker: RwLock<Option<Waker>>,
    metrics: PoolMetrics,
}

impl std::fmt::Debug for SharedPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedPool").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl SharedPool {
    /// An empty pool over a chain. Metrics go to the recorder installed at this moment.
    pub fn new(config: PoolConfig, tip: Arc<dyn TipState>, conditions: BlockConditions) -> Self {
        let (events, _) = broadcast::channel(config.event_capacity.get());
        let inner = Inner {
            pool: Mutex::new(Pool::new(config.clone(), conditions)),
            config,
            tip,
            events,
            waker: RwLock::new(None),
            metrics: PoolMetrics::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Limits and policies.
    pub fn config(&self) -> &PoolConfig {
        &self.inner.config
    }

    /// The chain that transactions are admitted against.
    pub fn tip(&self) -> &Arc<dyn TipState> {
        &self.inner.tip
    }

    /// Sets what is called when the builder has something to take after it found nothing, such as
    /// `Thread::unpark`. Called once for each such change, not for each transaction.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        *self.inner.waker.write() = Some(Arc::new(waker));
        // What came before the waker was set must not be missed.
        self.with(|_| ());
    }

    /// Changes the pool. Take the lock once for a batch of operations: events are published and the
    /// builder is woken once, after the lock is released.
    pub fn with<R>(&self, change: impl FnOnce(&mut Pool) -> R) -> R {
        let mut pool = self.inner.pool.lock();
        let result = change(&mut pool);
        let effects = pool.take_effects();
        let status = pool.status();
        drop(pool);
        self.inner.metrics.show(&status);
        self.publish(effects);
        result
    }

    /// Looks at the pool.
    pub fn read<R>(&self, look: impl FnOnce(&Pool) -> R) -> R {
        look(&self.inner.pool.lock())
    }

    /// Subscribes to what becomes executable and what is dropped. A subscriber that lags more than
    /// the configured number of batches behind loses the oldest and is told so.
    pub fn subscribe(&self) -> broadcast::Receiver<PoolEvent> {
        self.inner.events.subscribe()
    }

    /// A pooled transaction; executed ones are the chain's to show.
    pub fn get(&self, hash: &B256) -> Option<Arc<PoolTransaction>> {
        self.read(|pool| pool.get(hash))
    }

    /// Nonce after the sender's last executable transaction; `None` if the pool does not know the
    /// account and the state answers.
    pub fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.read(|pool| pool.pending_nonce(sender))
    }

    /// Sizes.
    pub fn status(&self) -> PoolStatus {
        self.read(Pool::status)
    }

    /// Hands out up to `max` transactions, best first. See [`Pool::take_best`].
    pub fn take_best(&self, max: usize, out: &mut Vec<Arc<PoolTransaction>>) {
        self.inner.pool.lock().take_best(max, out);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn count<T>(&self, results: &[Result<T, PoolError>]) {
        let rejected = results.iter().filter_map(|result| result.as_ref().err());
        let mut failed = 0;
        for error in rejected {
            failed += 1;
            self.inner.metrics.count_rejected(error);
        }
        self.inner.metrics.count_inserted(results.len() - failed);
    }

    fn publish(&self, effects: Effects) {
        for (_, reason) in &effects.dropped {
            self.inner.metrics.count_dropped(*reason);
        }
        if self.inner.events.receiver_count() > 0 {
            // A send fails only when the last subscriber has just left.
            if !effects.promoted.is_empty() {
                let _ = self.inner.events.send(PoolEvent::Pending(effects.promoted.into()));
            }
            if !effects.dropped.is_empty() {
                let _ = self.inner.events.send(PoolEvent::Dropped(effects.dropped.into()));
            }
        }
        if effects.wake_builder {
            let waker = self.inner.waker.read().clone();
            if let Some(waker) = waker {
                waker();
            }
        }
    }
}
