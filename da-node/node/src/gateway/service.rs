//! What the gateway does for its interfaces.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use cairn_da_client::registry::{Quorum, Registry};
use cairn_da_client::{ClientError, Dispersed, Disperser, Reservations, Retriever};
use cairn_primitives::da::{Certificate, Header, MAX_PAYLOAD_BYTES, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::bodies::Bodies;
use super::collector::{self, Submitted};
use super::quorums::Quorums;
use super::submissions::Submissions;
use super::verified::Verified;
use super::{AssemblerLimits, BlobRef, GatewayError, SubmissionState};
use crate::Clock;
use crate::store::StoreError;

/// Submissions that wait to be put together; beyond them the gateway is busy.
const WAITING_SUBMISSIONS: usize = 1024;
/// How long a payload that could not be certified speaks against the network.
const TROUBLE_TIME: Duration = Duration::from_secs(30);

/// Settings of a gateway.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Directory in which submissions and certificates are remembered; without it they end with the
    /// gateway.
    pub records: Option<PathBuf>,
    /// Time for which rows are kept.
    pub lifetime: Duration,
    /// When payloads share a matrix.
    pub assembler: AssemblerLimits,
    /// Payloads dispersed at a time.
    pub dispersals: usize,
    /// Payloads retrieved at a time.
    pub retrievals: usize,
    /// Bytes of submissions that wait for their certificate.
    pub waiting_bytes: u64,
    /// Bytes of request bodies in memory, beyond the first 64 KiB of each. One address holds a quarter at
    /// most, where requests come with the server's `ConnectInfo`.
    pub bodies_bytes: usize,
    /// How long operators and their endpoints are not read again of a quorum that stays.
    pub quorum_fresh: Duration,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            records: None,
            lifetime: Duration::from_secs(13 * 86_400),
            assembler: AssemblerLimits::default(),
            dispersals: 4,
            retrievals: 8,
            waiting_bytes: 256 << 20,
            bodies_bytes: 512 << 20,
            quorum_fresh: Duration::from_secs(10),
        }
    }
}

/// A gateway. Clones share it.
#[derive(Debug, Clone)]
pub struct Gateway(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) registry: Registry,
    disperser: Disperser,
    pub(super) retriever: Retriever,
    config: GatewayConfig,
    clock: Clock,
    reservations: Reservations,
    pub(super) quorums: Quorums,
    pub(super) verified: Verified,
    waiting_bytes: AtomicU64,
    /// Why a payload was last not certified, and when; gone with the next that is.
    trouble: Mutex<Option<(String, Instant)>>,
    submissions: Mutex<Submissions>,
    waiting: mpsc::Sender<Submitted>,
    pub(super) bodies: Bodies,
    dispersals: Semaphore,
    pub(super) retrievals: Semaphore,
}

impl Gateway {
    /// A gateway. A task of the current runtime puts submissions together until the last clone is
    /// dropped.
    ///
    /// # Errors
    /// The records cannot be opened, or are those of another registry.
    pub fn start(
        registry: Registry,
        disperser: Disperser,
        retriever: Retriever,
        config: GatewayConfig,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let submissions = match &config.records {
            Some(path) => Submissions::open(path, &registry.domain())?,
            None => Submissions::new(),
        };
        let (waiting, submitted) = mpsc::channel(WAITING_SUBMISSIONS);
        let gateway = Self(Arc::new(Inner {
            quorums: Quorums::new(registry.clone(), config.quorum_fresh),
            registry,
            disperser,
            retriever,
            verified: Verified::new(
                std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            ),
            reservations: Reservations::default(),
            clock,
            waiting_bytes: AtomicU64::new(0),
            trouble: Mutex::new(None),
            submissions: Mutex::new(submissions),
            waiting,
            bodies: Bodies::new(config.bodies_bytes),
            dispersals: Semaphore::new(config.dispersals),
            retrievals: Semaphore::new(config.retrievals),
            config,
        }));
        let weak = WeakGateway(Arc::downgrade(&gateway.0));
        tokio::spawn(collector::run(weak, submitted, gateway.0.config.assembler));
        Ok(gateway)
    }

