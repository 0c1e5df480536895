//! Handing frames to the DA network.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::eips::BlockId;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::Bytes;
use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::registry::{Quorum, QuorumName};
use cairn_da_client::{ClientError, Dispersed, Disperser, Nodes, Reservations};
use cairn_primitives::da::{Epoch, Timestamp};
use tokio::sync::Mutex;

use crate::{DataReader, DriverError};

/// How payloads are dispersed.
#[derive(Debug, Clone, Copy)]
pub struct DispersalConfig {
    /// Time for which rows are kept.
    pub lifetime: Duration,
    /// Patience with the operators.
    pub collect: CollectPolicy,
}

impl Default for DispersalConfig {
    fn default() -> Self {
        let lifetime = Duration::from_secs(13 * 86_400);
        Self { lifetime, collect: CollectPolicy::default() }
    }
}

/// Disperses payloads to the quorum of L1's current epoch.
#[derive(Debug)]
pub struct Dispersal {
    data: DataReader,
    disperser: Disperser,
    config: DispersalConfig,
    /// The quorum read last, with what it was called.
    quorum: Mutex<Option<(Epoch, QuorumName, Quorum)>>,
    reservations: Reservations,
}

impl Dispersal {
    /// Payloads are paid for by `payer`.
    ///
    /// # Errors
    /// [`DriverError::Da`].
    pub async fn new(
        data: DataReader,
        payer: PrivateKeySigner,
        config: DispersalConfig,
    ) -> Result<Self, DriverError> {
        let domain = data.registry().await?.domain();
        let disperser = Disperser::new(Nodes::new()?, domain, payer, config.collect);
        let quorum = Mutex::new(None);
        Ok(Self { data, disperser, config, quorum, reservations: Reservations::default() })
    }

    /// Disperses a payload as a matrix of its own.
    ///
    /// # Errors
    /// [`DriverError::Da`]: the network is to be left for L1 for a while.
    pub async fn disperse(&self, payload: Bytes) -> Result<Dispersed, DriverError> {
        let quorum = self.current_quorum().await?;
        let now = now();
        let expiry = Timestamp(now.as_secs().saturating_add(self.config.lifetime.as_secs()))
            .min(quorum.snapshot.certificates_end());
        let reservation = self.reservations.next(now);
        let started = std::time::Instant::now();
        let done = self.disperser.disperse(&quorum, payload.0, reservation, expiry).await?;
        metrics::histogram!("cairn_batcher_dispersal_seconds")
            .record(started.elapsed().as_secs_f64());
        Ok(done)
    }

    /// The quorum of L1's current epoch, read anew when it has changed.
    async fn current_quorum(&self) -> Result<Quorum, DriverError> {
        let registry = self.data.registry().await?;
        let at = BlockId::latest();
        let epoch = registry.current_epoch(at).await.map_err(ClientError::from)?;
        let name = registry.quorum_name(epoch, at).await.map_err(ClientError::from)?;
        let name = name.ok_or(ClientError::UnknownEpoch(epoch))?;
        let mut known = self.quorum.lock().await;
        if let Some((known_epoch, known_name, quorum)) = &*known
            && (*known_epoch, *known_name) == (epoch, name)
        {
            return Ok(quorum.clone());
        }
        let quorum = registry.quorum(epoch, &name, at).await.map_err(ClientError::from)?;
        *known = Some((epoch, name, quorum.clone()));
        Ok(quorum)
    }
}

/// Since the epoch. A clock before it gives zero, which the nodes refuse with their own time.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
#[path = "dispersal_tests.rs"]
mod tests;
