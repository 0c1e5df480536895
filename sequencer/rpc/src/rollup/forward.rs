//! Transactions passed on to the sequencer, by nodes that include none themselves.
//!
//! The sequencer's answer is the caller's, its errors too. Bounded in number and time: a sequencer
//! that does not answer costs its callers their wait and this node nothing else.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use crate::{Args, Methods, RpcConfig, RpcError};

/// How long a connection to the sequencer may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer of the sequencer: a receipt with all the logs that a block can pay for.
const RESPONSE_BYTES: u32 = 32 << 20;
/// Requests under way at once.
const CONCURRENCY: usize = 1_024;

/// The sequencer's JSON-RPC. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SequencerEndpoint {
    client: HttpClient,
    permits: Arc<Semaphore>,
}

impl SequencerEndpoint {
    /// An endpoint by its `http` or `https` address. Connects when something is sent.
    ///
    /// # Errors
    /// With the reason, when the address is none.
    pub fn new(url: &str, config: &RpcConfig) -> Result<Self, String> {
        let limits = &config.methods;
        let most = limits.sync_timeout_max.saturating_add(limits.forward_timeout);
        let client = HttpClientBuilder::default()
            .max_request_size(config.limits.request_bytes)
            .max_response_size(RESPONSE_BYTES)
            .connect_timeout(CONNECT_TIMEOUT)
            // Each method has its own time, which is not longer.
            .request_timeout(most.saturating_add(CONNECT_TIMEOUT))
            .build(url)
            .map_err(|error| format!("sequencer at {url}: {error}"))?;
        Ok(Self { client, permits: Arc::new(Semaphore::new(CONCURRENCY)) })
    }

    /// Calls a method of the sequencer with the caller's own parameters.
    pub(crate) async fn forward(
        &self,
        method: &str,
        args: &Args,
        patience: Duration,
    ) -> Result<Box<RawValue>, RpcError> {
        let _permit = self.permits.try_acquire().map_err(|_| {
            RpcError::LimitExceeded("too many transactions wait for the sequencer".into())
        })?;
        match tokio::time::timeout(patience, self.client.request(method, args)).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(ClientError::Call(error))) => Err(RpcError::Coded {
                code: error.code(),
                message: error.message().to_owned(),
                data: error.data().and_then(|data| serde_json::from_str(data.get()).ok()),
            }),
            Ok(Err(error)) => {
                tracing::warn!(target: "sequencer::rpc", %error, method, "sequencer not reached");
                Err(RpcError::server("the sequencer could not be reached"))
            }
            Err(_) => Err(RpcError::server("the sequencer did not answer in time")),
        }
    }
}

/// Methods that only the sequencer has.
pub(super) fn register(methods: &mut Methods) {
    methods.waiting("eth_sendRawTransactionConditional", 2, |backend, args| {
        Box::pin(async move {
            let upstream = backend.upstream.clone();
            let upstream = upstream.ok_or_else(|| RpcError::internal("no sequencer is known"))?;
            let method = "eth_sendRawTransactionConditional";
            upstream.forward(method, &args, backend.config.methods.forward_timeout).await
        })
    });
}
