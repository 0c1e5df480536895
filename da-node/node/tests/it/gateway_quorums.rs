//! What a gateway reads of the registry on L1, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::sol;
use alloy_primitives::{Bytes, U256};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use cairn_da_client::ClientError;
use cairn_da_node::gateway::{GatewayConfig, GatewayError};
use cairn_da_node::l1::{Registration, register};
use cairn_node_setup::{Server, ServerLimits};
use tokio::time::{Instant, sleep};

use crate::following::{follower, keeper, secret, until};
use crate::gateway_bodies::gateway;
use crate::l1::{Clockwork, ETHER, L1, account};
use crate::rig::payload;

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
    put().await;
    assert!(asked_after.load(Ordering::SeqCst) > 0, "nothing was sent to the new endpoint");
}
