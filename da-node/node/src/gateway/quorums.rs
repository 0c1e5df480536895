//! Quorums, as they were last read on L1.
//!
//! Snapshots do not change; endpoints do, and so does all of it in a reorganisation. So everything is read again
//! after a while ([`GatewayConfig::quorum_fresh`]), for dispersal and for reads alike, and before that when
//! the current epoch or its seed is another one. Certificates name epochs, and anybody can make one up:
//! what L1 does not have is remembered for a moment too, and epochs that are yet to come are not asked for.
//!
//! [`GatewayConfig::quorum_fresh`]: super::GatewayConfig::quorum_fresh

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockId;
use cairn_da_client::ClientError;
use cairn_da_client::registry::{Quorum, Registry};
use cairn_primitives::da::Epoch;
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::GatewayError;

/// Quorums of epochs that are remembered.
const QUORUMS: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");
/// Epochs without a quorum that are remembered.
const MISSING: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");
/// How long L1 is not asked again for its epoch, nor about an epoch that had no quorum.
const EPOCH_FRESH: Duration = Duration::from_secs(1);
/// Epochs that L1 is asked about at a time.
const LOOK_UPS: usize = 4;

/// Something, and when it was read.
#[derive(Debug, Clone)]
struct Read<T> {
    value: T,
    at: Instant,
}

impl<T> Read<T> {
    fn now(value: T) -> Self {
        Self { value, at: Instant::now() }
    }

    fn within(&self, time: Duration) -> bool {
        self.at.elapsed() < time
    }
}

/// The quorum of the current epoch.
#[derive(Debug, Clone)]
struct Current {
    quorum: Read<Arc<Quorum>>,
    /// When L1 last said that it still is.
    checked: Instant,
}

/// What the gateway knows of the registry.
#[derive(Debug)]
pub(super) struct Quorums {
    registry: Registry,
    fresh: Duration,
    current: Mutex<Option<Current>>,
    /// L1's epoch.
    newest: Mutex<Option<Read<Epoch>>>,
    epochs: Mutex<LruCache<Epoch, Read<Arc<Quorum>>>>,
    missing: Mutex<LruCache<Epoch, Instant>>,
    look_ups: Semaphore,
}

impl Quorums {
    pub(super) fn new(registry: Registry, fresh: Duration) -> Self {
        Self {
            registry,
            fresh,
            current: Mutex::new(None),
            newest: Mutex::new(None),
            epochs: Mutex::new(LruCache::new(QUORUMS)),
            missing: Mutex::new(LruCache::new(MISSING)),
            look_ups: Semaphore::new(LOOK_UPS),
        }
    }

    /// The quorum of L1's current epoch.
    ///
    /// # Errors
    /// [`GatewayError::NoQuorum`], [`GatewayError::Client`] while L1 does not answer.
    pub(super) async fn current(&self) -> Result<Arc<Quorum>, GatewayError> {
        let known = self.current.lock().clone();
        if let Some(Current { quorum, checked }) = &known
            && checked.elapsed() < EPOCH_FRESH
        {
            return Ok(quorum.value.clone());
        }
        let at = BlockId::latest();
        let epoch = self.read_epoch().await?;
        let name = self.registry.quorum_name(epoch, at).await.map_err(ClientError::from)?;
        let name = name.ok_or(GatewayError::NoQuorum)?;
        let same = |known: &Read<Arc<Quorum>>| {
            let snapshot = &known.value.snapshot;
            snapshot.epoch() == epoch && snapshot.seed() == name.seed && known.within(self.fresh)
        };
        let quorum = match known.map(|known| known.quorum).filter(same) {
            Some(known) => known,
            None => {
                let quorum = self.registry.quorum(epoch, &name, at).await;
                Read::now(Arc::new(quorum.map_err(ClientError::from)?))
            }
        };
        let answer = quorum.value.clone();
        *self.current.lock() = Some(Current { quorum, checked: Instant::now() });
        Ok(answer)
    }

    /// The quorum of an epoch.
    ///
    /// # Errors
    /// [`ClientError::UnknownEpoch`], [`GatewayError::Client`] while L1 does not answer.
    pub(super) async fn of(&self, epoch: Epoch) -> Result<Arc<Quorum>, GatewayError> {
        if let Some(known) = self.known(epoch) {
            return known;
        }
        // The semaphore is never closed.
        let _turn = self.look_ups.acquire().await.map_err(|_| GatewayError::Busy)?;
        // Somebody else may have asked meanwhile.
        if let Some(known) = self.known(epoch) {
            return known;
        }
        if self.is_ahead(epoch) && epoch > next(self.read_epoch().await?) {
            return Err(ClientError::UnknownEpoch(epoch).into());
        }
        let quorum = self.registry.latest_quorum(epoch).await.map_err(ClientError::from)?;
        let Some(quorum) = quorum.map(Arc::new) else {
            self.missing.lock().put(epoch, Instant::now());
            return Err(ClientError::UnknownEpoch(epoch).into());
        };
        self.epochs.lock().put(epoch, Read::now(quorum.clone()));
        Ok(quorum)
    }

    /// What can be said of an epoch without L1.
    fn known(&self, epoch: Epoch) -> Option<Result<Arc<Quorum>, GatewayError>> {
        let read = self.epochs.lock().get(&epoch).filter(|read| read.within(self.fresh)).cloned();
        if let Some(read) = read {
            return Some(Ok(read.value));
        }
        let newest = self.newest.lock().clone().filter(|read| read.within(EPOCH_FRESH));
        let to_come = newest.is_some_and(|newest| epoch > next(newest.value));
        let missing = self.missing.lock().peek(&epoch).is_some_and(|at| at.elapsed() < EPOCH_FRESH);
        (to_come || missing).then(|| Err(ClientError::UnknownEpoch(epoch).into()))
    }

    /// Whether an epoch lies ahead of those that L1 had when it was last asked, if it was.
    fn is_ahead(&self, epoch: Epoch) -> bool {
        self.newest.lock().as_ref().is_none_or(|newest| epoch > next(newest.value))
    }

    async fn read_epoch(&self) -> Result<Epoch, GatewayError> {
        let epoch = self.registry.current_epoch(BlockId::latest()).await;
        let epoch = epoch.map_err(ClientError::from)?;
        *self.newest.lock() = Some(Read::now(epoch));
        Ok(epoch)
    }
}

/// The last epoch that can have a snapshot: they are taken one ahead.
fn next(epoch: Epoch) -> Epoch {
    Epoch(epoch.0.saturating_add(1))
}
