//! Getting payloads back.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use cairn_da_client::registry::Quorum;
use cairn_da_client::{ClientError, ElementOpening, open_element};
use cairn_primitives::da::{Certificate, Header};

use super::{Gateway, GatewayError};

impl Gateway {
    /// Header and quorum of a certificate, or of the certificate of a header hash.
    async fn resolve(&self, blob: &Bytes) -> Result<(Header, Arc<Quorum>), GatewayError> {
        let unknown = || GatewayError::UnknownBlob(blob.clone());
        let certificate = match <[u8; 32]>::try_from(&blob[..]) {
            Ok(hash) => self.certificate(B256::new(hash)).ok_or_else(unknown)?,
            Err(_) => blob.clone(),
        };
        let (epoch, _) = Certificate::snapshot_of(&certificate).ok_or_else(unknown)?;
        let quorum = self.0.quorums.of(epoch).await?;
        let (domain, now) = (self.0.registry.domain(), self.now());
        let verified = self.0.verified.header(&certificate, domain, &quorum.snapshot, now);
        Ok((verified.await?, quorum))
    }

    /// The payload of a certificate or header hash.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn get(&self, blob: &Bytes) -> Result<Vec<u8>, GatewayError> {
        let (header, quorum) = self.resolve(blob).await?;
        self.retrieve(&header, &quorum).await
    }

    /// An element of the payload of a certificate or header hash, with its proof.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn prove(&self, blob: &Bytes, element: u32) -> Result<ElementOpening, GatewayError> {
        let (header, quorum) = self.resolve(blob).await?;
        let _permit = self.0.retrievals.acquire().await.map_err(|_| GatewayError::Busy)?;
        let commitments = Arc::new(self.0.retriever.commitments(&quorum, &header).await?);
        let payload = self.0.retriever.retrieve_with(&quorum, &header, &commitments).await?;
        let opening = tokio::task::spawn_blocking(move || {
            open_element(&header, &commitments, &payload, element)
        });
        Ok(opening.await.map_err(|_| ClientError::Stopped)??)
    }

    async fn retrieve(&self, header: &Header, quorum: &Quorum) -> Result<Vec<u8>, GatewayError> {
        let _permit = self.0.retrievals.acquire().await.map_err(|_| GatewayError::Busy)?;
        Ok(self.0.retriever.retrieve(quorum, header).await?)
    }

    /// A range of the payload of a certificate or header hash.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn read(
        &self,
        blob: &Bytes,
        offset: u32,
        length: u32,
    ) -> Result<Vec<u8>, GatewayError> {
        let (header, quorum) = self.resolve(blob).await?;
        let end = offset.saturating_add(length);
        let _permit = self.0.retrievals.acquire().await.map_err(|_| GatewayError::Busy)?;
        Ok(self.0.retriever.read(&quorum, &header, offset..end).await?)
    }
}
