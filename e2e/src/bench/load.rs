//! Sends prepared requests and counts refusals.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use eyre::WrapErr;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::lanes::Lane;
use crate::rpc::{Endpoint, HttpConnection};

/// A node that is silent for this long on one request has failed.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(120);
/// The runtime's timer fires at the end of its millisecond, so it is set one
/// earlier.
pub(super) const TIMER_STEP: Duration = Duration::from_millis(1);
/// Different refusals kept; the rest is counted under one name.
const KINDS: usize = 16;

/// What became of the requests.
#[derive(Debug, Default)]
pub(super) struct Submission {
    /// From the first byte sent to the last answer.
    pub(super) duration: Duration,
    /// Refusals by their text up to the first colon or digit.
    pub(super) refusals: Refusals,
}

/// One answer of a paced load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// From the moment the transaction was due to its answer.
    pub(super) latency: Duration,
    /// From that moment to the moment it was really sent.
    pub(super) lag: Duration,
}

impl Sample {
    /// A transaction sent before it was due counts from its sending: starting
    /// early within the step of the timer must not make the node look faster.
    pub(super) fn new(due: Instant, sent: Instant, answered: Instant) -> Self {
        let latency = answered.saturating_duration_since(due.min(sent));
        Self { latency, lag: sent.saturating_duration_since(due) }
    }
}

/// Connections for `count` lanes, opened before the clock starts.
pub(super) async fn connect(
    endpoint: &Endpoint,
    count: usize,
) -> eyre::Result<Vec<HttpConnection>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = HttpConnection::connect(endpoint).await;
        connections.push(connection.wrap_err_with(|| format!("cannot connect to {endpoint}"))?);
    }
    Ok(connections)
}

/// Sends every lane over its connection, each request after the answer to the
/// one before; with `rate` no request goes out before its transactions are due.
pub(super) async fn submit(
    connections: Vec<HttpConnection>,
    lanes: Vec<Lane>,
    rate: Option<f64>,
) -> eyre::Result<Submission> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (mut connection, lane) in connections.into_iter().zip(lanes) {
        tasks.spawn(async move {
            let mut refusals = Refusals::default();
            for request in &lane {
                if let Some(rate) = rate {
                    sleep_until(due(start, request.number, rate).into()).await;
                }
                let body = answer(&mut connection, &request.bytes).await?;
                refusals.read(body, request.count);
            }
            Ok::<_, eyre::Report>(refusals)
        });
    }
    let mut submission = Submission::default();
    while let Some(lane) = tasks.join_next().await {
        submission.refusals.merge(lane.wrap_err("a lane panicked")??);
    }
    submission.duration = start.elapsed();
    Ok(submission)
}

/// Sends single calls that answer with a receipt, open loop: the due times are
/// fixed before the start and a late answer delays no due time, only the
/// sending of what is behind it on the same connection, which its latency holds.
pub(super) async fn submit_timed(
    connections: Vec<HttpConnection>,
    lanes: Vec<Lane>,
    rate: f64,
) -> eyre::Result<(Submission, Vec<Sample>)> {
    let start = Instant::now() + TIMER_STEP;
    let mut tasks = JoinSet::new();
    for (mut connection, lane) in connections.into_iter().zip(lanes) {
        tasks.spawn(async move {
            let mut refusals = Refusals::default();
            let mut samples = Vec::with_capacity(lane.len());
            for request in &lane {
                let due = due(start, request.number, rate);
                sleep_until((due - TIMER_STEP).into()).await;
                let sent = Instant::now();
                let body = answer(&mut connection, &request.bytes).await?;
                samples.push(Sample::new(due, sent, Instant::now()));
                refusals.read_receipt(body);
            }
            Ok::<_, eyre::Report>((refusals, samples))
        });
    }
    let mut submission = Submission::default();
    let mut all = Vec::new();
    while let Some(lane) = tasks.join_next().await {
        let (refusals, samples) = lane.wrap_err("a lane panicked")??;
        submission.refusals.merge(refusals);
        all.extend(samples);
    }
    submission.duration = start.elapsed();
    Ok((submission, all))
}

/// When transaction `number` of a load is due.
pub(super) fn due(start: Instant, number: u64, rate: f64) -> Instant {
    start + Duration::from_secs_f64(number as f64 / rate)
}

async fn answer<'a>(connection: &'a mut HttpConnection, bytes: &[u8]) -> eyre::Result<&'a [u8]> {
    let answer = timeout(ANSWER_LIMIT, connection.round_trip(bytes)).await;
    answer.wrap_err("the node does not answer")?.wrap_err("the node broke the connection")
}

