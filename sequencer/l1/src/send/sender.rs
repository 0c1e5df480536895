//! The task that sends.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::signers::local::PrivateKeySigner;
use alloy_eips::{BlockNumHash, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::build::{BlobForm, SignedTransaction, Template, hash_of, sidecar};
use super::journal::Records;
use super::observe::{Observer, broadcast, estimate_gas};
use super::queue::{Effect, Event, Queue, SendPolicy, Sent};
use super::{
    Fees, Intent, Journal, JournalError, Record, RequestId, SendError, TransactionContent,
};
use crate::{HeadState, L1Client, L1Error};

/// Requests that wait or are in doubt at a time.
const REQUESTS_MAX: usize = 64;

/// How the sender works.
#[derive(Debug, Clone, Copy)]
pub struct SenderConfig {
    /// Its decisions.
    pub policy: SendPolicy,
    /// Time between looks when L1 does not move.
    pub interval: Duration,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self { policy: SendPolicy::default(), interval: Duration::from_secs(2) }
    }
}

/// A transaction that is deep enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// Where it stands.
    pub block: BlockNumHash,
    /// Whether it succeeded.
    pub success: bool,
}

type Reply = oneshot::Sender<Result<Confirmed, SendError>>;

/// Sends transactions from one account until dropped. What is in doubt then stays in the journal.
#[derive(Debug)]
pub struct TransactionSender {
    client: Arc<L1Client>,
    account: Address,
    requests: mpsc::Sender<(Template, Reply)>,
    restored: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for TransactionSender {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TransactionSender {
    /// Takes up what the journal has, and begins. The key must be used by nobody else.
    ///
    /// # Errors
    /// [`SendError::Journal`] for a record that is no transaction, [`SendError::L1`] while L1 does
    /// not say the account's nonces.
    pub async fn start(
        client: Arc<L1Client>,
        states: watch::Receiver<HeadState>,
        signer: PrivateKeySigner,
        journal: (Journal, Records),
        config: SenderConfig,
    ) -> Result<Self, SendError> {
        let account = signer.address();
        let (journal, records) = journal;
        let observer = Observer::new(Arc::clone(&client), account);
        let latest = observer.nonce(BlockNumberOrTag::Latest).await?;
        let pending = observer.nonce(BlockNumberOrTag::Pending).await?;
        let mut newest = BTreeMap::new();
        let mut templates = BTreeMap::new();
        let mut versions = Vec::new();
        for (nonce, records) in records {
            let restored = restore(nonce, &records)?;
            let Some((template, signed)) = restored.last() else { continue };
            versions.push((nonce, template.kind(), hashes(&restored, &records)));
            newest.insert(nonce, signed.clone());
            templates.insert(nonce, template.clone());
        }
        let now = Instant::now();
        let queue = Queue::restore(config.policy, versions, latest, pending, now);
        if !queue.is_empty() {
            tracing::info!(target: "l1::send", %account, nonces = queue.len(), "in doubt from before");
        }
        let (restored_sender, restored) = watch::channel(queue.restored());
        let (requests, receiver) = mpsc::channel(REQUESTS_MAX);
        let task = Task {
            client: Arc::clone(&client),
            observer,
            signer,
            journal: Arc::new(Mutex::new(journal)),
            queue,
            newest,
            templates,
            submitted: HashMap::new(),
            replies: HashMap::new(),
            reasons: BTreeMap::new(),
            next_id: 0,
            restored: restored_sender,
        };
        let task = tokio::spawn(task.run(receiver, states, config.interval));
        Ok(Self { client, account, requests, restored, task })
    }

    /// The account.
    pub const fn account(&self) -> Address {
        self.account
    }

    /// Waits until nothing of an earlier run is in doubt any more.
    ///
    /// # Errors
    /// [`SendError::Stopped`].
    pub async fn settled(&self) -> Result<(), SendError> {
        let mut restored = self.restored.clone();
        let settled = restored.wait_for(|left| *left == 0).await;
        settled.map(drop).map_err(|_| SendError::Stopped)
    }

    /// Sends a transaction and waits until it is deep enough. Requests get their nonces in the
    /// order of these calls. Not waiting any longer takes nothing back.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, content: TransactionContent) -> Result<Confirmed, SendError> {
        self.submit(content).await?.await.unwrap_or(Err(SendError::Stopped))
    }

    /// Hands a transaction over; what is returned gives its outcome. Two calls one after the other
    /// get their nonces in that order.
    ///
    /// # Errors
    /// [`SendError`], where nothing was sent.
    pub async fn submit(
        &self,
        mut content: TransactionContent,
    ) -> Result<oneshot::Receiver<Result<Confirmed, SendError>>, SendError> {
        let blobs = std::mem::take(&mut content.blobs);
        let sidecar = if blobs.is_empty() {
            None
        } else {
            let form = self.blob_form(blobs.len()).await?;
            let made = tokio::task::spawn_blocking(move || sidecar(blobs, form)).await;
            Some(made.map_err(|_| SendError::Stopped)??)
        };
        let gas_limit = match content.gas_limit {
            Some(gas_limit) => gas_limit,
            None => {
                let hashes: Vec<_> =
                    sidecar.iter().flat_map(|sidecar| sidecar.versioned_hashes()).collect();
                estimate_gas(&self.client, self.account, &content, &hashes).await?
            }
        };
        let template = Template::new(self.client.chain_id(), &content, gas_limit, sidecar);
        let (reply, outcome) = oneshot::channel();
        let sent = self.requests.send((template, reply)).await;
        sent.map_err(|_| SendError::Stopped)?;
        Ok(outcome)
    }

    /// Which proofs L1 asks for now. Where it does not say its forks, those of EIP-4844.
    async fn blob_form(&self, count: usize) -> Result<BlobForm, SendError> {
        let forks = match self.client.forks().await {
            Ok(forks) => forks,
            Err(L1Error::Unavailable { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(forks) = forks else { return Ok(BlobForm::BlobProofs) };
        let max = forks.current.blob_params().max_blobs_per_tx;
        if count as u64 > max {
            return Err(SendError::Content(format!("{count} blobs, {max} at most")));
        }
        let osaka = forks.current.is_osaka();
        Ok(if osaka { BlobForm::CellProofs } else { BlobForm::BlobProofs })
    }
}

/// Templates and transactions of a nonce's records.
fn restore(
    nonce: u64,
    records: &[Record],
) -> Result<Vec<(Template, SignedTransaction)>, SendError> {
    let decode = |record: &Record| {
        let raw = record.raw.clone();
        Some((Template::decode(&raw)?, SignedTransaction { hash: hash_of(&raw)?, raw }))
    };
    let restored: Option<Vec<_>> = records.iter().map(decode).collect();
    restored.ok_or_else(|| {
        let path = format!("{nonce}-*.tx").into();
        JournalError::Damaged { path, reason: "not a transaction".to_owned() }.into()
    })
}

fn hashes(restored: &[(Template, SignedTransaction)], records: &[Record]) -> Vec<(B256, Fees)> {
    let both = restored.iter().zip(records);
    both.map(|((_, signed), record)| (signed.hash, record.fees)).collect()
}

#[derive(Debug)]
struct Task {
    client: Arc<L1Client>,
    observer: Observer,
    signer: PrivateKeySigner,
    journal: Arc<Mutex<Journal>>,
    queue: Queue,
    /// The newest transaction of each nonce.
    newest: BTreeMap<u64, SignedTransaction>,
    templates: BTreeMap<u64, Template>,
    /// Requests that have no nonce yet.
    submitted: HashMap<RequestId, Template>,
    replies: HashMap<RequestId, Reply>,
    /// What was said last against the transaction of a nonce.
    reasons: BTreeMap<u64, String>,
    next_id: u64,
    restored: watch::Sender<usize>,
}

impl Task {
    async fn run(
        mut self,
        mut requests: mpsc::Receiver<(Template, Reply)>,
        mut states: watch::Receiver<HeadState>,
        interval: Duration,
    ) {
        let mut look = true;
        loop {
            if look {
                match self.observer.observe(self.queue.in_doubt().collect()).await {
                    Ok(observation) => self.step(Event::Observed(observation)).await,
                    Err(error) => {
                        tracing::warn!(target: "l1::send", %error, "L1 was not seen");
                        self.step(Event::Tick).await;
                    }
                }
            }
            tokio::select! {
                request = requests.recv(), if self.queue.len() < REQUESTS_MAX => {
                    let Some((template, reply)) = request else { return };
                    look = false;
                    self.submit(template, reply).await;
                }
                changed = states.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    look = true;
                }
                () = tokio::time::sleep(interval) => look = true,
            }
        }
    }

    async fn submit(&mut self, template: Template, reply: Reply) {
        let id = RequestId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        let kind = template.kind();
        self.submitted.insert(id, template);
        self.replies.insert(id, reply);
        self.step(Event::Submit(id, kind)).await;
    }

    async fn step(&mut self, event: Event) {
        let mut effects = VecDeque::from(self.queue.step(event, Instant::now()));
        while let Some(effect) = effects.pop_front() {
            if let Some(event) = self.perform(effect).await {
                effects.extend(self.queue.step(event, Instant::now()));
            }
        }
        self.restored.send_if_modified(|left| {
            std::mem::replace(left, self.queue.restored()) != self.queue.restored()
        });
    }

    async fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Sign { nonce, intent, fees, .. } => Some(self.sign(nonce, intent, fees).await),
            Effect::Broadcast { nonce, hash } => {
                let raw = &self.newest.get(&nonce)?.raw;
                let (sent, said) = broadcast(&self.client, raw).await;
                if sent != Sent::Accepted {
                    tracing::debug!(target: "l1::send", nonce, %hash, ?sent, said, "not taken");
                    self.reasons.insert(nonce, said);
                }
                Some(Event::Sent { nonce, hash, sent })
            }
            Effect::Confirmed { nonce, intent, hash, block } => {
                let success = self.observer.succeeded(hash, block.hash);
                tracing::debug!(target: "l1::send", nonce, %hash, block = block.number, success, "confirmed");
                self.answer(intent, Ok(Confirmed { nonce, hash, block, success }));
                self.forget(nonce).await;
                None
            }
            Effect::Displaced { nonce, intent } => {
                tracing::error!(target: "l1::send", nonce, "somebody else uses the key");
                self.answer(intent, Err(SendError::Displaced { nonce }));
                self.forget(nonce).await;
                None
            }
            Effect::Rejected { nonce, id } => {
                let reason = self.reasons.remove(&nonce).unwrap_or_default();
                tracing::error!(target: "l1::send", nonce, reason, "no node takes a transaction");
                self.answer(Intent::Request(id), Err(SendError::Rejected { reason }));
                None
            }
        }
    }

    async fn sign(&mut self, nonce: u64, intent: Intent, fees: Fees) -> Event {
        let Some(template) = self.template(nonce, intent) else {
            return Event::NotSigned(nonce);
        };
        let signed = template.sign(nonce, &fees, &self.signer);
        self.templates.insert(nonce, template);
        let signed = match signed {
            Ok(signed) => signed,
            Err(error) => {
                tracing::error!(target: "l1::send", nonce, %error, "not signed");
                return Event::NotSigned(nonce);
            }
        };
        if let Err(error) = self.append(nonce, fees, signed.raw.clone()).await {
            tracing::error!(target: "l1::send", nonce, %error, "not in the journal, and so not sent");
            return Event::NotSigned(nonce);
        }
        let hash = signed.hash;
        tracing::debug!(target: "l1::send", nonce, %hash, ?fees, "signed");
        self.newest.insert(nonce, signed);
        Event::Signed { nonce, hash, fees }
    }

    /// The template of a nonce's next transaction.
    fn template(&mut self, nonce: u64, intent: Intent) -> Option<Template> {
        let known = self.templates.get(&nonce);
        match intent {
            Intent::Restored => known.cloned(),
            Intent::Request(id) => self.submitted.remove(&id).or_else(|| known.cloned()),
            Intent::Cancel => {
                let (chain_id, account) = (self.client.chain_id(), self.signer.address());
                Template::cancel(chain_id, account, known).ok()
            }
        }
    }

    async fn append(&self, nonce: u64, fees: Fees, raw: Bytes) -> Result<(), SendError> {
        let record = Record { fees, raw };
        self.with_journal(move |journal| journal.append(nonce, &record)).await
    }

    async fn forget(&mut self, nonce: u64) {
        self.newest.remove(&nonce);
        self.templates.remove(&nonce);
        self.reasons.remove(&nonce);
        if let Err(error) = self.with_journal(move |journal| journal.forget(nonce)).await {
            // Found again at the next start, and seen to be mined.
            tracing::warn!(target: "l1::send", nonce, %error, "the journal keeps a done nonce");
        }
    }

    async fn with_journal<F>(&self, work: F) -> Result<(), SendError>
    where
        F: FnOnce(&mut Journal) -> Result<(), JournalError> + Send + 'static,
    {
        let journal = Arc::clone(&self.journal);
        let work = move || work(&mut journal.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.map_err(|_| SendError::Stopped)?.map_err(Into::into)
    }

    fn answer(&mut self, intent: Intent, outcome: Result<Confirmed, SendError>) {
        let Intent::Request(id) = intent else { return };
        if let Some(reply) = self.replies.remove(&id) {
            // Nobody may be waiting any more.
            let _ = reply.send(outcome);
        }
    }
}
