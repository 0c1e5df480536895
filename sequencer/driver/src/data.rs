//! Data of batches that is not in the L1 block itself: blobs, and rows of the DA network.
//!
//! A thin layer over [`DataResolver`]: the registry's chain is looked at when it is needed first, so that
//! a node starts while L1 does not answer.

use std::sync::Arc;

use alloy::providers::DynProvider;
use cairn_da_client::registry::Registry;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{ClientError, Nodes, Retriever};
use cairn_l1::{BlobClient, DataResolver};
use cairn_primitives::da::Domain;
use cairn_rollup::RollupConfig;
use cairn_rollup::derivation::{BatchData, DataRequest, DataSource};
use tokio::sync::OnceCell;

use crate::DriverError;

/// Reads the data of batches. Clones share it.
#[derive(Debug, Clone)]
pub struct DataReader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    blobs: Arc<BlobClient>,
    /// Knows blobs alone, so that these can be had while the registry cannot.
    blobs_only: DataResolver,
    retriever: Retriever,
    provider: DynProvider,
    domain: Domain,
    registry: OnceCell<Registry>,
    resolver: OnceCell<DataResolver>,
}

impl DataReader {
    /// A reader; `provider` is asked about the operator registry.
    ///
    /// # Errors
    /// [`DriverError::Da`] when the HTTP client cannot be made.
    pub fn new(
        rollup: &RollupConfig,
        provider: DynProvider,
        blobs: BlobClient,
        patience: RetrievalPolicy,
    ) -> Result<Self, DriverError> {
        let domain = Domain { chain_id: rollup.l1_chain_id, registry: rollup.cairn.da_registry };
        let blobs = Arc::new(blobs);
        let inner = Inner {
            blobs_only: DataResolver::new(blobs.clone(), None),
            blobs,
            retriever: Retriever::new(Nodes::new()?, patience),
            provider,
            domain,
            registry: OnceCell::new(),
            resolver: OnceCell::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
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
    /// [`DriverError::Data`], [`DriverError::Da`]: data that cannot be had now.
    pub async fn read(&self, request: &DataRequest) -> Result<BatchData, DriverError> {
        if matches!(request.source, DataSource::Blobs(_)) {
            return Ok(self.inner.blobs_only.resolve(request).await?);
        }
        let make = || async {
            let network = (self.registry().await?.clone(), self.inner.retriever.clone());
            Ok::<_, DriverError>(DataResolver::new(self.inner.blobs.clone(), Some(network)))
        };
        let resolver = self.inner.resolver.get_or_try_init(make).await?;
        Ok(resolver.resolve(request).await?)
    }
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
