//! The loop around the queue.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::Sent;
use super::build::{SignedTransaction, Template};
use super::observe::{Observer, broadcast};
use super::sender::{AccountState, Confirmed};
use super::{
    Effect, Event, Fees, Intent, Journal, JournalError, Queue, Record, RequestId, SendError,
};
use crate::{HeadState, L1Client, L1Error};

/// Requests that wait or are in doubt at a time.
pub(super) const REQUESTS_MAX: usize = 64;

/// What is asked of the task.
#[derive(Debug)]
pub(super) enum Request {
    /// Send a transaction.
    Send(Template, Reply),
    /// Look at L1 and tell where the account is.
    Look(oneshot::Sender<Result<AccountState, L1Error>>),
}

/// Who waits for a transaction, and until when.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) outcome: oneshot::Sender<Result<Confirmed, SendError>>,
    /// Whether the first block with it is enough.
    pub(super) when_mined: bool,
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) client: Arc<L1Client>,
    pub(super) observer: Observer,
    pub(super) signer: PrivateKeySigner,
    pub(super) journal: Arc<Mutex<Journal>>,
    pub(super) queue: Queue,
    /// The newest transaction of each nonce.
    pub(super) newest: BTreeMap<u64, SignedTransaction>,
    pub(super) templates: BTreeMap<u64, Template>,
    /// Requests that have no nonce yet.
    pub(super) submitted: HashMap<RequestId, Template>,
    pub(super) replies: HashMap<RequestId, Reply>,
    /// What was said last against the transaction of a nonce.
    pub(super) reasons: BTreeMap<u64, String>,
    pub(super) next_id: u64,
    pub(super) restored: watch::Sender<usize>,
}

impl Task {
    /// Works until nobody sends or follows L1 any more.
    pub(super) async fn run(
        mut self,
        mut requests: mpsc::Receiver<Request>,
        mut states: watch::Receiver<HeadState>,
        interval: Duration,
    ) {
        let mut look = true;
        loop {
            if look && let Err(error) = self.look().await {
                tracing::warn!(target: "l1::send", %error, "L1 was not seen");
                self.step(Event::Tick).await;
            }
            tokio::select! {
                request = requests.recv(), if self.queue.len() < REQUESTS_MAX => {
                    look = false;
                    match request {
                        Some(Request::Send(template, reply)) => self.submit(template, reply).await,
                        // Whoever asked may not be waiting any more.
                        Some(Request::Look(reply)) => drop(reply.send(self.look().await)),
                        None => return,
                    }
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

    async fn look(&mut self) -> Result<AccountState, L1Error> {
        let observation = self.observer.observe(self.queue.in_doubt().collect()).await?;
        let (head, nonce) = (observation.head, observation.nonce);
        self.step(Event::Observed(observation)).await;
        Ok(AccountState { head, nonce, unmined: self.queue.unmined() as u64 })
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
            Effect::Mined { nonce, id, hash, block } => {
                if self.replies.get(&id).is_some_and(|reply| reply.when_mined) {
                    let success = self.observer.succeeded(hash, block.hash);
                    let mined = Confirmed { nonce, hash, block, success };
                    self.answer(Intent::Request(id), Ok(mined));
                }
                None
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
            let _ = reply.outcome.send(outcome);
        }
    }
}
