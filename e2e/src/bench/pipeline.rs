//! Single calls over WebSocket connections, sent when they are due whether or not
//! earlier ones have been answered.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use eyre::{WrapErr, bail, eyre};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::lanes::Lane;
use super::load::{ANSWER_LIMIT, Refusals, Sample, Submission, TIMER_STEP, due};
use crate::rpc::Endpoint;
use crate::rpc::websocket::{WsMessage, WsReader, WsWriter, connect, pong_frame};

/// An open WebSocket connection.
#[derive(Debug)]
pub(super) struct Pipe {
    reader: WsReader,
    writer: WsWriter,
}

/// Connections for `count` lanes, opened before the clock starts.
pub(super) async fn open(endpoint: &Endpoint, count: usize) -> eyre::Result<Vec<Pipe>> {
    let mut pipes = Vec::with_capacity(count);
    for _ in 0..count {
        let (reader, writer) =
            connect(endpoint).await.wrap_err_with(|| format!("no WebSocket to {endpoint}"))?;
        pipes.push(Pipe { reader, writer });
    }
    Ok(pipes)
}

/// Sends every lane over its connection at `rate` transactions per second over
/// all, and waits for a receipt of each.
pub(super) async fn submit(
    pipes: Vec<Pipe>,
    lanes: Vec<Lane>,
    rate: f64,
) -> eyre::Result<(Submission, Vec<Sample>)> {
    let start = Instant::now() + TIMER_STEP;
    let mut tasks = JoinSet::new();
    for (pipe, lane) in pipes.into_iter().zip(lanes) {
        tasks.spawn(run(pipe, lane, start, rate));
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

async fn run(
    pipe: Pipe,
    lane: Lane,
    start: Instant,
    rate: f64,
) -> eyre::Result<(Refusals, Vec<Sample>)> {
    let writer = AsyncMutex::new(pipe.writer);
    let sent = Mutex::new(Vec::with_capacity(lane.len()));
    let sending = send(&writer, &lane, &sent, start, rate);
    let receiving = async {
        let mut reader = pipe.reader;
        let mut refusals = Refusals::default();
        let mut samples = Vec::with_capacity(lane.len());
        while samples.len() < lane.len() {
            let message = timeout(ANSWER_LIMIT, reader.next()).await;
            match message.wrap_err("the node does not answer")?? {
                WsMessage::Ping(body) => writer.lock().await.send(&pong_frame(body)).await?,
                WsMessage::Data(body) => {
                    let answered = Instant::now();
                    let place = call_id(body).ok_or_else(|| eyre!("an answer without id"))?;
                    let at =
                        sent.lock().unwrap_or_else(PoisonError::into_inner).get(place).copied();
                    let Some(at) = at else { bail!("an answer to a call that was not sent") };
                    let due = due(start, lane[place].number, rate);
                    samples.push(Sample::new(due, at, answered));
                    refusals.read_receipt(body);
                }
            }
        }
        Ok((refusals, samples))
    };
    let ((), answers) = tokio::try_join!(sending, receiving)?;
    Ok(answers)
}

/// Everything that is due within the timer's step goes out in one write.
async fn send(
    writer: &AsyncMutex<WsWriter>,
    lane: &Lane,
    sent: &Mutex<Vec<Instant>>,
    start: Instant,
    rate: f64,
) -> eyre::Result<()> {
    let mut next = 0;
    let mut frames = Vec::new();
    while let Some(request) = lane.get(next) {
        sleep_until((due(start, request.number, rate) - TIMER_STEP).into()).await;
        let now = Instant::now();
        frames.clear();
        let ready = lane[next..]
            .iter()
            .take_while(|request| due(start, request.number, rate) <= now + TIMER_STEP)
            .count()
            .max(1);
        lane[next..next + ready].iter().for_each(|request| frames.extend(&request.bytes));
        next += ready;
        sent.lock().unwrap_or_else(PoisonError::into_inner).resize(next, now);
        writer.lock().await.send(&frames).await.wrap_err("the node broke the connection")?;
    }
    Ok(())
}

/// The number behind the first `"id":`. A receipt has no member of that name, so
/// this is the call's wherever the node puts it.
fn call_id(body: &[u8]) -> Option<usize> {
    let start = memchr::memmem::find(body, b"\"id\":")? + 5;
    let digits = body[start..].iter().skip_while(|byte| byte.is_ascii_whitespace());
    let mut id = None;
    for digit in digits.take_while(|byte| byte.is_ascii_digit()) {
        let value: usize = id.unwrap_or(0);
        id = Some(value.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_id_on_either_side_of_the_result() {
        assert_eq!(call_id(br#"{"jsonrpc":"2.0","id":120,"result":{"status":"0x1"}}"#), Some(120));
        assert_eq!(call_id(br#"{"result":{"gasUsed":"0x1"},"id": 7}"#), Some(7));
        assert_eq!(call_id(br#"{"jsonrpc":"2.0","id":null,"error":{}}"#), None);
        assert_eq!(call_id(br#"{"id":99999999999999999999999}"#), None);
    }
}
