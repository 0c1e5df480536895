use alloy::providers::{Provider, ProviderBuilder};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{SolCall, SolInterface};
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use cairn_da_client::registry::OperatorRegistry::{
    Member, OperatorRegistryCalls, membersCall, quorumCall, quorumReturn,
};
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::verify_certificate;
use cairn_l1::{BlobClient, BlobConfig};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{CertificateStatus, Domain, HEADER_BYTES, Header};
use serde_json::{Value, json};

use super::*;
use crate::testing::{CHAIN_ID, L1Server, Reply, TestChain, rollup};

const SEED: B256 = B256::repeat_byte(7);

/// How an operator behaves.
#[derive(Debug, Clone, Copy)]
enum Node {
    Signs,
    /// With the key of somebody else.
    Forges,
    Refuses,
    /// Bytes that are no signature.
    Garbage,
    Silent,
}

fn key(place: u8) -> SecretKey {
    SecretKey::derive(&[place; 32]).unwrap()
}

fn sign(key: &SecretKey, body: &[u8]) -> Vec<u8> {
    let domain = Domain { chain_id: CHAIN_ID, registry: Address::with_last_byte(5) };
    let header = Header::decode(&body[..HEADER_BYTES]).unwrap();
    key.sign(domain.attestation(&header, SEED)).to_bytes().to_vec()
}

async fn answer(node: Node, place: u8, body: axum::body::Bytes) -> Response {
    match node {
        Node::Signs => sign(&key(place), &body).into_response(),
        Node::Forges => sign(&key(99), &body).into_response(),
        Node::Refuses => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Node::Garbage => vec![0xff; 96].into_response(),
        Node::Silent => std::future::pending().await,
    }
}

/// Runs an operator; gives its URL.
async fn operator(node: Node, place: u8) -> String {
    let handler = move |body| answer(node, place, body);
    let router = Router::new().route("/v1/rows", post(handler));
    let router = router.layer(axum::extract::DefaultBodyLimit::disable());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// What the registry answers; without operators the epoch has no quorum.
fn registry(members: Vec<Member>) -> impl FnMut(&str, &Value) -> Reply + Send + 'static {
    move |method, params| {
        if method == "eth_chainId" {
            return Reply::Result(json!(format!("{CHAIN_ID:#x}")));
        }
        let input: Bytes = serde_json::from_value(params[0]["input"].clone()).unwrap();
        let answer: Bytes = match OperatorRegistryCalls::abi_decode(&input).unwrap() {
            OperatorRegistryCalls::currentEpoch(_) => {
                alloy_sol_types::SolValue::abi_encode(&U256::from(3)).into()
            }
            OperatorRegistryCalls::quorum(_) => {
                let there = !members.is_empty();
                let first = Address::repeat_byte(if there { 1 } else { 0 });
                let end = U256::from(u64::MAX);
                quorumCall::abi_encode_returns(&quorumReturn { first, seed: SEED, end }).into()
            }
            OperatorRegistryCalls::members(_) => membersCall::abi_encode_returns(&members).into(),
            other => panic!("{:?} is not read", other.selector()),
        };
        Reply::Result(json!(answer))
    }
}

async fn dispersal(nodes: &[Node]) -> (L1Server, Dispersal) {
    let mut members = Vec::new();
    for (place, node) in (1_u8..).zip(nodes) {
        members.push(Member {
            operator: Address::repeat_byte(place),
            stake: U256::from(100),
            key: key(place).public_key().to_bytes().to_vec().into(),
            endpoint: operator(*node, place).await,
        });
    }
    let l1 = L1Server::start(registry(members)).await;
    let rollup = rollup(&TestChain::new().chain, Default::default());
    let provider = ProviderBuilder::new().connect_http(l1.url.parse().unwrap()).erased();
    let blobs = BlobClient::new(BlobConfig::new(vec![l1.url.parse().unwrap()])).unwrap();
    let data = DataReader::new(&rollup, provider, blobs, RetrievalPolicy::default()).unwrap();
    let collect = CollectPolicy {
        attempt_time: Duration::from_secs(2),
        pause: Duration::from_millis(10),
        deadline: Duration::from_secs(10),
        ..CollectPolicy::default()
    };
    let config = DispersalConfig { collect, ..DispersalConfig::default() };
    let dispersal = Dispersal::new(data, PrivateKeySigner::random(), config).await.unwrap();
    (l1, dispersal)
}

fn payload() -> Bytes {
    Bytes::from(vec![5; 1000])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_certified_by_whoever_signs_for_himself() {
    use Node::*;
    for fault in [Forges, Refuses, Garbage, Silent] {
        let (_l1, dispersal) = dispersal(&[Signs, Signs, fault, Signs]).await;
        let done = dispersal.disperse(payload()).await.unwrap();
        let registry = dispersal.data.registry().await.unwrap();
        let certificate = done.certificate.encode();
        let status = verify_certificate(registry, &certificate, Timestamp(now().as_secs())).await;
        assert_eq!(status.unwrap(), CertificateStatus::Valid, "{fault:?}");
        let signers: Vec<_> = done.certificate.signers.iter().map(|signer| signer.0).collect();
        assert_eq!(signers, [0, 1, 3], "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_too_few_honest_operators_there_is_no_certificate() {
    use Node::*;
    for fault in [Forges, Refuses, Garbage, Silent] {
        let (_l1, dispersal) = dispersal(&[Signs, fault, fault, Signs]).await;
        let failing = tokio::time::timeout(Duration::from_secs(30), dispersal.disperse(payload()));
        let error = failing.await.expect("it gives up in time").unwrap_err();
        let DriverError::Da(ClientError::NotCertified(shortfall)) = error else {
            panic!("{fault:?}: {error}")
        };
        // It does not wait for the others once two thirds are out of reach.
        let blamed: Vec<_> = shortfall.failures.iter().map(|(operator, _)| operator.0).collect();
        assert!(blamed.contains(&1) && blamed.contains(&2), "{fault:?}: {shortfall}");
        assert!(shortfall.signed < shortfall.needed);
    }
}

#[tokio::test]
async fn an_epoch_without_quorum_says_so_and_a_new_quorum_is_found() {
    let (l1, dispersal) = dispersal(&[]).await;
    let error = dispersal.disperse(payload()).await.unwrap_err();
    assert!(matches!(error, DriverError::Da(ClientError::UnknownEpoch(Epoch(3)))), "{error}");
    l1.answer(|_, _| Reply::Status(503));
    let error = dispersal.disperse(payload()).await.unwrap_err();
    assert!(matches!(error, DriverError::Da(ClientError::Registry(_))), "{error}");
    let member = |endpoint: &str| Member {
        operator: Address::repeat_byte(1),
        stake: U256::from(100),
        key: key(1).public_key().to_bytes().to_vec().into(),
        endpoint: endpoint.to_owned(),
    };
    l1.answer(registry(vec![member("http://localhost:1")]));
    assert_eq!(dispersal.current_quorum().await.unwrap().endpoints, ["http://localhost:1"]);
    // The same quorum is not read again.
    let read = l1.calls("eth_call").len();
    dispersal.current_quorum().await.unwrap();
    assert_eq!(l1.calls("eth_call").len(), read + 2);
}
