//! What connections make the server keep: requests that are worked on, and answers that their
//! clients have not read.
//!
//! Every connection has an [`Account`], and all of them share a [`Budget`]. The body of an HTTP
//! request is booked as it is read, a call over WebSocket when it begins, and an answer when it is finished; it stays booked until the socket has taken
//! it: over HTTP its buffer carries the booking, over WebSocket the written bytes pay it off. What
//! does not fit is refused and dropped at once, so that finished answers never take more than the
//! budget; beside it stand only those being made, at most one on each thread of the pools.
//!
//! A connection is not read from while it owes half of its share or its socket takes nothing: then
//! what it has sent waits in its own buffers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use futures::task::AtomicWaker;
use hyper::body::Bytes;
use jsonrpsee::MethodResponse;
use jsonrpsee::types::Id;

use crate::{Limits, RpcError};

/// What a call takes beside the bytes of its request.
const CALL_BYTES: usize = 1 << 10;
/// What every connection may owe, however much others do: a client that reads what it asks for is
/// served beside those that do not.
const SMALL: usize = 16 << 10;
/// Longest id that an answer of refusal repeats.
const ID_BYTES: usize = 256;

/// What all connections may keep together.
#[derive(Debug)]
pub(crate) struct Budget {
    kept: AtomicUsize,
    most: usize,
    connection_most: usize,
}

/// What one connection keeps.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Arc<Budget>,
    /// Bytes of bookings that end by themselves.
    booked: AtomicUsize,
    /// Bytes of WebSocket messages that the socket has not taken.
    unsent: AtomicUsize,
    /// Whether the connection speaks WebSocket.
    upgraded: AtomicBool,
    reader: AtomicWaker,
}

/// Bytes that are kept while this lives.
#[derive(Debug)]
pub(super) struct Booking {
    account: Arc<Account>,
    bytes: AtomicUsize,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let (most, connection_most) = (limits.kept_bytes, limits.connection_kept_bytes);
        Arc::new(Self { kept: AtomicUsize::new(0), most, connection_most })
    }

    /// Bytes kept now.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize, anyway: bool) -> bool {
        let sum = |kept: usize| {
            let sum = kept.saturating_add(bytes);
            (anyway || sum <= self.most).then_some(sum)
        };
        self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok()
    }

    fn take(&self, bytes: usize) {
        subtract(&self.kept, bytes);
    }
}

/// Subtracts what is there; gives how much that was.
fn subtract(from: &AtomicUsize, bytes: usize) -> usize {
    let less = |now: usize| Some(now.saturating_sub(bytes));
    let before = from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    before.unwrap_or_else(|now| now).min(bytes)
}

fn busy() -> RpcError {
    metrics::counter!("sequencer_rpc_busy_total", "pool" => "answers").increment(1);
    RpcError::LimitExceeded("too many unread answers, read them and try again".into())
}

impl Account {
    pub(super) fn new(budget: &Arc<Budget>) -> Arc<Self> {
        Arc::new(Self {
            budget: budget.clone(),
            booked: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            upgraded: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        })
    }

    /// From now on written bytes are those of WebSocket messages.
    pub(super) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    /// Whether the connection speaks WebSocket.
    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Relaxed)
    }

    /// Books a call, with the bytes of its request.
    pub(super) fn begin(self: &Arc<Self>, request: usize) -> Result<Booking, RpcError> {
        let booking = Booking { account: self.clone(), bytes: AtomicUsize::new(0) };
        booking.add(request.saturating_add(CALL_BYTES))?;
        Ok(booking)
    }

    /// Adds a WebSocket message that waits to be written.
    pub(crate) fn push(&self, bytes: usize) -> Result<(), RpcError> {
        self.reserve(bytes)?;
        self.unsent.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Takes back a message that will not be written.
    pub(crate) fn withdraw(&self, bytes: usize) {
        self.budget.take(subtract(&self.unsent, bytes));
        self.wake();
    }

    /// The socket has taken bytes.
    pub(super) fn sent(&self, bytes: usize) {
        if self.is_upgraded() {
            self.withdraw(bytes);
        }
    }

    /// Whether the connection owes too much to be listened to.
    pub(super) fn is_deep(&self) -> bool {
        self.kept() >= self.budget.connection_most / 2
    }

    /// Wakes `waker` when something was paid off.
    pub(super) fn register(&self, waker: &Waker) {
        self.reader.register(waker);
    }

    /// Wakes the reader.
    pub(super) fn wake(&self) {
        self.reader.wake();
    }

    fn kept(&self) -> usize {
        let (booked, unsent) = (&self.booked, &self.unsent);
        booked.load(Ordering::Relaxed).saturating_add(unsent.load(Ordering::Relaxed))
    }

    /// Reserves bytes of the connection's share and of the budget.
    fn reserve(&self, bytes: usize) -> Result<(), RpcError> {
        let sum = self.kept().saturating_add(bytes);
        let fits = sum <= self.budget.connection_most && self.budget.add(bytes, sum <= SMALL);
        if fits { Ok(()) } else { Err(busy()) }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.take(self.kept());
    }
}