    /// Bytes of request bodies in memory, beyond the first 64 KiB of each.
    pub fn body_bytes(&self) -> usize {
        self.0.bodies.taken()
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.0.clock.now().as_secs())
    }

    /// The quorum of L1's current epoch, with endpoints that are [`GatewayConfig::quorum_fresh`].
    ///
    /// # Errors
    /// [`GatewayError::NoQuorum`], [`GatewayError::Client`] while L1 does not answer.
    pub async fn current_quorum(&self) -> Result<Arc<Quorum>, GatewayError> {
        self.0.quorums.current().await
    }

    /// Disperses a payload as a matrix of its own and gives its certificate.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn put(&self, payload: Bytes) -> Result<Certificate, GatewayError> {
        check_length(payload.len())?;
        Ok(self.disperse(payload).await?.certificate)
    }

    /// Disperses a payload and remembers how that went.
    pub(super) async fn disperse(&self, payload: Bytes) -> Result<Dispersed, GatewayError> {
        let started = Instant::now();
        let result = self.try_disperse(payload).await;
        let outcome = match &result {
            Ok(_) => {
                *self.0.trouble.lock() = None;
                "certified"
            }
            Err(GatewayError::Client(error @ ClientError::NotCertified(_))) => {
                *self.0.trouble.lock() = Some((error.to_string(), Instant::now()));
                "not_certified"
            }
            Err(_) => "failed",
        };
        metrics::counter!("da_dispersals_total", "outcome" => outcome).increment(1);
        metrics::histogram!("da_dispersal_seconds").record(started.elapsed().as_secs_f64());
        result
    }

    async fn try_disperse(&self, payload: Bytes) -> Result<Dispersed, GatewayError> {
        // The semaphore is never closed.
        let _permit = self.0.dispersals.acquire().await.map_err(|_| GatewayError::Busy)?;
        let quorum = self.current_quorum().await?;
        let end = quorum.snapshot.certificates_end();
        let expiry = self.now().0.saturating_add(self.0.config.lifetime.as_secs());
        let expiry = Timestamp(expiry).min(end);
        let reservation = self.0.reservations.next(self.0.clock.now());
        let done = self.0.disperser.disperse(&quorum, payload.0, reservation, expiry).await?;
        let certificate = done.certificate.encode().into();
        self.0.submissions.lock().certify(done.certificate.header.hash(), certificate);
        Ok(done)
    }

    /// The quorum that payloads would go to now.
    ///
    /// # Errors
    /// [`GatewayError::Trouble`] for half a minute after a payload was not certified, and those of
    /// [`Self::current_quorum`].
    pub async fn health(&self) -> Result<Arc<Quorum>, GatewayError> {
        let trouble = self.0.trouble.lock().clone();
        match trouble.filter(|(_, since)| since.elapsed() < TROUBLE_TIME) {
            Some((reason, _)) => Err(GatewayError::Trouble(reason)),
            None => self.current_quorum().await,
        }
    }

    /// Takes a payload to be dispersed with others. The answer names the submission.
    ///
    /// # Errors
    /// [`GatewayError::PayloadLength`], [`GatewayError::Busy`].
    pub fn submit(&self, payload: Bytes) -> Result<B256, GatewayError> {
        check_length(payload.len())?;
        let submission = B256::new(rand::random());
        let length = payload.len() as u64;
        // Under this lock, so that the answer cannot come before the question.
        let mut submissions = self.0.submissions.lock();
        let waiting = self.0.waiting_bytes.load(Ordering::SeqCst).saturating_add(length);
        let submitted = Submitted { submission, payload: payload.to_vec() };
        if waiting > self.0.config.waiting_bytes || self.0.waiting.try_send(submitted).is_err() {
            return Err(GatewayError::Busy);
        }
        self.0.waiting_bytes.fetch_add(length, Ordering::SeqCst);
        submissions.set(submission, SubmissionState::Pending);
        Ok(submission)
    }

    /// Ends the wait of a submission of so many bytes.
    pub(super) fn settle(&self, submission: B256, length: u32, state: SubmissionState) {
        self.0.submissions.lock().set(submission, state);
        self.0.waiting_bytes.fetch_sub(u64::from(length), Ordering::SeqCst);
    }

    /// Where a submission stands; `None` if it is not known, or no more.
    pub fn status(&self, submission: B256) -> Option<SubmissionState> {
        self.0.submissions.lock().state(submission)
    }

    /// The certificate of a header or a submission.
    pub fn certificate(&self, hash: B256) -> Option<Bytes> {
        self.0.submissions.lock().certificate(hash)
    }

    pub(super) fn blob_of(&self, header: &Header, offset: u32, length: u32) -> BlobRef {
        BlobRef { header_hash: header.hash(), offset, length }
    }
}

/// A gateway that others may drop.
pub(super) struct WeakGateway(std::sync::Weak<Inner>);

impl WeakGateway {
    pub(super) fn upgrade(&self) -> Option<Gateway> {
        self.0.upgrade().map(Gateway)
    }
}

fn check_length(length: usize) -> Result<(), GatewayError> {
    if length == 0 || length > MAX_PAYLOAD_BYTES as usize {
        return Err(GatewayError::PayloadLength(length));
    }
    Ok(())
}
