//! Messages to a subscriber, within what its connection may keep.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::Extensions;
use jsonrpsee::core::server::{SubscriptionMessage, SubscriptionSink};
use serde_json::value::RawValue;

use super::account::Account;

/// The client is gone, or too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended;

/// The connection that a call came on.
#[derive(Debug, Clone)]
pub(crate) struct Origin(Option<Arc<Account>>);

/// The way to a subscriber.
#[derive(Debug)]
pub(crate) struct Subscriber {
    sink: SubscriptionSink,
    origin: Origin,
    /// How long one message may wait for a place in the connection's buffer.
    patience: Duration,
}

impl Origin {
    /// Of a call with those extensions.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        Self(extensions.get::<Arc<Account>>().cloned())
    }
}

impl Subscriber {
    pub(crate) const fn new(sink: SubscriptionSink, origin: Origin, patience: Duration) -> Self {
        Self { sink, origin, patience }
    }

    /// Ends when the client goes.
    pub(crate) async fn closed(&self) {
        self.sink.closed().await;
    }

    /// Sends a message, or waits until there is a place for it.
    pub(crate) async fn send(&self, json: Box<RawValue>) -> Result<(), Ended> {
        let bytes = json.get().len();
        let account = self.origin.0.as_deref();
        if account.is_some_and(|account| account.push(bytes).is_err()) {
            return Err(Ended);
        }
        let sent = self.sink.send_timeout(SubscriptionMessage::from(json), self.patience).await;
        sent.map_err(|_| {
            if let Some(account) = account {
                account.withdraw(bytes);
            }
            Ended
        })
    }
}
