//! What happens around every call: limits, counting, timing.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::map::HashMap;
use jsonrpsee::MethodResponse;
use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification, Request, RpcServiceT};
use jsonrpsee::types::{ErrorObjectOwned, Id};
use metrics::{Counter, Gauge, Histogram};

use super::account::{Account, short};
use super::depth::is_deeper;
use super::http_service::OverHttp;
use crate::error::{INVALID_REQUEST, METHOD_NOT_FOUND};
use crate::{Backend, RpcError};

/// What answers calls behind the limits here.
pub(super) trait Answering:
    RpcServiceT<
        MethodResponse = MethodResponse,
        BatchResponse = MethodResponse,
        NotificationResponse = MethodResponse,
    > + Send
    + Sync
    + Clone
    + 'static
{
}

impl<S> Answering for S where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Send
        + Sync
        + Clone
        + 'static
{
}

/// Wraps the methods of a port for one connection.
#[derive(Debug, Clone)]
pub(super) struct CallLayer {
    shared: Arc<Shared>,
    account: Arc<Account>,
}

/// The methods of a port, wrapped.
#[derive(Debug, Clone)]
pub(super) struct CallService<S> {
    pub(super) inner: S,
    pub(super) shared: Arc<Shared>,
    account: Arc<Account>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) backend: Backend,
    methods: HashMap<String, MethodMetrics>,
    unknown: Counter,
    in_flight: Gauge,
    json_depth: usize,
    pub(super) batch_concurrency: usize,
    pub(super) response_bytes: usize,
}

/// Labels are methods that exist: a client cannot make new ones.
#[derive(Debug)]
pub(super) struct MethodMetrics {
    calls: Counter,
    errors: Counter,
    seconds: Histogram,
}

impl MethodMetrics {
    /// Books an answer to a call that came at `started`.
    pub(super) fn book(&self, response: &MethodResponse, started: Instant) {
        self.calls.increment(1);
        if response.is_error() {
            self.errors.increment(1);
        }
        self.seconds.record(started.elapsed());
    }

    fn new(method: &str) -> Self {
        let label = method.to_owned();
        Self {
            calls: metrics::counter!("sequencer_rpc_calls_total", "method" => label.clone()),
            errors: metrics::counter!("sequencer_rpc_errors_total", "method" => label.clone()),
            seconds: metrics::histogram!("sequencer_rpc_call_seconds", "method" => label),
        }
    }
}

impl CallLayer {
    pub(super) fn new(shared: &Arc<Shared>, account: &Arc<Account>) -> Self {
        Self { shared: shared.clone(), account: account.clone() }
    }
}

impl Shared {
    pub(super) fn new(methods: jsonrpsee::Methods, backend: &Backend) -> Arc<Self> {
        let names = methods.method_names();
        let limits = &backend.config.limits;
        Arc::new(Self {
            backend: backend.clone(),
            methods: names.map(|name| (name.to_owned(), MethodMetrics::new(name))).collect(),
            unknown: metrics::counter!("sequencer_rpc_unknown_methods_total"),
            in_flight: metrics::gauge!("sequencer_rpc_calls_in_flight"),
            json_depth: limits.json_depth,
            batch_concurrency: limits.batch_concurrency.max(1),
            response_bytes: usize::try_from(limits.response_bytes).unwrap_or(usize::MAX),
        })
    }
}

impl<S> tower::Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        let Self { shared, account } = self.clone();
        CallService { inner, shared, account }
    }
}

/// Counts a call as being worked on while it lives, even if its client goes away.
pub(super) struct InFlight<'a>(&'a Gauge, f64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.decrement(self.1);
    }
}

impl Shared {
    /// Counts calls as being worked on.
    pub(super) fn begin(&self, calls: usize) -> InFlight<'_> {
        let calls = calls as f64;
        self.in_flight.increment(calls);
        InFlight(&self.in_flight, calls)
    }

    /// A method that is served.
    pub(super) fn method(&self, name: &str) -> Option<&MethodMetrics> {
        self.methods.get(name)
    }

    /// Refuses a call before it is worked on.
    pub(super) fn check(&self, request: &Request<'_>) -> Result<&MethodMetrics, ErrorObjectOwned> {
        let name = request.method_name();
        let Some(method) = self.methods.get(name) else {
            self.unknown.increment(1);
            // A long name is an attack on whoever reads the answer.
            let shown: String = name.chars().take(64).collect();
            return Err(RpcError::MethodNotFound(shown).into());
        };
        let params = request.params.as_ref().map(|params: &Cow<'_, _>| params.get());
        if params.is_some_and(|params| is_deeper(params, self.json_depth)) {
            let text = format!("JSON nests deeper than {}", self.json_depth);
            return Err(RpcError::coded(INVALID_REQUEST, text).into());
        }
        let over_http = request.extensions().get::<OverHttp>().is_some();
        if over_http && matches!(name, "eth_subscribe" | "eth_unsubscribe") {
            return Err(RpcError::coded(METHOD_NOT_FOUND, "notifications not supported").into());
        }
        Ok(method)
    }
}

impl<S: Answering> CallService<S> {
    pub(super) async fn one(self, request: Request<'_>) -> MethodResponse {
        let method = match self.shared.check(&request) {
            Ok(method) => method,
            Err(error) => return MethodResponse::error(request.id, error),
        };
        let _in_flight = self.shared.begin(1);
        let started = Instant::now();
        let response = self.inner.call(request).await;
        method.book(&response, started);
        response
    }

    async fn booked(self, request: Request<'_>) -> MethodResponse {
        let id = request.id.clone();
        match self.account.begin(self.size(&request)) {
            Ok(booking) => booking.finish(self.one(request).await, id),
            Err(error) => MethodResponse::error(short(id), error),
        }
    }

    async fn booked_batch(self, batch: Batch<'_>) -> MethodResponse {
        let bytes = batch.iter().map(|entry| match entry {
            Ok(BatchEntry::Call(request)) => self.size(request),
            _ => 0,
        });
        match self.account.begin(bytes.sum()) {
            Ok(booking) => {
                let answer = super::batch::run(self, batch, &booking).await;
                booking.finish(answer, Id::Null)
            }
            Err(error) => MethodResponse::error(Id::Null, error),
        }
    }

    /// Bytes of what a client chose the length of, where they are not booked with its body.
    fn size(&self, request: &Request<'_>) -> usize {
        if !self.account.is_upgraded() {
            return 0;
        }
        let params = request.params.as_ref().map_or(0, |params| params.get().len());
        let id = match &request.id {
            Id::Str(text) => text.len(),
            Id::Null | Id::Number(_) => 0,
        };
        params.saturating_add(id).saturating_add(request.method.len())
    }
}

impl<S: Answering> RpcServiceT for CallService<S> {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.clone().booked(request)
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.clone().booked_batch(batch)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}
