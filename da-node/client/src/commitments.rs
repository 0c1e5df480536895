//! Commitments of a header, from whoever has them.
//!
//! The holders are asked in random order, one at first and one more after every hedge interval or
//! failure, and nobody is given up before its request time: silent operators cost an interval each,
//! and none of them can know that it is asked first.

use cairn_primitives::da::{Header, OperatorIndex};
use rand::seq::SliceRandom;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::error::ClientError;
use crate::matrix::Commitments;
use crate::nodes::{HeaderAnswer, Nodes};
use crate::registry::Quorum;
use crate::retrieval::RetrievalPolicy;

/// Commitments that fit the header.
///
/// # Errors
/// [`ClientError::NoCommitments`] if no holder has them, or at the deadline of the policy.
pub(crate) async fn find_commitments(
    nodes: &Nodes,
    policy: RetrievalPolicy,
    quorum: &Quorum,
    header: &Header,
) -> Result<Commitments, ClientError> {
    let asking = ask_in_turn(nodes, policy, holders_in_random_order(quorum, header), header);
    timeout(policy.deadline, asking).await.unwrap_or(Err(ClientError::NoCommitments))
}

/// Endpoints of the operators that have slots.
fn holders_in_random_order(quorum: &Quorum, header: &Header) -> Vec<String> {
    let table = quorum.snapshot.slot_table(header);
    let holders = quorum.endpoints.iter().enumerate().filter(|(at, endpoint)| {
        table.weight(OperatorIndex(*at as u16)) > 0 && !endpoint.is_empty()
    });
    let mut endpoints: Vec<_> = holders.map(|(_, endpoint)| endpoint.clone()).collect();
    endpoints.shuffle(&mut rand::rng());
    endpoints
}

async fn ask_in_turn(
    nodes: &Nodes,
    policy: RetrievalPolicy,
    endpoints: Vec<String>,
    header: &Header,
) -> Result<Commitments, ClientError> {
    let mut waiting = endpoints.into_iter();
    let mut asking = JoinSet::new();
    loop {
        if let Some(endpoint) = waiting.next() {
            let (nodes, header, time) = (nodes.clone(), *header, policy.request_time);
            asking.spawn(async move { nodes.header(&endpoint, &header, time).await });
        }
        let answer = tokio::select! {
            Some(answer) = asking.join_next() => answer.map_err(|_| ClientError::Stopped)?,
            () = sleep(policy.hedge_after), if waiting.len() > 0 => None,
            else => return Err(ClientError::NoCommitments),
        };
        if let Some(commitments) = check(answer).await? {
            return Ok(commitments);
        }
    }
}

