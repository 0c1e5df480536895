//! A gateway process on a network of real nodes.

use std::time::{Duration, Instant};

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, Bytes, address, hex};
use cairn_da_client::ElementOpening;
use cairn_primitives::da::{CertificateStatus, Header, Shape, verify_hash_path};
use cairn_test_setup::free_port;
use serde_json::{Value, json};

use crate::blobs::rows_are_blobs;
use crate::processes::{Network, Process, binary};
use crate::rig::payload;
use crate::submit::http;

const POINT_EVALUATION: Address = address!("0x000000000000000000000000000000000000000a");
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Gateway {
    url: String,
    _process: Process,
}

impl Gateway {
    pub(crate) async fn start(network: &Network) -> Self {
        let port = free_port().unwrap();
        let mut command = binary();
        command.args(["gateway", "--http.port", &port.to_string(), "--metrics.port", "0"]);
        command.args(["--window-ms", "500", "--payer-key"]).arg(network.payer_key());
        command.arg("--datadir").arg(network.gateway_dir());
        network.l1_flags(&mut command);
        let process = Process { child: command.spawn().unwrap(), number: 99, port };
        let gateway = Self { url: format!("http://127.0.0.1:{port}"), _process: process };
        let start = Instant::now();
        while gateway.health().await != Some(200) {
            assert!(start.elapsed() < PATIENCE, "the gateway is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        gateway
    }

    /// `kill -9`, and another gateway in its place.
    pub(crate) async fn restart(self, network: &Network) -> Self {
        drop(self);
        Self::start(network).await
    }

    async fn health(&self) -> Option<u16> {
        let answer = http().get(format!("{}/health", self.url)).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// Too few nodes are left: the batcher is told to fail over.
    pub(crate) async fn tells_to_fail_over(&self) {
        let (status, body) = self.put(payload(777)).await;
        assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
        assert_eq!(self.health().await, Some(503));
    }

    pub(crate) async fn put(&self, payload: Vec<u8>) -> (u16, Vec<u8>) {
        let request = http().post(format!("{}/put", self.url)).body(payload);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    async fn get(&self, commitment: &[u8]) -> (u16, Vec<u8>) {
        let url = format!("{}/get/{}", self.url, hex::encode_prefixed(commitment));
        let response = http().get(url).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let response = http().post(&self.url).body(body.to_string()).send().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        match answer["error"].take() {
            Value::Null => Ok(answer["result"].take()),
            error => Err(error),
        }
    }
}

pub(crate) async fn serves_users(gateway: &Gateway, network: &Network, verifier: Address) {
    alt_da(gateway, network, verifier).await;
    shared_matrix(gateway).await;
    proofs(gateway, network).await;
    rows_are_blobs(gateway, network).await;
    let quorum = gateway.call("da_quorum", json!([])).await.unwrap();
    assert_eq!(quorum["operators"].as_array().unwrap().len(), 16);
}

async fn alt_da(gateway: &Gateway, network: &Network, verifier: Address) {
    let (status, commitment) = gateway.put(payload(40_000)).await;
    assert_eq!((status, commitment[0]), (200, 1));
    let checked = network.l1.check(verifier, &commitment[1..]).await;
    assert_eq!(checked, CertificateStatus::Valid as u8);
    assert_eq!(gateway.get(&commitment).await, (200, payload(40_000)));
    assert_eq!(gateway.put(Vec::new()).await.0, 400);
    assert_eq!(gateway.put(vec![0; 31 * 1024 * 1024 + 1]).await.0, 413);
    let mut forged = commitment.clone();
    forged[100] ^= 1;
    assert_eq!(gateway.get(&forged).await.0, 404);
    assert_eq!(gateway.get(&[0; 33]).await.0, 404);
    assert_eq!(gateway.get(&[]).await.0, 404);
    let not_text = format!("{}/get/%ff", gateway.url);
    assert_eq!(http().get(not_text).send().await.unwrap().status(), 404);
}

/// A gateway that was killed knows what it was asked for before.
pub(crate) async fn remembers(gateway: Gateway, network: &Network) -> Gateway {
    let params = json!([Bytes::from(payload(500))]);
    let submission = gateway.call("da_submit", params).await.unwrap();
    let start = Instant::now();
    let certified = loop {
        let status = gateway.call("da_status", json!([submission])).await.unwrap();
        if status["state"] != "pending" {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let certificate = gateway.call("da_certificate", json!([submission])).await.unwrap();
    // One more is on its way when the gateway is killed.
    let late = gateway.call("da_submit", json!([Bytes::from(payload(600))])).await.unwrap();
    let gateway = gateway.restart(network).await;
    assert_eq!(gateway.call("da_status", json!([submission])).await.unwrap(), certified);
    assert_eq!(gateway.call("da_certificate", json!([submission])).await.unwrap(), certificate);
    let late = gateway.call("da_status", json!([late])).await.unwrap();
    assert_ne!(late["state"], "pending", "nobody works on it any more");
    let params = json!([certified["blob"]["headerHash"], 0, 500]);
    let read: Bytes =
        serde_json::from_value(gateway.call("da_read", params).await.unwrap()).unwrap();
    assert_eq!(read, payload(500));
    gateway
}

async fn shared_matrix(gateway: &Gateway) {
    let users = [payload(100), vec![7; 3000], payload(31)];
    let mut submissions = Vec::new();
    for user in &users {
        let params = json!([Bytes::from(user.clone())]);
        submissions.push(gateway.call("da_submit", params).await.unwrap());
    }
    let mut headers = std::collections::BTreeSet::new();
    for (user, submission) in users.iter().zip(submissions) {
        let start = Instant::now();
        let blob = loop {
            let status = gateway.call("da_status", json!([submission])).await.unwrap();
            match status["state"].as_str().unwrap() {
                "certified" => break status["blob"].clone(),
                "pending" => assert!(start.elapsed() < PATIENCE, "{status}"),
                _ => panic!("{status}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let params = json!([blob["headerHash"], blob["offset"], blob["length"]]);
        let read: Bytes =
            serde_json::from_value(gateway.call("da_read", params).await.unwrap()).unwrap();
        assert_eq!(read, user[..]);
        headers.insert(blob["headerHash"].to_string());
        let by_submission = gateway.call("da_certificate", json!([submission])).await.unwrap();
        let by_header = gateway.call("da_certificate", json!([blob["headerHash"]])).await;
        assert_eq!(by_header.unwrap(), by_submission);
        let beyond = json!([blob["headerHash"], 3000, 1000]);
        assert!(gateway.call("da_read", beyond).await.is_err());
    }
    assert_eq!(headers.len(), 1, "payloads of half a second share a matrix");
    let unknown = json!([alloy_primitives::B256::ZERO]);
    assert_eq!(gateway.call("da_status", unknown).await.unwrap(), Value::Null);
    assert!(gateway.call("da_submit", json!(["0x"])).await.is_err());
    assert!(gateway.call("da_submit", json!(["zz"])).await.is_err());
}

async fn proofs(gateway: &Gateway, network: &Network) {
    let (_, commitment) = gateway.put(payload(40_000)).await;
    let certificate = Bytes::from(commitment[1..].to_vec());
    let header = Header::decode(&certificate[..90]).unwrap();
    let provider = network.l1.provider(None);
    for element in [0_u32, 5, 1290] {
        let proof = gateway.call("da_proof", json!([certificate, element])).await.unwrap();
        let proof: ElementOpening = serde_json::from_value(proof).unwrap();
        let start = element as usize * 31;
        let bytes = &payload(40_000)[start..(start + 31).min(40_000)];
        assert_eq!(&proof.element[1..=bytes.len()], bytes);
        let shape: Shape = header.shape;
        assert!(verify_hash_path(
            header.hashes_root,
            shape,
            proof.row,
            proof.versioned_hash,
            &proof.path
        ));
        let request = TransactionRequest::default()
            .with_to(POINT_EVALUATION)
            .with_input(proof.precompile_input.clone());
        let answer = provider.call(request).await.unwrap();
        assert_eq!(answer.len(), 64, "0x0a accepts the opening of element {element}");
        let mut wrong = proof.precompile_input.to_vec();
        wrong[70] ^= 1;
        let request = TransactionRequest::default().with_to(POINT_EVALUATION).with_input(wrong);
        assert!(provider.call(request).await.is_err());
    }
    assert!(gateway.call("da_proof", json!([certificate, 1291])).await.is_err());
}
