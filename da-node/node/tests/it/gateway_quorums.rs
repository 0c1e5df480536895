//! What a gateway reads of the registry on L1, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder};
use alloy::sol;
use alloy_primitives::{Address, B256, Bytes, U256};
use axum::Router;
use axum::body::Bytes as Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use cairn_da_client::ClientError;
use cairn_da_client::registry::Registry;
use cairn_da_node::gateway::{GatewayConfig, GatewayError};
use cairn_da_node::l1::{Registration, register};
use cairn_node_setup::{Server, ServerLimits};
use cairn_primitives::da::{Epoch, Header, PayloadLength, QuorumId, Reservation, Shape, Timestamp};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::following::{follower, keeper, secret, until};
use crate::gateway_bodies::{gateway, gateway_of};
use crate::l1::{Clockwork, ETHER, L1, account};
use crate::rig::payload;
use crate::submit::http;

const PATIENCE: Duration = Duration::from_secs(60);
const LONG: Clockwork = Clockwork { epoch_length: 86_400, seed_delay: 1 };

sol! {
    #[sol(rpc)]
    contract Endpoints {
        function updateEndpoint(string calldata endpoint) external;
    }
}

/// A node that signs nothing and counts who asks it to.
async fn refusing() -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let refuse = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { StatusCode::BAD_REQUEST }
    };
    let router = Router::new().route("/v1/rows", post(refuse));
    let listen = "127.0.0.1:0".parse().unwrap();
    (Server::start(listen, router, ServerLimits::default()).await.unwrap(), asked)
}

async fn register_at(l1: &L1, server: &Server) {
    for number in 0..4 {
        let account = account(number);
        let registration = Registration {
            domain: l1.domain(),
            operator: account.address(),
            key: &secret(number),
            endpoint: format!("http://{}", server.local_addr()),
            stake: U256::from(ETHER),
        };
        register(l1.provider(Some(account)), &registration).await.unwrap();
    }
    let (mut keeper, mut follower) = (keeper(l1), follower(l1, 0).await);
    until(&mut keeper, &mut follower, |quorums| quorums.snapshots.len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_go_to_where_an_operator_has_moved() {
    let Some(l1) = L1::start(LONG).await else { return };
    let ((before, asked_before), (after, asked_after)) = (refusing().await, refusing().await);
    register_at(&l1, &before).await;
    let config = GatewayConfig { quorum_fresh: Duration::from_secs(2), ..GatewayConfig::default() };
    let gateway = gateway(&l1, config).await;
    let put = async || {
        let result = gateway.put(Bytes::from(payload(100))).await;
        assert!(
            matches!(result, Err(GatewayError::Client(ClientError::NotCertified(_)))),
            "{result:?}"
        );
    };
    put().await;
    assert!(asked_before.load(Ordering::SeqCst) > 0);
    assert_eq!(asked_after.load(Ordering::SeqCst), 0);
    let quorum = gateway.current_quorum().await.unwrap();

    let moved = account(2);
    let address = moved.address();
    let registry = Endpoints::new(l1.registry, l1.provider(Some(moved)));
    let endpoint = format!("http://{}", after.local_addr());
    let call = registry.updateEndpoint(endpoint.clone());
    assert!(call.send().await.unwrap().get_receipt().await.unwrap().status());
    // The epoch and its seed stay.
    let start = Instant::now();
    let seen = loop {
        let seen = gateway.current_quorum().await.unwrap();
        let index = seen.snapshot.index_of(address).unwrap();
        if seen.endpoints[index.as_usize()] == endpoint {
            break seen;
        }
        assert!(start.elapsed() < PATIENCE, "the gateway does not see the new endpoint");
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(seen.snapshot, quorum.snapshot);
    // Once the others have refused the rest is not asked any more: one payload may come to nothing there.
    let start = Instant::now();
    while asked_after.load(Ordering::SeqCst) == 0 {
        assert!(start.elapsed() < PATIENCE, "nothing was sent to the new endpoint");
        put().await;
    }
}

/// L1 behind a server that counts what it is asked.
async fn counted(l1: &L1) -> (Server, Arc<AtomicUsize>) {
    let (asked, url) = (Arc::new(AtomicUsize::new(0)), l1.url.clone());
    let count = asked.clone();
    let forward = async move |body: Body| {
        count.fetch_add(1, Ordering::SeqCst);
        let request = http().post(&url).header(CONTENT_TYPE, "application/json").body(body);
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        ([(CONTENT_TYPE, "application/json")], answer)
    };
    let router = Router::new().route("/", post(forward));
    let listen = "127.0.0.1:0".parse().unwrap();
    (Server::start(listen, router, ServerLimits::default()).await.unwrap(), asked)
}

/// A certificate that nobody signed.
fn made_up(epoch: u64) -> Bytes {
    let header = Header {
        shape: Shape::new(4, 10).unwrap(),
        payload_length: PayloadLength(300),
        hashes_root: B256::repeat_byte(1),
        payer: Address::ZERO,
        reservation: Reservation(1),
        epoch: Epoch(epoch),
        quorum: QuorumId(0),
        expiry: Timestamp(u64::MAX),
    };
    let signature = secret(0).sign(B256::ZERO).to_bytes();
    [&header.encode()[..], &signature, &[15]].concat().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn epochs_that_l1_does_not_have_are_asked_for_once_a_second_at_most() {
    let Some(l1) = L1::start(LONG).await else { return };
    let (server, asked) = counted(&l1).await;
    let url = format!("http://{}", server.local_addr()).parse().unwrap();
    let provider = ProviderBuilder::new().connect_http(url).erased();
    let registry = Registry::new(provider, l1.domain()).await.unwrap();
    let gateway = gateway_of(registry, GatewayConfig::default());
    let unknown = async |epoch: u64| match gateway.get(&made_up(epoch)).await {
        Err(GatewayError::Client(ClientError::UnknownEpoch(Epoch(found)))) => {
            assert_eq!(found, epoch);
        }
        other => panic!("{other:?}"),
    };
    // As many calls as there are look-ups at a time, and so many for each second.
    let most = |start: Instant| 4 + 4 * start.elapsed().as_secs() as usize;
    let epochs: [fn(u64) -> u64; 3] = [|number| 2 + number, |number| u64::MAX - number, |_| 0];
    for epochs in epochs {
        let start = Instant::now();
        let before = asked.load(Ordering::SeqCst);
        join_all((0..200).map(|number| unknown(epochs(number)))).await;
        for number in 0..200 {
            unknown(epochs(number)).await;
        }
        let calls = asked.load(Ordering::SeqCst) - before;
        assert!(calls <= most(start), "{calls} calls in {:?}", start.elapsed());
    }
    assert!(asked.load(Ordering::SeqCst) >= 2, "L1 was not asked at all");
    // Once it is there it is found: what was made up is then seen to be that.
    let (node, _) = refusing().await;
    register_at(&l1, &node).await;
    let start = Instant::now();
    let found = loop {
        match gateway.get(&made_up(0)).await {
            Err(GatewayError::Client(ClientError::UnknownEpoch(_))) => {}
            other => break other,
        }
        assert!(start.elapsed() < PATIENCE, "the epoch is not found");
        sleep(Duration::from_millis(100)).await;
    };
    assert!(matches!(found, Err(GatewayError::Client(ClientError::Certificate(_)))), "{found:?}");
}