/// Counts of refused transactions by reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusals {
    by_reason: BTreeMap<String, u64>,
}

impl Refusals {
    pub(super) fn total(&self) -> u64 {
        self.by_reason.values().sum()
    }

    pub(super) const fn by_reason(&self) -> &BTreeMap<String, u64> {
        &self.by_reason
    }

    /// Looks at an answer to `count` calls. The common answer has no error and is
    /// not parsed: parsing would cost more than everything else here.
    fn read(&mut self, body: &[u8], count: u64) {
        if memchr::memmem::find(body, b"\"error\"").is_none() {
            return;
        }
        match serde_json::from_slice(body) {
            Ok(Value::Array(answers)) => {
                let reasons = answers.iter().filter_map(|answer| answer.get("error"));
                reasons.for_each(|error| self.add(error, 1));
            }
            // One object for a whole batch: the batch itself was refused.
            Ok(Value::Object(answer)) => match answer.get("error") {
                Some(error) => self.add(error, count),
                None => self.add(&Value::Null, count),
            },
            _ => self.add(&Value::Null, count),
        }
    }

    /// Looks at an answer that must be a receipt of success.
    pub(super) fn read_receipt(&mut self, body: &[u8]) {
        let before = self.total();
        self.read(body, 1);
        if self.total() == before && memchr::memmem::find(body, b"\"status\":\"0x1\"").is_none() {
            let error = serde_json::json!({"message": "no receipt of success"});
            self.add(&error, 1);
        }
    }

    fn add(&mut self, error: &Value, count: u64) {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("unreadable answer");
        let end = message.find(|c: char| c == ':' || c.is_ascii_digit()).unwrap_or(message.len());
        let mut reason = message[..end].trim();
        if self.by_reason.len() >= KINDS && !self.by_reason.contains_key(reason) {
            reason = "other reasons";
        }
        *self.by_reason.entry(reason.to_owned()).or_default() += count;
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (reason, count) in other.by_reason {
            *self.by_reason.entry(reason).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, count: u64) -> Vec<(String, u64)> {
        let mut refusals = Refusals::default();
        refusals.read(body.as_bytes(), count);
        refusals.by_reason.into_iter().collect()
    }

    #[test]
    fn counts_refusals_inside_a_batch_by_reason() {
        let body = r#"[{"id":0,"result":"0x"},
            {"id":1,"error":{"code":-32000,"message":"nonce too low: address 0xab, tx: 1"}},
            {"id":2,"error":{"code":-32000,"message":"nonce too low: address 0xcd, tx: 2"}},
            {"id":3,"error":{"code":-32000,"message":"txpool is full"}}]"#;
        let expected = [("nonce too low".to_owned(), 2), ("txpool is full".to_owned(), 1)];
        assert_eq!(read(body, 4), expected);
    }

    #[test]
    fn a_refused_batch_counts_for_all_its_transactions() {
        let body = r#"{"id":null,"error":{"code":-32600,"message":"batch too large"}}"#;
        assert_eq!(read(body, 100), [("batch too large".to_owned(), 100)]);
        assert_eq!(read("garbage with \"error\"", 9), [("unreadable answer".to_owned(), 9)]);
    }

    #[test]
    fn a_receipt_without_success_is_a_refusal() {
        let mut refusals = Refusals::default();
        refusals.read_receipt(br#"{"id":0,"result":{"status":"0x1"}}"#);
        assert_eq!(refusals.total(), 0);
        refusals.read_receipt(br#"{"id":0,"result":{"status":"0x0"}}"#);
        refusals.read_receipt(br#"{"id":0,"error":{"message":"already known"}}"#);
        assert_eq!(refusals.total(), 2);
    }

    #[test]
    fn latency_counts_from_the_due_time_or_an_earlier_sending() {
        let due = Instant::now() + Duration::from_secs(10);
        let millis = Duration::from_millis;
        let late = Sample::new(due, due + millis(30), due + millis(40));
        assert_eq!((late.latency, late.lag), (millis(40), millis(30)));
        let early = Sample::new(due, due - millis(1), due + millis(2));
        assert_eq!((early.latency, early.lag), (millis(3), Duration::ZERO));
    }

    #[test]
    fn due_times_are_evenly_spaced() {
        let start = Instant::now();
        assert_eq!(due(start, 2_500, 10_000.0) - start, Duration::from_millis(250));
    }
}