async fn check(answer: Option<HeaderAnswer>) -> Result<Option<Commitments>, ClientError> {
    let Some(answer) = answer else { return Ok(None) };
    let checking = tokio::task::spawn_blocking(move || {
        Commitments::check(&answer.header, &answer.commitments).ok()
    });
    checking.await.map_err(|_| ClientError::Stopped)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use alloy_primitives::{Address, B256, keccak256};
    use cairn_da_codec::{Committer, EncodedMatrix};
    use cairn_primitives::da::bls::SecretKey;
    use cairn_primitives::da::{
        Epoch, Operator, PayloadLength, QuorumId, Reservation, Snapshot, Stake, Timestamp,
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::matrix::network_shape;

    const OPERATORS: u8 = 100;

    /// A header, the commitments it names, and a quorum whose operators are yet to listen.
    fn network() -> (Header, Vec<u8>, Quorum) {
        let payload = vec![7; 1000];
        let (length, count) = (payload.len() as u32, usize::from(OPERATORS));
        let matrix = EncodedMatrix::encode(Committer::shared().unwrap(), &payload, count).unwrap();
        let header = Header {
            shape: network_shape(matrix.shape()).unwrap(),
            payload_length: PayloadLength(length),
            hashes_root: matrix.hashes_root(),
            payer: Address::repeat_byte(3),
            reservation: Reservation(1),
            epoch: Epoch(1),
            quorum: QuorumId(0),
            expiry: Timestamp(1),
        };
        let commitments = matrix.commitments().iter().flat_map(|point| point.0).collect();
        let key = SecretKey::derive(keccak256(b"any").as_slice()).unwrap().public_key();
        let operator =
            |i: u8| Operator { address: Address::with_last_byte(i + 1), stake: Stake(1), key };
        let (seed, operators) = (B256::repeat_byte(1), (0..OPERATORS).map(operator).collect());
        let snapshot = Snapshot::new(Epoch(1), QuorumId(0), seed, Timestamp(1), operators).unwrap();
        let endpoints = vec![String::new(); count];
        (header, commitments, Quorum { snapshot, endpoints })
    }

    /// Gives every operator a port that takes connections and says nothing.
    async fn all_silent(quorum: &mut Quorum) -> Vec<TcpListener> {
        let mut listeners = Vec::new();
        for endpoint in &mut quorum.endpoints {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
            *endpoint = format!("http://{}", listeners.last().unwrap().local_addr().unwrap());
        }
        listeners
    }

    /// Answers the first request at a port.
    async fn answer_one(listener: TcpListener, body: Vec<u8>) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        stream.shutdown().await.unwrap();
    }

    fn policy() -> RetrievalPolicy {
        RetrievalPolicy { hedge_after: Duration::from_millis(5), ..RetrievalPolicy::default() }
    }

    /// Shorter than a single request may take: nobody waited for a silent one.
    #[tokio::test]
    async fn one_honest_operator_is_found_among_many_silent_ones() {
        let (header, commitments, mut quorum) = network();
        let mut listeners = all_silent(&mut quorum).await;
        let table = quorum.snapshot.slot_table(&header);
        let honest =
            (0..listeners.len()).rfind(|at| table.weight(OperatorIndex(*at as u16)) > 0).unwrap();
        let body = [&header.encode()[..], &[0; 65], &commitments].concat();
        tokio::spawn(answer_one(listeners.swap_remove(honest), body));
        let started = Instant::now();
        let nodes = Nodes::new().unwrap();
        let found = find_commitments(&nodes, policy(), &quorum, &header).await.unwrap();
        assert_eq!(found.to_bytes(), commitments);
        assert!(started.elapsed() < policy().request_time, "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn ends_at_the_deadline_when_all_are_silent() {
        let (header, _, mut quorum) = network();
        let _listeners = all_silent(&mut quorum).await;
        let policy = RetrievalPolicy { deadline: Duration::from_millis(200), ..policy() };
        let started = Instant::now();
        let found = find_commitments(&Nodes::new().unwrap(), policy, &quorum, &header).await;
        assert!(matches!(found, Err(ClientError::NoCommitments)));
        assert!(started.elapsed() >= policy.deadline);
        assert!(started.elapsed() < policy.request_time, "{:?}", started.elapsed());
    }

    /// Nobody listens, so that everybody has failed long before the deadline.
    #[tokio::test]
    async fn ends_when_all_have_failed() {
        let (header, _, mut quorum) = network();
        drop(all_silent(&mut quorum).await);
        let started = Instant::now();
        let found = find_commitments(&Nodes::new().unwrap(), policy(), &quorum, &header).await;
        assert!(matches!(found, Err(ClientError::NoCommitments)));
        assert!(started.elapsed() < policy().deadline);
    }

    #[test]
    fn nobody_is_always_asked_first() {
        let (header, _, mut quorum) = network();
        for (at, endpoint) in quorum.endpoints.iter_mut().enumerate() {
            *endpoint = at.to_string();
        }
        let orders: Vec<_> = (0..20).map(|_| holders_in_random_order(&quorum, &header)).collect();
        assert!(orders.iter().any(|order| order.first() != orders[0].first()));
        for mut order in orders {
            let count = order.len();
            order.sort_unstable();
            order.dedup();
            assert_eq!(order.len(), count);
        }
    }
}
