//! `POST /v1/rows`: does what the admission says.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{Refusal, RefusalCode, RowIndex, Submission};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::body::BodyReader;
use super::refuse::{Refused, malformed};
use crate::Node;
use crate::admission::{Effect, Event, Found, Offer, StoreFault, Ticket};
use crate::store::{Kept, StoreError};
use crate::verify::check_rows;

pub(super) async fn submit(State(shared): State<Shared>, request: Request) -> Response {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|text| text.to_str().ok()?.parse().ok());
    let mut body = BodyReader::new(request.into_body(), shared.limits);
    let result = receive(&shared.node, &mut body, announced).await;
    let outcome = match &result {
        Ok(_) => "signed".to_string(),
        Err(refusal) => outcome_of(refusal.code),
    };
    metrics::counter!("da_submissions_total", "outcome" => outcome).increment(1);
    match result {
        Ok(signature) => {
            let kind = [(CONTENT_TYPE, "application/octet-stream")];
            (kind, Body::from(signature.to_bytes().to_vec())).into_response()
        }
        Err(refusal) => {
            tracing::debug!(target: "da::submit", code = ?refusal.code, %refusal, "refused");
            body.drain().await;
            Refused(refusal).into_response()
        }
    }
}

/// The code as metrics name it.
fn outcome_of(code: RefusalCode) -> String {
    serde_json::to_value(code)
        .ok()
        .and_then(|value| value.as_str().map(str::to_string))
        .unwrap_or_default()
}

/// A ticket that is dropped when its request is: when the sender goes away while the body is read.
struct Guard<'a> {
    node: &'a Node,
    ticket: Ticket,
    armed: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.node.step(Event::Dropped(self.ticket));
        }
    }
}

async fn receive(
    node: &Node,
    body: &mut BodyReader,
    announced: Option<u64>,
) -> Result<Signature, Refusal> {
    let mut bytes = Vec::with_capacity(Submission::PREFIX_BYTES);
    body.read_to(&mut bytes, Submission::PREFIX_BYTES).await?;
    let (header, payer_signature) =
        Submission::decode_prefix(&bytes).map_err(|error| malformed(error.to_string()))?;
    let ticket = node.next_ticket();
    let mut guard = Guard { node, ticket, armed: true };
    let offer = Box::new(Offer { header, payer_signature, announced_length: announced });
    let offered = step(node, Event::Offered(ticket, offer));
    let found = look_up(node, offered?).await?;
    let (length, room, rows) = match step(node, found)? {
        Effect::ReadBody { length, room, rows, .. } => (length, room, rows),
        other => return finish(node, other),
    };
    read_rest(node, ticket, body, &mut bytes, (length, room)).await?;
    let turn = node.checks().clone().acquire_owned().await;
    let turn = turn.map_err(|error| failed(&error.to_string()))?;
    guard.armed = false;
    drop(guard);
    // From here on the work is the node's own: it goes on when the sender hangs up.
    let work = {
        let node = node.clone();
        tokio::task::spawn_blocking(move || check_and_store(&node, ticket, &bytes, &rows, turn))
    };
    work.await.map_err(|error| failed(&error.to_string()))?
}

/// Reads a body to its end, which takes up memory as it arrives.
async fn read_rest(
    node: &Node,
    ticket: Ticket,
    body: &mut BodyReader,
    bytes: &mut Vec<u8>,
    (length, mut room): (usize, usize),
) -> Result<(), Refusal> {
    loop {
        let next = room.min(length);
        bytes.reserve_exact(next.saturating_sub(bytes.len()));
        body.read_to(bytes, next).await?;
        if next == length {
            return body.expect_end(length).await;
        }
        room = match step(node, Event::Filled(ticket))? {
            Effect::ReadOn(_, room) => room,
            other => return Err(out_of_order(&other)),
        };
    }
}

