//! What the machine asks for, as tasks that end with an event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_eips::BlockNumberOrTag;
use alloy_eips::eip4844::Blob;
use alloy_primitives::{Address, Bytes, U64};
use cairn_da_client::ClientError;
use cairn_l1::send::{Confirmed, SendError, TransactionContent, TransactionSender};
use cairn_l1::{L1Client, L1Error, NextStep};
use cairn_rollup::batcher::{
    BatcherTransaction, DispersalFailure, DispersalId, Event, TxFailure, TxId,
};
use cairn_rollup::blob::encode_blob;

use serde_json::json;

use crate::{Dispersal, DriverError};

/// Pause before something that failed is reported, and with that tried again.
const PAUSE: Duration = Duration::from_secs(2);
/// Least pause before L1 is asked again.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// Sends a transaction to the inbox and tells what became of it.
///
/// # Errors
/// [`DriverError::Send`] when nothing can be sent any more.
pub(super) async fn send(
    sender: Arc<TransactionSender>,
    inbox: Address,
    id: TxId,
    transaction: BatcherTransaction,
) -> Result<Event, DriverError> {
    let content = match content(inbox, &transaction) {
        Ok(content) => content,
        Err(reason) => {
            tracing::error!(target: "driver::batcher", reason, "no transaction");
            return Ok(Event::TxFailed { id, failure: TxFailure::Refused });
        }
    };
    let started = Instant::now();
    let event = match sender.send_until_mined(content).await {
        Ok(Confirmed { hash, block, success, .. }) => {
            tracing::info!(
                target: "driver::batcher",
                %hash, l1_block = block.number, success, carrier = carrier(&transaction),
                "batch on L1"
            );
            metrics::histogram!("cairn_batcher_inclusion_seconds")
                .record(started.elapsed().as_secs_f64());
            match success {
                true => Event::TxIncluded { id, block: block.number },
                false => Event::TxFailed { id, failure: TxFailure::Reverted },
            }
        }
        Err(SendError::Displaced { .. }) => Event::TxFailed { id, failure: TxFailure::NonceTaken },
        Err(SendError::Reverted { message, data }) => {
            // Nothing was sent; what the inbox refuses now it refuses as certificate, too.
            tracing::warn!(target: "driver::batcher", message, %data, "the inbox refuses a batch");
            Event::TxFailed { id, failure: TxFailure::Reverted }
        }
        Err(error @ (SendError::Stopped | SendError::Journal(_))) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(target: "driver::batcher", %error, "batch not sent");
            tokio::time::sleep(PAUSE).await;
            Event::TxFailed { id, failure: TxFailure::Refused }
        }
    };
    Ok(event)
}

const fn carrier(transaction: &BatcherTransaction) -> &'static str {
    match transaction {
        BatcherTransaction::Certificate(_) => "certificate",
        BatcherTransaction::Blobs(_) => "blobs",
        BatcherTransaction::Calldata(_) => "calldata",
    }
}

fn content(to: Address, transaction: &BatcherTransaction) -> Result<TransactionContent, String> {
    let mut blobs: Vec<Blob> = Vec::new();
    if let BatcherTransaction::Blobs(data) = transaction {
        for data in data {
            let blob = encode_blob(data).map_err(|error| error.to_string())?;
            blobs.push(Blob::try_from(&blob[..]).map_err(|error| error.to_string())?);
        }
    }
    let input = transaction.calldata();
    Ok(TransactionContent { to, input, blobs, ..TransactionContent::default() })
}

/// Disperses a payload and tells how that went.
pub(super) async fn disperse(
    dispersal: Option<Arc<Dispersal>>,
    id: DispersalId,
    payload: Bytes,
) -> Event {
    let Some(dispersal) = dispersal else {
        return Event::DispersalFailed { id, failure: DispersalFailure::Unavailable };
    };
    match dispersal.disperse(payload).await {
        Ok(done) => Event::Dispersed { id, certificate: done.certificate.encode().into() },
        Err(error) => {
            metrics::counter!("cairn_batcher_dispersal_failures_total").increment(1);
            tracing::warn!(target: "driver::batcher", %error, "payload not certified");
            let failure = match error {
                // Without a quorum, or with too few of it, the network says so itself.
                DriverError::Da(ClientError::UnknownEpoch(_)) => DispersalFailure::Unavailable,
                _ => DispersalFailure::Failed,
            };
            Event::DispersalFailed { id, failure }
        }
    }
}

/// The account's nonces, once what an earlier run sent is decided. Asks L1 until it answers.
///
/// # Errors
/// [`DriverError::Send`] when nothing can be sent any more.
pub(super) async fn settled_nonces(
    l1: Arc<L1Client>,
    sender: Arc<TransactionSender>,
) -> Result<Event, DriverError> {
    loop {
        sender.settled().await?;
        let error = match nonces(&l1, &sender).await {
            Ok(event) => return Ok(event),
            Err(SendError::L1(error)) => error,
            Err(error) => return Err(error.into()),
        };
        tracing::warn!(target: "driver::batcher", %error, "nonces not read");
        let pause = match error.next_step() {
            NextStep::Retry(pause) => pause.max(PAUSE_MIN),
            NextStep::Reset | NextStep::Stop => Duration::from_secs(5),
        };
        tokio::time::sleep(pause).await;
    }
}

/// The account's nonces, as of L1's newest block and with the mempool. What the sender still wants on
/// L1 counts as pending, though a reorganisation may have taken it out of every pool.
async fn nonces(l1: &L1Client, sender: &TransactionSender) -> Result<Event, SendError> {
    let state = sender.account_state().await?;
    let latest = state.nonce;
    let pending = nonce(l1, sender.account(), BlockNumberOrTag::Pending).await?;
    let pending = pending.max(latest.saturating_add(state.unmined));
    Ok(Event::Nonces { latest, pending, at: state.head })
}

async fn nonce(l1: &L1Client, account: Address, at: BlockNumberOrTag) -> Result<u64, L1Error> {
    let method = "eth_getTransactionCount";
    let count: Option<U64> = l1.endpoints().call(method, json!([account, at])).await?;
    count.map(|count| count.to()).ok_or_else(|| L1Error::Unavailable {
        what: method.to_owned(),
        reason: format!("no count of {account} at {at}"),
        after: PAUSE,
    })
}
