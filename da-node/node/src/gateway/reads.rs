//! Getting payloads back.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use cairn_da_client::registry::Quorum;
use cairn_da_client::{ClientError, ElementOpening, open_element};
use cairn_primitives::da::{Certificate, CertificateStatus, Header, check_certificate};

use super::{Gateway, GatewayError};

impl Gateway {
    /// Header and quorum of a certificate, or of the certificate of a header hash.
    async fn resolve(&self, blob: &Bytes) -> Result<(Header, Quorum), GatewayError> {
        let unknown = || GatewayError::UnknownBlob(blob.clone());
        let certificate = match <[u8; 32]>::try_from(&blob[..]) {
            Ok(hash) => self.certificate(B256::new(hash)).ok_or_else(unknown)?,
            Err(_) => blob.clone(),
        };
        let (epoch, _) = Certificate::snapshot_of(&certificate).ok_or_else(unknown)?;
        let quorum = self.0.registry.latest_quorum(epoch).await.map_err(ClientError::from)?;
        let quorum = quorum.ok_or(ClientError::UnknownEpoch(epoch))?;
        let domain = self.0.registry.domain();
        match check_certificate(&certificate, &domain, Some(&quorum.snapshot), self.now()) {
            CertificateStatus::Valid => {}
            status => return Err(ClientError::Certificate(status).into()),
        }
        let operators = quorum.snapshot.operators().len();
        let decoded = Certificate::decode(&certificate, operators);
        Ok((decoded.map_err(ClientError::Certificate)?.header, quorum))
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