impl Booking {
    /// Books more.
    pub(super) fn add(&self, bytes: usize) -> Result<(), RpcError> {
        self.account.reserve(bytes)?;
        self.account.booked.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Books an answer in place of what led to it. One that does not fit is dropped, and its client
    /// told so.
    pub(super) fn finish(self, answer: MethodResponse, id: Id<'_>) -> MethodResponse {
        // Whatever else there is has no answer, or sent it before.
        if !answer.is_method_call() && !answer.is_batch() {
            return answer;
        }
        match self.replace(answer.as_json().get().len()) {
            Ok(()) => self.attach(answer),
            Err(error) => {
                drop(answer);
                MethodResponse::error(short(id), error)
            }
        }
    }

    fn replace(&self, bytes: usize) -> Result<(), RpcError> {
        let before = self.bytes.load(Ordering::Relaxed);
        if bytes > before {
            return self.add(bytes - before);
        }
        self.remove(before - bytes);
        Ok(())
    }

    fn attach(self, mut answer: MethodResponse) -> MethodResponse {
        if self.account.is_upgraded() {
            let bytes = self.bytes.swap(0, Ordering::Relaxed);
            self.account.unsent.fetch_add(bytes, Ordering::Relaxed);
            subtract(&self.account.booked, bytes);
        } else {
            answer.extensions_mut().insert(Arc::new(self));
        }
        answer
    }

    fn remove(&self, bytes: usize) {
        let bytes = subtract(&self.bytes, bytes);
        self.account.budget.take(subtract(&self.account.booked, bytes));
        self.account.wake();
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        self.remove(usize::MAX);
    }
}

/// An id that is worth repeating.
pub(super) fn short(id: Id<'_>) -> Id<'_> {
    match &id {
        Id::Str(text) if text.len() > ID_BYTES => Id::Null,
        _ => id,
    }
}

/// The bytes of an answer with its booking, which ends when the last of them is written.
#[derive(Debug)]
struct Booked {
    bytes: Bytes,
    _booking: Arc<Booking>,
}

impl AsRef<[u8]> for Booked {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Ties a booking to the bytes of its answer.
pub(super) fn booked(bytes: Bytes, booking: Arc<Booking>) -> Bytes {
    Bytes::from_owner(Booked { bytes, _booking: booking })
}

#[cfg(test)]
mod tests {
    use jsonrpsee::core::server::ResponsePayload;

    use super::*;

    fn budget(kept_bytes: usize, connection_kept_bytes: usize) -> Arc<Budget> {
        Budget::new(&Limits { kept_bytes, connection_kept_bytes, ..Limits::default() })
    }

    fn answer(bytes: usize) -> MethodResponse {
        MethodResponse::response(
            Id::Number(1),
            ResponsePayload::success("a".repeat(bytes)),
            1 << 30,
        )
    }

    #[test]
    fn answers_over_websocket_are_kept_until_the_socket_has_taken_them() {
        let budget = budget(1 << 20, 100_000);
        let account = Account::new(&budget);
        account.upgrade();
        let first = account.begin(10).unwrap().finish(answer(60_000), Id::Number(1));
        assert!(!first.is_error());
        let kept = first.as_json().get().len();
        assert_eq!(budget.kept(), kept);
        assert!(account.is_deep());
        let second = account.begin(10).unwrap().finish(answer(60_000), Id::Number(1));
        assert_eq!(second.as_error_code(), Some(crate::error::LIMIT_EXCEEDED));
        assert_eq!(budget.kept(), kept, "what was refused is not kept");
        account.sent(kept - 7);
        assert_eq!((budget.kept(), account.is_deep()), (7, false));
        account.sent(100);
        assert_eq!(budget.kept(), 0);
        account.push(50).unwrap();
        drop(account);
        assert_eq!(budget.kept(), 0, "a closed connection keeps nothing");
    }

    #[test]
    fn answers_over_http_are_kept_while_their_bytes_live() {
        let budget = budget(1 << 20, 1 << 20);
        let account = Account::new(&budget);
        let mut response = account.begin(10).unwrap().finish(answer(500_000), Id::Number(1));
        let booking = response.extensions_mut().remove::<Arc<Booking>>().unwrap();
        let bytes = booked(Bytes::from(vec![0; 500_000]), booking);
        let part = bytes.slice(10..20);
        drop(bytes);
        account.sent(600_000);
        assert!(budget.kept() >= 500_000);
        drop(part);
        assert_eq!(budget.kept(), 0);
    }

    #[test]
    fn small_answers_are_served_beside_an_exhausted_budget() {
        let budget = budget(200_000, 200_000);
        let greedy = Account::new(&budget);
        greedy.upgrade();
        greedy.push(190_000).unwrap();
        let other = Account::new(&budget);
        let large = other.begin(10).unwrap().finish(answer(20_000), Id::Number(1));
        assert!(large.is_error());
        let small = other.begin(10).unwrap().finish(answer(10_000), Id::Number(1));
        assert!(!small.is_error());
        assert!(greedy.begin(20_000).is_err(), "its share is used up");
        let id = Id::Str("i".repeat(10_000).into());
        let refused = other.begin(0).unwrap().finish(answer(30_000), id);
        assert!(refused.as_json().get().len() < 1_000);
    }

    #[test]
    fn a_call_that_is_given_up_is_kept_no_longer() {
        let budget = budget(1 << 20, 1 << 20);
        let account = Account::new(&budget);
        let booking = account.begin(1_000).unwrap();
        booking.add(5_000).unwrap();
        assert_eq!(budget.kept(), 6_000 + CALL_BYTES);
        drop(booking);
        assert_eq!(budget.kept(), 0);
    }
}
