//! The task that sends.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::signers::local::PrivateKeySigner;
use alloy_eips::{BlockNumHash, BlockNumberOrTag};
use alloy_primitives::{Address, B256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::build::{BlobForm, SignedTransaction, Template, hash_of, sidecar, signer_of};
use super::observe::{Observer, estimate_gas};
use super::task::{REQUESTS_MAX, Reply, Request, Task};
use super::{
    Fees, Journal, JournalError, Queue, Record, Records, SendError, SendPolicy, TransactionContent,
};
use crate::{HeadState, L1Client, L1Error};

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

/// A transaction that is as deep as its sender waits for.
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

/// Where an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Number of L1's newest block.
    pub head: u64,
    /// Transactions of the account up to it.
    pub nonce: u64,
    /// Transactions that were asked for and are not in a block up to it.
    pub unmined: u64,
}

/// Sends transactions from one account until dropped. What is in doubt then stays in the journal.
#[derive(Debug)]
pub struct TransactionSender {
    client: Arc<L1Client>,
    account: Address,
    requests: mpsc::Sender<Request>,
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
    /// [`SendError::Journal`] for a record that is no transaction of this account, [`SendError::L1`]
    /// while L1 does not say the account's nonces.
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
            let restored = restore(nonce, account, &records)?;
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

    /// [`Self::send`] for a caller that follows reorganisations itself: waits for the first block
    /// that has the transaction. The transaction is seen to until it is deep enough.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_until_mined(
        &self,
        content: TransactionContent,
    ) -> Result<Confirmed, SendError> {
        self.hand_over(content, true).await?.await.unwrap_or(Err(SendError::Stopped))
    }

    /// Looks at L1 and tells where the account is. What a reorganisation has unmined counts as
    /// unmined, whether pools have it or not.
    ///
    /// # Errors
    /// [`SendError::L1`], [`SendError::Stopped`].
    pub async fn account_state(&self) -> Result<AccountState, SendError> {
        let (reply, state) = oneshot::channel();
        self.requests.send(Request::Look(reply)).await.map_err(|_| SendError::Stopped)?;
        Ok(state.await.map_err(|_| SendError::Stopped)??)
    }

    /// Hands a transaction over; what is returned gives its outcome. Two calls one after the other
    /// get their nonces in that order.
    ///
    /// # Errors
    /// [`SendError`], where nothing was sent.
    pub async fn submit(
        &self,
        content: TransactionContent,
    ) -> Result<oneshot::Receiver<Result<Confirmed, SendError>>, SendError> {
        self.hand_over(content, false).await
    }

    async fn hand_over(
        &self,
        mut content: TransactionContent,
        when_mined: bool,
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
        let (sender, outcome) = oneshot::channel();
        let reply = Reply { outcome: sender, when_mined };
        let sent = self.requests.send(Request::Send(template, reply)).await;
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

/// Templates and transactions of a nonce's records, all of which the account has signed.
fn restore(
    nonce: u64,
    account: Address,
    records: &[Record],
) -> Result<Vec<(Template, SignedTransaction)>, SendError> {
    let decode = |record: &Record| {
        let raw = record.raw.clone();
        let signed = SignedTransaction { hash: hash_of(&raw)?, raw };
        Some((signer_of(&record.raw)?, Template::decode(&record.raw)?, signed))
    };
    let mut restored = Vec::new();
    for record in records {
        let Some((found, template, signed)) = decode(record) else {
            let path = format!("{nonce}-*.tx").into();
            let reason = "not a transaction".to_owned();
            return Err(JournalError::Damaged { path, reason }.into());
        };
        if found != account {
            return Err(JournalError::OtherAccount { nonce, found, account }.into());
        }
        restored.push((template, signed));
    }
    Ok(restored)
}

fn hashes(restored: &[(Template, SignedTransaction)], records: &[Record]) -> Vec<(B256, Fees)> {
    let both = restored.iter().zip(records);
    both.map(|((_, signed), record)| (signed.hash, record.fees)).collect()
}
