//! The data of batches that are not in the L1 block itself.
//!
//! Blobs have the versioned hashes of their transaction. Rows of the DA network have the hashes root
//! of the certificate's header, whoever serves them; whether the certificate is valid is not asked
//! again, since the inbox has accepted it. The registry is read for the operators' endpoints alone:
//! one that is wrong makes data unavailable, never other data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use cairn_da_client::registry::{Quorum, Registry};
use cairn_da_client::{ClientError, Retriever};
use cairn_primitives::da::{Certificate, CertificateStatus, Epoch};
use cairn_rollup::derivation::{BatchData, DataRequest, DataSource};

use crate::{BlobClient, L1Error, NextStep};

/// Quorums kept.
const QUORUMS_MAX: usize = 8;
/// Pause after data could not be had.
const PAUSE: Duration = Duration::from_secs(2);

/// Data that cannot be had now.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Blobs.
    #[error(transparent)]
    Blobs(#[from] L1Error),
    /// Rows of the DA network.
    #[error("the data of a certificate: {0}")]
    Rows(#[from] ClientError),
    /// A certificate that does not fit the quorum of its epoch, though the inbox accepted it: the
    /// registry as it is read is not the one that the inbox asks, or L1 was reorganised.
    #[error("an accepted certificate reads as {0:?} with the quorum of its epoch")]
    Certificate(CertificateStatus),
    /// A request for the DA network at a node that was not told of one.
    #[error(
        "transaction {transaction} has its data on the DA network, and no registry is configured"
    )]
    NoRegistry {
        /// The transaction.
        transaction: B256,
    },
}

impl DataError {
    /// What to do. Derivation waits for data as long as it takes, and says so.
    pub const fn next_step(&self) -> NextStep {
        match self {
            Self::Blobs(error) => error.next_step(),
            Self::Rows(_) | Self::Certificate(_) => NextStep::Retry(PAUSE),
            Self::NoRegistry { .. } => NextStep::Stop,
        }
    }
}

/// Gets the data of batches.
#[derive(Debug)]
pub struct DataResolver {
    blobs: Arc<BlobClient>,
    network: Option<(Registry, Retriever)>,
    quorums: Mutex<BTreeMap<Epoch, Arc<Quorum>>>,
}

impl DataResolver {
    /// A resolver; without `network` it knows blobs alone.
    pub fn new(blobs: Arc<BlobClient>, network: Option<(Registry, Retriever)>) -> Self {
        Self { blobs, network, quorums: Mutex::default() }
    }

    /// The data that derivation asks for: one entry for each blob in their order, or the payload of
    /// the certificate. A payload that its operators certified and that is none has no frames: it
    /// comes out empty.
    ///
    /// # Errors
    /// [`DataError`].
    pub async fn resolve(&self, request: &DataRequest) -> Result<BatchData, DataError> {
        let transaction = request.transaction;
        let data = match &request.source {
            DataSource::Blobs(blobs) => {
                let hashes: Vec<_> = blobs.iter().map(|blob| blob.versioned_hash).collect();
                let blobs = self.blobs.blobs(&request.block, &hashes).await?;
                blobs.iter().map(|blob| Bytes::copy_from_slice(blob.as_slice())).collect()
            }
            DataSource::Certificate(certificate) => {
                vec![self.payload(transaction, certificate).await?]
            }
        };
        Ok(BatchData { transaction, data })
    }

    async fn payload(&self, transaction: B256, certificate: &[u8]) -> Result<Bytes, DataError> {
        let network = self.network.as_ref().ok_or(DataError::NoRegistry { transaction })?;
        let (registry, retriever) = network;
        let malformed = DataError::Certificate(CertificateStatus::Malformed);
        let (epoch, _) = Certificate::snapshot_of(certificate).ok_or(malformed)?;
        let quorum = self.quorum(registry, epoch).await?;
        let operators = quorum.snapshot.operators().len();
        let payload = match Certificate::decode(certificate, operators) {
            Ok(certificate) => retriever.retrieve(&quorum, &certificate.header).await,
            Err(status) => {
                self.forget(epoch);
                return Err(DataError::Certificate(status));
            }
        };
        match payload {
            Ok(payload) => Ok(payload.into()),
            Err(ClientError::NotAPayload(error)) => {
                tracing::warn!(target: "l1::data", %transaction, %error, "certified, and no payload");
                Ok(Bytes::new())
            }
            Err(error) => {
                // Endpoints may have moved.
                self.forget(epoch);
                Err(error.into())
            }
        }
    }

    async fn quorum(&self, registry: &Registry, epoch: Epoch) -> Result<Arc<Quorum>, DataError> {
        let known = self.quorums().get(&epoch).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let quorum = registry.latest_quorum(epoch).await.map_err(ClientError::Registry)?;
        let quorum = Arc::new(quorum.ok_or(ClientError::UnknownEpoch(epoch))?);
        let mut quorums = self.quorums();
        quorums.insert(epoch, Arc::clone(&quorum));
        while quorums.len() > QUORUMS_MAX {
            quorums.pop_first();
        }
        Ok(quorum)
    }

    fn forget(&self, epoch: Epoch) {
        self.quorums().remove(&epoch);
    }

    fn quorums(&self) -> std::sync::MutexGuard<'_, BTreeMap<Epoch, Arc<Quorum>>> {
        self.quorums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
