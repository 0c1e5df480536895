//! Getting a payload back from the network.

use std::sync::Arc;

use cairn_da_codec::CodecError;
use cairn_primitives::da::{
    Certificate, CertificateStatus, Domain, Header, OperatorIndex, RowIndex, Timestamp,
    check_certificate,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::commitments::find_commitments;
use crate::error::ClientError;
use crate::matrix::{Commitments, recover};
use crate::nodes::Nodes;
use crate::registry::{Quorum, Registry};
use crate::retrieval::{Retrieval, RetrievalEffect, RetrievalEvent, RetrievalPolicy, RowAnswer};

/// Gets payloads back from the operators of their epoch.
#[derive(Debug, Clone)]
pub struct Retriever {
    nodes: Nodes,
    policy: RetrievalPolicy,
}

/// Checks a certificate at a time as L1's contract does, with the quorum that the registry has.
///
/// # Errors
/// [`ClientError::Registry`].
pub async fn verify_certificate(
    registry: &Registry,
    certificate: &[u8],
    now: Timestamp,
) -> Result<CertificateStatus, ClientError> {
    let Some((epoch, _)) = Certificate::snapshot_of(certificate) else {
        return Ok(CertificateStatus::Malformed);
    };
    let quorum = registry.latest_quorum(epoch).await?;
    let snapshot = quorum.as_ref().map(|quorum| &quorum.snapshot);
    Ok(check_certificate(certificate, &registry.domain(), snapshot, now))
}

impl Retriever {
    /// A retriever with its patience.
    pub const fn new(nodes: Nodes, policy: RetrievalPolicy) -> Self {
        Self { nodes, policy }
    }

    /// Checks a certificate and gets its payload.
    ///
    /// # Errors
    /// [`ClientError::Certificate`], and those of [`Self::retrieve`].
    pub async fn retrieve_certified(
        &self,
        domain: &Domain,
        quorum: &Quorum,
        certificate: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, ClientError> {
        let status = check_certificate(certificate, domain, Some(&quorum.snapshot), now);
        if status != CertificateStatus::Valid {
            return Err(ClientError::Certificate(status));
        }
        let decoded = Certificate::decode(certificate, quorum.snapshot.operators().len());
        self.retrieve(quorum, &decoded.map_err(ClientError::Certificate)?.header).await
    }

    /// Gets the payload of a header, which the caller has from a certificate or another source it
    /// trusts. Every row is checked; nobody asked needs to be trusted.
    ///
    /// # Errors
    /// [`ClientError::NoCommitments`], [`ClientError::NotRetrieved`], [`ClientError::NotAPayload`].
    pub async fn retrieve(&self, quorum: &Quorum, header: &Header) -> Result<Vec<u8>, ClientError> {
        let started = Instant::now();
        let commitments = Arc::new(self.commitments(quorum, header).await?);
        let deadline = self.policy.deadline.saturating_sub(started.elapsed());
        let rest =
            Self { nodes: self.nodes.clone(), policy: RetrievalPolicy { deadline, ..self.policy } };
        rest.retrieve_with(quorum, header, &commitments).await
    }

    /// As [`Self::retrieve`], for a caller that has the commitments.
    ///
    /// # Errors
    /// [`ClientError::NotRetrieved`], [`ClientError::NotAPayload`].
    pub async fn retrieve_with(
        &self,
        quorum: &Quorum,
        header: &Header,
        commitments: &Arc<Commitments>,
    ) -> Result<Vec<u8>, ClientError> {
        let rows = self.rows(quorum, header, commitments).await?;
        let header = *header;
        let recovering = tokio::task::spawn_blocking(move || recover(&header, &rows));
        recovering.await.map_err(|_| ClientError::Stopped)?
    }

    /// Commitments that fit the header, from whoever has them, within the time for everything.
    ///
    /// # Errors
    /// [`ClientError::NoCommitments`].
    pub async fn commitments(
        &self,
        quorum: &Quorum,
        header: &Header,
    ) -> Result<Commitments, ClientError> {
        find_commitments(&self.nodes, self.policy, quorum, header).await
    }

    /// Asks one operator for a row, for as long as a hedged request would wait.
    pub(crate) async fn ask(
        &self,
        quorum: &Quorum,
        header: &Header,
        operator: OperatorIndex,
        row: RowIndex,
    ) -> RowAnswer {
        match quorum.endpoints.get(operator.as_usize()) {
            Some(endpoint) => {
                let time = self.policy.hedge_after.saturating_mul(2);
                self.nodes.row(endpoint, header, row, time).await
            }
            None => RowAnswer::Failed,
        }
    }

    async fn rows(
        &self,
        quorum: &Quorum,
        header: &Header,
        commitments: &Arc<Commitments>,
    ) -> Result<Vec<(RowIndex, Vec<u8>)>, ClientError> {
        let operators = quorum.endpoints.len();
        let table = quorum.snapshot.slot_table(header);
        let mut retrieval = Retrieval::new(header.shape, operators, &table, self.policy);
        let started = Instant::now();
        let mut asking = JoinSet::new();
        let mut event = RetrievalEvent::Start;
        loop {
            let mut wake = None;
            let mut checked = None;
            for effect in retrieval.step(event, started.elapsed()) {
                match effect {
                    RetrievalEffect::Ask(operator, row, time) => {
                        let (nodes, header) = (self.nodes.clone(), *header);
                        let endpoint =
                            quorum.endpoints.get(operator.as_usize()).cloned().unwrap_or_default();
                        asking.spawn(async move {
                            let answer = nodes.row(&endpoint, &header, row, time).await;
                            Ok(RetrievalEvent::Answered(operator, row, answer))
                        });
                    }
                    RetrievalEffect::Verify(rows) => checked = Some(rows),
                    RetrievalEffect::WakeAt(time) => wake = Some(time),
                    RetrievalEffect::Complete => {
                        return Ok(retrieval.into_rows().into_iter().collect());
                    }
                    RetrievalEffect::GaveUp(missing) => {
                        return Err(ClientError::NotRetrieved(missing));
                    }
                }
            }
            if let Some(rows) = checked {
                let rows = rows.into_iter();
                let rows = rows.filter_map(|row| Some((row, retrieval.row(row)?.to_vec())));
                let (rows, commitments) = (rows.collect(), commitments.clone());
                asking.spawn_blocking(move || {
                    bad_rows(&commitments, rows).map(RetrievalEvent::Verified)
                });
            }
            let wake = started + wake.unwrap_or_default();
            event = tokio::select! {
                Some(answered) = asking.join_next() => {
                    answered.map_err(|_| ClientError::Stopped)??
                }
                () = tokio::time::sleep_until(wake) => RetrievalEvent::Tick,
            };
        }
    }
}

/// Which of the rows are not of the matrix.
fn bad_rows(
    commitments: &Commitments,
    rows: Vec<(RowIndex, Vec<u8>)>,
) -> Result<Vec<RowIndex>, ClientError> {
    let borrowed: Vec<_> = rows.iter().map(|(row, bytes)| (*row, &bytes[..])).collect();
    match commitments.verify(&borrowed) {
        Ok(()) => Ok(Vec::new()),
        Err(CodecError::BadRows(bad)) => {
            Ok(bad.into_iter().map(|bad| RowIndex(bad.row.0)).collect())
        }
        Err(error) => Err(ClientError::Codec(error)),
    }
}
