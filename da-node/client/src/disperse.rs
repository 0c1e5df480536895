//! Handing a payload to the network.

use std::sync::Arc;
use std::time::Duration;

use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use bytes::Bytes;
use cairn_da_codec::{Committer, EncodedMatrix};
use cairn_primitives::da::{
    Certificate, Domain, Header, OperatorIndex, PayerSignature, PayloadLength, Reservation,
    RowIndex, Shape, Timestamp,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::collect::{Answer, CollectEffect, CollectEvent, CollectPolicy, Collection};
use crate::error::ClientError;
use crate::matrix::network_shape;
use crate::nodes::{Nodes, RowsBody};
use crate::registry::Quorum;

/// Hands payloads to the operators of an epoch and collects their signatures.
#[derive(Debug, Clone)]
pub struct Disperser {
    nodes: Nodes,
    domain: Domain,
    payer: PrivateKeySigner,
    policy: CollectPolicy,
}

/// A payload that the network holds.
#[derive(Debug, Clone)]
pub struct Dispersed {
    /// What L1 verifies.
    pub certificate: Certificate,
    /// The matrix, with the commitments that openings are made from.
    pub matrix: Arc<EncodedMatrix>,
    /// Time for encoding.
    pub encoding: Duration,
    /// Time from the first byte sent to the certificate.
    pub collecting: Duration,
}

impl Disperser {
    /// A disperser that signs reservations with the payer's key.
    pub const fn new(
        nodes: Nodes,
        domain: Domain,
        payer: PrivateKeySigner,
        policy: CollectPolicy,
    ) -> Self {
        Self { nodes, domain, payer, policy }
    }

    /// Address of the payer.
    pub const fn payer(&self) -> alloy_primitives::Address {
        self.payer.address()
    }

    /// Encodes a payload, hands every operator of the quorum its rows and sums their signatures.
    /// The reservation must not have been used for another header.
    ///
    /// # Errors
    /// [`ClientError::Payload`], [`ClientError::NotCertified`].
    pub async fn disperse(
        &self,
        quorum: &Quorum,
        payload: Bytes,
        reservation: Reservation,
        expiry: Timestamp,
    ) -> Result<Dispersed, ClientError> {
        let started = Instant::now();
        let matrix = encode(payload, quorum.snapshot.operators().len()).await?;
        let encoding = started.elapsed();
        let header = self.header(&matrix, quorum, reservation, expiry)?;
        let certificate = self.collect(quorum, &matrix, header).await?;
        let collecting = started.elapsed().saturating_sub(encoding);
        Ok(Dispersed { certificate, matrix, encoding, collecting })
    }

    fn header(
        &self,
        matrix: &EncodedMatrix,
        quorum: &Quorum,
        reservation: Reservation,
        expiry: Timestamp,
    ) -> Result<Header, ClientError> {
        let shape = network_shape(matrix.shape()).map_err(ClientError::Codec)?;
        // A payload that was encoded has at most 31 MiB.
        let length = u32::try_from(matrix.payload_length()).unwrap_or(u32::MAX);
        Ok(Header {
            shape,
            payload_length: PayloadLength(length),
            hashes_root: matrix.hashes_root(),
            payer: self.payer.address(),
            reservation,
            epoch: quorum.snapshot.epoch(),
            quorum: quorum.snapshot.quorum(),
            expiry,
        })
    }

    async fn collect(
        &self,
        quorum: &Quorum,
        matrix: &Arc<EncodedMatrix>,
        header: Header,
    ) -> Result<Certificate, ClientError> {
        let signature = self.payer.sign_message_sync(header.hash().as_slice());
        let signature = signature.map_err(|error| ClientError::Signer(error.to_string()))?;
        let parcel = Parcel::new(&header, &signature.into(), matrix);
        let snapshot = Arc::new(quorum.snapshot.clone());
        let mut collection = Collection::new(header, self.domain, snapshot, self.policy);
        let started = Instant::now();
        // Dropped at the end, which ends what is still being sent.
        let mut sending = JoinSet::new();
        let mut event = CollectEvent::Start;
        loop {
            let mut wake = Duration::ZERO;
            for effect in collection.step(event, started.elapsed()) {
                match effect {
                    CollectEffect::Send(operator, time) => {
                        let body = parcel.body(collection.table().rows_of(operator));
                        let endpoint = quorum.endpoints.get(operator.as_usize()).cloned();
                        sending.spawn(send(self.nodes.clone(), endpoint, operator, body, time));
                    }
                    CollectEffect::WakeAt(time) => wake = time,
                    CollectEffect::Certified(certificate) => return Ok(*certificate),
                    CollectEffect::GaveUp(shortfall) => {
                        return Err(ClientError::NotCertified(shortfall));
                    }
                }
            }
            event = tokio::select! {
                Some(answered) = sending.join_next() => match answered {
                    Ok((operator, answer)) => CollectEvent::Answered(operator, answer),
                    Err(_) => return Err(ClientError::Stopped),
                },
                () = tokio::time::sleep_until(started + wake) => CollectEvent::Tick,
            };
        }
    }
}

async fn encode(payload: Bytes, operators: usize) -> Result<Arc<EncodedMatrix>, ClientError> {
    let encoding = tokio::task::spawn_blocking(move || {
        let committer = Committer::shared().map_err(ClientError::Codec)?;
        EncodedMatrix::encode(committer, &payload, operators).map_err(ClientError::Payload)
    });
    encoding.await.map_err(|_| ClientError::Stopped)?.map(Arc::new)
}

async fn send(
    nodes: Nodes,
    endpoint: Option<String>,
    operator: OperatorIndex,
    body: RowsBody,
    time: Duration,
) -> (OperatorIndex, Answer) {
    let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else {
        return (operator, Answer::Failed("the operator has no endpoint".to_string()));
    };
    (operator, nodes.submit(&endpoint, body, time).await)
}

/// What is the same for all operators, and where the rows are.
struct Parcel {
    shape: Shape,
    prefix: Bytes,
    matrix: Arc<EncodedMatrix>,
}

/// A row of a shared matrix.
struct SharedRow {
    matrix: Arc<EncodedMatrix>,
    row: cairn_da_codec::RowIndex,
}

impl AsRef<[u8]> for SharedRow {
    fn as_ref(&self) -> &[u8] {
        self.matrix.row(self.row).unwrap_or_default()
    }
}

impl Parcel {
    fn new(header: &Header, signature: &PayerSignature, matrix: &Arc<EncodedMatrix>) -> Self {
        let mut prefix = header.encode().to_vec();
        prefix.extend_from_slice(&signature.0);
        for commitment in matrix.commitments() {
            prefix.extend_from_slice(&commitment.0);
        }
        Self { shape: header.shape, prefix: prefix.into(), matrix: matrix.clone() }
    }

    fn body(&self, rows: Vec<RowIndex>) -> RowsBody {
        let rows = rows.into_iter().map(|row| self.sent_row(row));
        RowsBody::new(std::iter::once(self.prefix.clone()).chain(rows))
    }

    /// Parity rows, three quarters of all, are sent from where they are.
    fn sent_row(&self, row: RowIndex) -> Bytes {
        let shared =
            SharedRow { matrix: self.matrix.clone(), row: cairn_da_codec::RowIndex(row.0) };
        if self.shape.is_original(row) {
            self.shape.pack_row(row, shared.as_ref()).into_owned().into()
        } else {
            Bytes::from_owner(shared)
        }
    }
}
