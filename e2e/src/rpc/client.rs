//! Typed calls over a [`HttpConnection`].

use std::io::ErrorKind;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Endpoint, HttpConnection, post_request};

/// No single call of the harness may take longer.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// Why a call gave no result.
#[derive(Debug, Error)]
pub enum RpcError {
    /// The node could not be asked; asking again may help.
    #[error("{endpoint} cannot be asked")]
    Transport {
        /// Where the call went.
        endpoint: Endpoint,
        /// What the socket said.
        source: std::io::Error,
    },
    /// The node refused the call.
    #[error("{method}: {message} (code {code})")]
    Refused {
        /// Method called.
        method: String,
        /// JSON-RPC error code.
        code: i64,
        /// The node's text.
        message: String,
        /// The node's `data` member, for example revert data.
        data: Option<Value>,
    },
    /// The answer does not have the expected form.
    #[error("{method}: unexpected answer: {reason}")]
    Unexpected {
        /// Method called.
        method: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
    data: Option<Value>,
}

/// A client of one node. Calls are serial; the connection is kept alive and
/// opened again when the node was restarted.
#[derive(Debug)]
pub struct RpcClient {
    endpoint: Endpoint,
    connection: Mutex<Option<HttpConnection>>,
}

impl RpcClient {
    /// A client of the node at `url`; connects on the first call.
    ///
    /// # Errors
    /// When `url` is not a plain `http://` address.
    pub fn new(url: &str) -> eyre::Result<Self> {
        Ok(Self { endpoint: url.parse()?, connection: Mutex::new(None) })
    }

    /// The address calls go to.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Drops the connection; the next call opens a new one.
    pub async fn disconnect(&self) {
        *self.connection.lock().await = None;
    }

    /// One call. `params` is the array of parameters.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcError> {
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": method, "params": params});
        let bytes = self.exchange(body.to_string().as_bytes()).await?;
        let answer: Answer<'_> = serde_json::from_slice(&bytes)
            .map_err(|error| unexpected(method, error.to_string()))?;
        read_answer(method, answer)
    }

    /// The same method with many parameter lists in one batch; results are in
    /// the order of `params`.
    ///
    /// # Errors
    /// See [`RpcError`]; the first refusal fails the whole batch.
    pub async fn batch<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<Vec<T>, RpcError> {
        if params.is_empty() {
            return Ok(Vec::new());
        }
        let calls = params.iter().enumerate().map(
            |(id, params)| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
        );
        let body = Value::Array(calls.collect()).to_string();
        let bytes = self.exchange(body.as_bytes()).await?;
        let answers: Vec<Answer<'_>> = serde_json::from_slice(&bytes)
            .map_err(|error| unexpected(method, error.to_string()))?;
        let mut results: Vec<Option<T>> = params.iter().map(|_| None).collect();
        for answer in answers {
            let id = answer.id.as_u64().and_then(|id| usize::try_from(id).ok());
            let place = id.and_then(|id| results.get_mut(id));
            let place = place.ok_or_else(|| unexpected(method, "unknown id".to_owned()))?;
            *place = Some(read_answer(method, answer)?);
        }
        let all: Option<Vec<T>> = results.into_iter().collect();
        all.ok_or_else(|| unexpected(method, "an answer is missing from the batch".to_owned()))
    }

    async fn exchange(&self, body: &[u8]) -> Result<Vec<u8>, RpcError> {
        let request = post_request(&self.endpoint, body);
        let mut slot = self.connection.lock().await;
        let outcome = timeout(CALL_LIMIT, self.attempt(&mut slot, &request)).await;
        outcome.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())).map_err(|source| {
            // What is left on the wire belongs to the call that failed.
            *slot = None;
            RpcError::Transport { endpoint: self.endpoint.clone(), source }
        })
    }

    /// A server may close an idle connection at any time, so a failure on a kept
    /// one is tried once more on a new one.
    async fn attempt(
        &self,
        slot: &mut Option<HttpConnection>,
        request: &[u8],
    ) -> std::io::Result<Vec<u8>> {
        if let Some(kept) = slot.as_mut() {
            match kept.round_trip(request).await {
                Ok(body) => return Ok(body.to_vec()),
                Err(error) if is_closed(&error) => *slot = None,
                Err(error) => return Err(error),
            }
        }
        let fresh = slot.insert(HttpConnection::connect(&self.endpoint).await?);
        Ok(fresh.round_trip(request).await?.to_vec())
    }

    /// `eth_blockNumber`.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn block_number(&self) -> Result<u64, RpcError> {
        Ok(self.call::<U64>("eth_blockNumber", json!([])).await?.to())
    }

    /// `eth_chainId`.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn chain_id(&self) -> Result<u64, RpcError> {
        Ok(self.call::<U64>("eth_chainId", json!([])).await?.to())
    }

    /// Balances at the latest block.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn balances(&self, of: &[Address]) -> Result<Vec<U256>, RpcError> {
        let params: Vec<Value> = of.iter().map(|address| json!([address, "latest"])).collect();
        self.batch("eth_getBalance", &params).await
    }

    /// Nonces with what waits in the pool counted.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn pending_nonces(&self, of: &[Address]) -> Result<Vec<u64>, RpcError> {
        let params: Vec<Value> = of.iter().map(|address| json!([address, "pending"])).collect();
        let nonces: Vec<U64> = self.batch("eth_getTransactionCount", &params).await?;
        Ok(nonces.into_iter().map(|nonce| nonce.to()).collect())
    }

    /// `eth_sendRawTransaction`.
    ///
    /// # Errors
    /// See [`RpcError`].
    pub async fn send_raw(&self, transaction: &Bytes) -> Result<B256, RpcError> {
        self.call("eth_sendRawTransaction", json!([transaction])).await
    }
}

fn is_closed(error: &std::io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn unexpected(method: &str, reason: String) -> RpcError {
    RpcError::Unexpected { method: method.to_owned(), reason }
}

fn read_answer<T: DeserializeOwned>(method: &str, answer: Answer<'_>) -> Result<T, RpcError> {
    if let Some(Refusal { code, message, data }) = answer.error {
        return Err(RpcError::Refused { method: method.to_owned(), code, message, data });
    }
    // A JSON `null` result arrives here as `None` and may well be what T means.
    let text = answer.result.map_or("null", RawValue::get);
    serde_json::from_str(text).map_err(|error| unexpected(method, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: DeserializeOwned>(text: &str) -> Result<T, RpcError> {
        read_answer("m", serde_json::from_str(text).expect("an answer"))
    }

    #[test]
    fn a_null_result_is_none() {
        assert_eq!(read::<Option<U64>>(r#"{"id":0,"result":null}"#).expect("null"), None);
    }

    #[test]
    fn a_refusal_keeps_code_text_and_data() {
        let text = r#"{"id":0,"error":{"code":3,"message":"reverted","data":"0x01"}}"#;
        let RpcError::Refused { code, message, data, .. } = read::<U64>(text).expect_err("refused")
        else {
            panic!("not a refusal");
        };
        assert_eq!((code, message.as_str()), (3, "reverted"));
        assert_eq!(data, Some(json!("0x01")));
    }

    #[test]
    fn a_result_of_another_type_is_unexpected() {
        let error = read::<U64>(r#"{"id":0,"result":{"a":1}}"#).expect_err("an object");
        assert!(matches!(error, RpcError::Unexpected { .. }));
    }
}
