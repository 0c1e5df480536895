//! Quorums, as they were last read on L1.
//!
//! Snapshots do not change; endpoints do, and so does all of it in a reorganisation. So everything is read again
//! after a while ([`GatewayConfig::quorum_fresh`]), for dispersal and for reads alike, and before that when
//! the current epoch or its seed is another one.
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
use tokio::time::Instant;

use super::GatewayError;

/// Quorums of epochs that are remembered.
const QUORUMS: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");
/// How long L1 is not asked again for its epoch.
const EPOCH_FRESH: Duration = Duration::from_secs(1);
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
    epochs: Mutex<LruCache<Epoch, Read<Arc<Quorum>>>>,
}

impl Quorums {
    pub(super) fn new(registry: Registry, fresh: Duration) -> Self {
        Self {
            registry,
            fresh,
            current: Mutex::new(None),
            epochs: Mutex::new(LruCache::new(QUORUMS)),
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
        let epoch = self.registry.current_epoch(at).await.map_err(ClientError::from)?;
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
        let read = self.epochs.lock().get(&epoch).filter(|read| read.within(self.fresh)).cloned();
        if let Some(read) = read {
            return Ok(read.value);
        }
        let quorum = self.registry.latest_quorum(epoch).await.map_err(ClientError::from)?;
        let quorum = Arc::new(quorum.ok_or(ClientError::UnknownEpoch(epoch))?);
        self.epochs.lock().put(epoch, Read::now(quorum.clone()));
        Ok(quorum)
    }
}