async fn look_up(node: &Node, effect: Effect) -> Result<Event, Refusal> {
    let Effect::LookUp(ticket, header) = effect else { return Err(out_of_order(&effect)) };
    let store = node.store().clone();
    let found = tokio::task::spawn_blocking(move || {
        let reservation = store.reservation(header.payer, header.reservation)?;
        Ok::<_, StoreError>(Found { reservation, rows: store.rows_of(header.hash())? })
    });
    let found = found.await.map_err(|error| failed(&error.to_string()))?;
    Ok(Event::Found(ticket, found.map_err(|error| super::refuse::internal(&error))?))
}

/// Runs on a thread that may block.
fn check_and_store(
    node: &Node,
    ticket: Ticket,
    bytes: &[u8],
    rows: &[RowIndex],
    turn: OwnedSemaphorePermit,
) -> Result<Signature, Refusal> {
    // Taken back after the check: writes wait for the disk and not for a core.
    let mut turn = Some(turn);
    let mut guard = Guard { node, ticket, armed: true };
    let submission =
        Submission::decode(bytes, rows).map_err(|error| malformed(error.to_string()))?;
    let mut effect = step(node, Event::BodyRead(ticket))?;
    loop {
        let event = match effect {
            Effect::Verify(ticket, rows) => {
                let timer = std::time::Instant::now();
                let verdict = check_rows(&submission, &rows);
                drop(turn.take());
                metrics::histogram!("da_verify_seconds").record(timer.elapsed().as_secs_f64());
                Event::Verified(ticket, verdict)
            }
            Effect::Store(ticket, rows) => {
                let end = node.with_admission(|admission| admission.certificates_end(ticket));
                let kept = Kept {
                    header: &submission.header,
                    payer_signature: &submission.payer_signature,
                    certificates_end: end.ok_or_else(|| failed("no ticket to store for"))?,
                    commitments: submission.commitments,
                    rows: &rows,
                    bytes: submission.rows,
                };
                let timer = std::time::Instant::now();
                let stored = node.store().keep(&kept).map_err(store_fault);
                metrics::histogram!("da_store_seconds").record(timer.elapsed().as_secs_f64());
                count_stored(&stored, rows.len());
                Event::Stored(ticket, stored)
            }
            other => {
                guard.armed = false;
                return finish(node, other);
            }
        };
        effect = step(node, event)?;
    }
}

/// Rows that were not written are none that are stored.
fn count_stored(stored: &Result<(), StoreFault>, rows: usize) {
    if stored.is_ok() {
        metrics::counter!("da_rows_stored_total").increment(rows as u64);
    }
}

fn store_fault(error: StoreError) -> StoreFault {
    match error {
        StoreError::NoSpace(text) => StoreFault::NoSpace(text),
        StoreError::ReservationUsed { used_by, .. } => StoreFault::ReservationUsed(used_by),
        other => {
            tracing::error!(target: "da::store", error = %other, "write failed");
            StoreFault::Failed("the store failed".to_string())
        }
    }
}

/// Steps on; a refusal ends the request, and so does a ticket that is no longer there.
fn step(node: &Node, event: Event) -> Result<Effect, Refusal> {
    match node.step(event) {
        Some(Effect::Refuse(_, refusal)) => Err(refusal),
        Some(effect) => Ok(effect),
        None => Err(failed("the submission ended before")),
    }
}

fn finish(node: &Node, effect: Effect) -> Result<Signature, Refusal> {
    match effect {
        Effect::Sign(_, digest) => Ok(node.key().sign(digest)),
        Effect::Refuse(_, refusal) => Err(refusal),
        other => Err(out_of_order(&other)),
    }
}

fn out_of_order(effect: &Effect) -> Refusal {
    failed(&format!("{effect:?} is out of order"))
}

fn failed(text: &str) -> Refusal {
    tracing::error!(target: "da::submit", text, "submission failed");
    Refusal::new(RefusalCode::Internal, "the node failed")
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn only_rows_that_were_written_are_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            count_stored(&Ok(()), 3);
            count_stored(&Err(StoreFault::NoSpace("full".into())), 5);
            count_stored(&Ok(()), 4);
        });
        let text = recorder.handle().render();
        assert!(text.contains("da_rows_stored_total 7\n"), "{text}");
    }
}
