//! Data of batches that is not in the L1 block itself: blobs, and rows of the DA network.
//!
//! Blobs are checked against their versioned hashes, rows against the hashes root of a header whose
//! certificate L1 accepted. So whoever gives them needs no trust, and what is given is the same for
//! everyone. Data that cannot be had now is asked for again, for as long as it takes: derivation
//! must not go on without.

use std::sync::Arc;

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy_primitives::{B256, Bytes};
use cairn_da_client::registry::Registry;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{ClientError, Nodes, Retriever};
use cairn_l1::BlobClient;
use cairn_primitives::da::{Certificate, Domain, HEADER_BYTES, Header};
use cairn_rollup::RollupConfig;
use cairn_rollup::derivation::{BatchData, DataRequest, DataSource};
use tokio::sync::OnceCell;

use crate::DriverError;

/// Where data is read.
#[derive(Debug, Clone)]
pub struct DataConfig {
    /// JSON-RPC endpoint of L1, for the operator registry.
    pub l1: String,
    /// Patience with the DA network.
    pub retrieval: RetrievalPolicy,
}

/// Reads the data of batches.
#[derive(Debug, Clone)]
pub struct DataReader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    blobs: Option<BlobClient>,
    retriever: Retriever,
    provider: DynProvider,
    domain: Domain,
    /// Made when it is needed first: a chain without certificates needs no registry.
    registry: OnceCell<Registry>,
}

impl DataReader {
    /// A reader; without `blobs` batches in blobs cannot be read.
    ///
    /// # Errors
    /// [`DriverError::Da`] when the HTTP client cannot be made or the endpoint is no URL.
    pub fn new(
        config: &DataConfig,
        rollup: &RollupConfig,
        blobs: Option<BlobClient>,
    ) -> Result<Self, DriverError> {
        let url =
            config.l1.parse().map_err(|e| ClientError::Http(format!("{}: {e}", config.l1)))?;
        let provider = ProviderBuilder::new().connect_http(url).erased();
        let domain = Domain { chain_id: rollup.l1_chain_id, registry: rollup.cairn.da_registry };
        let retriever = Retriever::new(Nodes::new()?, config.retrieval);
        let registry = OnceCell::new();
        Ok(Self { inner: Arc::new(Inner { blobs, retriever, provider, domain, registry }) })
    }

    /// The operator registry.
    ///
    /// # Errors
    /// [`DriverError::Da`].
    pub async fn registry(&self) -> Result<&Registry, DriverError> {
        let inner = &self.inner;
        let make = || Registry::new(inner.provider.clone(), inner.domain);
        Ok(inner.registry.get_or_try_init(make).await.map_err(ClientError::from)?)
    }

    /// Tries to read the data once.
    ///
    /// # Errors
    /// [`DriverError::L1`] and [`DriverError::Da`] for data that cannot be had now;
    /// [`DriverError::Certificate`].
    pub async fn read(&self, request: &DataRequest) -> Result<BatchData, DriverError> {
        let data = match &request.source {
            DataSource::Blobs(blobs) => {
                let hashes: Vec<B256> = blobs.iter().map(|blob| blob.versioned_hash).collect();
                let client = self.inner.blobs.as_ref().ok_or_else(|| no_beacon(request))?;
                let blobs = client.blobs(&request.block, &hashes).await?;
                blobs.into_iter().map(|blob| Bytes::copy_from_slice(&blob[..])).collect()
            }
            DataSource::Certificate(certificate) => {
                vec![self.rows(request.transaction, certificate).await?]
            }
        };
        Ok(BatchData { transaction: request.transaction, data })
    }

    async fn rows(&self, transaction: B256, certificate: &Bytes) -> Result<Bytes, DriverError> {
        let malformed =
            |reason: &str| DriverError::Certificate { transaction, reason: reason.to_owned() };
        // L1 has checked it: what is not readable here is so for everybody of this version.
        let header = certificate.get(..HEADER_BYTES).ok_or_else(|| malformed("too short"))?;
        let header = Header::decode(header).map_err(|status| malformed(&format!("{status:?}")))?;
        let (epoch, _) =
            Certificate::snapshot_of(certificate).ok_or_else(|| malformed("no snapshot"))?;
        let quorum =
            self.registry().await?.latest_quorum(epoch).await.map_err(ClientError::from)?;
        let quorum = quorum.ok_or(ClientError::UnknownEpoch(epoch))?;
        match self.inner.retriever.retrieve(&quorum, &header).await {
            Ok(payload) => Ok(payload.into()),
            // The rows are those of the header and hold no payload, for everybody.
            Err(ClientError::NotAPayload(reason)) => {
                tracing::warn!(target: "driver::data", %transaction, %reason, "no payload");
                Ok(Bytes::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn no_beacon(request: &DataRequest) -> DriverError {
    let what = format!("blobs of transaction {}", request.transaction);
    let reason = "no beacon endpoint is configured".to_owned();
    cairn_l1::L1Error::Unavailable { what, reason, after: std::time::Duration::from_secs(10) }
        .into()
}
