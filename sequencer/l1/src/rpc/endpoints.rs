//! Several endpoints in order of preference.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Backoff, CallError, Choice, Endpoint, Failure, Health};
use crate::{L1Error, Lie};

/// What one endpoint made of a request.
#[derive(Debug)]
pub enum Attempt {
    /// It gave no answer.
    Failed(CallError),
    /// It refused this request, and has done nothing wrong: another may not refuse it.
    Refused(CallError),
    /// It said what cannot be.
    Lied(Lie),
    /// An error that no other endpoint mends.
    Final(L1Error),
}

impl From<CallError> for Attempt {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

impl From<Lie> for Attempt {
    fn from(lie: Lie) -> Self {
        Self::Lied(lie)
    }
}

/// Endpoints of one chain.
#[derive(Debug)]
pub struct Endpoints {
    endpoints: Vec<Endpoint>,
    health: Mutex<Health>,
}

impl Endpoints {
    /// Endpoints in order of preference; see [`Endpoint::new`] for the limits.
    ///
    /// # Errors
    /// [`L1Error::Unavailable`] when the HTTP client cannot be made, or there is no URL.
    pub fn new(
        urls: &[Url],
        answer_time: Duration,
        bytes_max: usize,
        backoff: Backoff,
    ) -> Result<Self, L1Error> {
        let unusable = |reason: String| L1Error::Unavailable {
            what: "the configuration".to_owned(),
            reason,
            after: backoff.longest,
        };
        if urls.is_empty() {
            return Err(unusable("no endpoint".to_owned()));
        }
        let http = Client::builder().connect_timeout(answer_time).build();
        let http = http.map_err(|error| unusable(error.to_string()))?;
        let endpoint = |url: &Url| Endpoint::new(http.clone(), url.clone(), answer_time, bytes_max);
        let endpoints: Vec<_> = urls.iter().map(endpoint).collect();
        let health = Mutex::new(Health::new(endpoints.len(), backoff));
        Ok(Self { endpoints, health })
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter()
    }

    /// Lets one endpoint after the other try, each at most once, until one succeeds. `what` names
    /// the request in errors.
    ///
    /// # Errors
    /// [`L1Error::Lie`] if the only answers were lies, [`L1Error::Pruned`] if every endpoint has
    /// dropped what is asked for, else [`L1Error::Unavailable`].
    pub async fn attempt<'a, T, F, A>(&'a self, what: &str, attempt: A) -> Result<T, L1Error>
    where
        A: Fn(&'a Endpoint) -> F,
        F: Future<Output = Result<T, Attempt>>,
    {
        let mut tried = Vec::with_capacity(self.endpoints.len());
        let mut lie = None;
        let mut reason = None;
        let mut pruned = 0;
        while let Some(index) = self.choose(&tried) {
            let Some(endpoint) = self.endpoints.get(index) else { break };
            tried.push(index);
            let failure = match attempt(endpoint).await {
                Ok(answer) => {
                    self.health().succeeded(index);
                    return Ok(answer);
                }
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::Refused(error)) => {
                    pruned += usize::from(error.says_pruned());
                    reason = Some(error.to_string());
                    self.health().succeeded(index);
                    continue;
                }
                Err(Attempt::Lied(found)) => {
                    metrics::counter!("cairn_l1_lies_total").increment(1);
                    tracing::warn!(target: "l1::rpc", endpoint = endpoint.name(), lie = %found, "an endpoint lies");
                    lie = Some((endpoint.name().to_owned(), found));
                    Failure::Lied
                }
                Err(Attempt::Failed(error)) => {
                    metrics::counter!("cairn_l1_failures_total").increment(1);
                    tracing::debug!(target: "l1::rpc", endpoint = endpoint.name(), what, %error, "no answer");
                    pruned += usize::from(error.says_pruned());
                    let failure = match &error {
                        CallError::RateLimited(pause) => Failure::RateLimited(*pause),
                        _ => Failure::NoAnswer,
                    };
                    reason = Some(error.to_string());
                    failure
                }
            };
            self.health().failed(index, failure, Instant::now());
        }
        let reason = reason.unwrap_or_else(|| "every endpoint is left alone for now".to_owned());
        let what = what.to_owned();
        match lie {
            Some((endpoint, lie)) => Err(L1Error::Lie { endpoint, lie }),
            None if pruned == self.endpoints.len() => Err(L1Error::Pruned { what, reason }),
            None => {
                let after = self.health().wait(Instant::now());
                Err(L1Error::Unavailable { what, reason, after })
            }
        }
    }

    /// A call whose answer cannot be checked; `None` for an answer of `null`.
    ///
    /// # Errors
    /// Those of [`attempt`](Self::attempt).
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<Option<T>, L1Error> {
        let params = &params;
        self.attempt(method, move |endpoint| call_as(endpoint, method, params)).await
    }

    fn choose(&self, tried: &[usize]) -> Option<usize> {
        match self.health().choose(tried, Instant::now()) {
            Some(Choice::Ask(index)) => Some(index),
            Some(Choice::Wait(_)) | None => None,
        }
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call with its answer decoded.
pub(crate) async fn call_as<T: DeserializeOwned>(
    endpoint: &Endpoint,
    method: impl AsRef<str>,
    params: &Value,
) -> Result<Option<T>, Attempt> {
    let method = method.as_ref();
    let json = endpoint.call(method, params).await?;
    serde_json::from_str(json.get()).map_err(|error| {
        Lie::Malformed { what: method.to_owned(), reason: error.to_string() }.into()
    })
}
