//! What a node serves: rows, headers, health, JSON-RPC.

use alloy_primitives::B256;
use cairn_primitives::da::{Refusal, RefusalCode};

use crate::rig::{Rig, snapshot};
use crate::submit::{http, submit};

async fn get(rig: &Rig, path: &str) -> Result<Vec<u8>, RefusalCode> {
    let response = http().get(format!("{}{path}", rig.endpoints[1])).send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    if status == 200 {
        return Ok(bytes.to_vec());
    }
    let refusal: Refusal = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(status, refusal.code.http_status());
    Err(refusal.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_headers_are_served_until_they_expire() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    submit(&rig, 1, parcel.body(1)).await.unwrap();
    let hash = parcel.header.hash();
    for row in parcel.rows_of(1) {
        assert_eq!(
            get(&rig, &format!("/v1/rows/{hash}/{row}")).await.unwrap(),
            parcel.sent_row(row)
        );
    }
    let header = get(&rig, &format!("/v1/headers/{hash}")).await.unwrap();
    let expected = [&parcel.header.encode()[..], &parcel.signature.0, &parcel.commitments()];
    assert_eq!(header, expected.concat());
    let foreign = parcel.rows_of(0)[0];
    assert_eq!(get(&rig, &format!("/v1/rows/{hash}/{foreign}")).await, Err(RefusalCode::NotFound));
    let unknown = B256::repeat_byte(1);
    assert_eq!(get(&rig, &format!("/v1/rows/{unknown}/0")).await, Err(RefusalCode::NotFound));
    assert_eq!(get(&rig, &format!("/v1/headers/{unknown}")).await, Err(RefusalCode::NotFound));
    // Two hours later both clocks say that the hour is over.
    rig.node(1).clock.set_offset(7200);
    rig.node(1).tell(&snapshot(4, 1));
    assert_eq!(rig.node(1).node.prune().unwrap(), 1);
    let row = parcel.rows_of(1)[0];
    assert_eq!(get(&rig, &format!("/v1/rows/{hash}/{row}")).await, Err(RefusalCode::Gone));
    assert_eq!(get(&rig, &format!("/v1/headers/{hash}")).await, Err(RefusalCode::Gone));
    assert_eq!(get(&rig, &format!("/v1/rows/{unknown}/0")).await, Err(RefusalCode::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused() {
    let rig = Rig::start(2).await;
    let hash = B256::repeat_byte(1);
    for path in [
        "/v1/rows/0x12/0".to_string(),
        format!("/v1/rows/{hash}/65536"),
        format!("/v1/rows/{hash}/-1"),
        format!("/v1/rows/{hash}/x"),
        "/v1/headers/zz".to_string(),
        "/v1/headers/%ff".to_string(),
        format!("/v1/rows/%ff/{}", 3),
    ] {
        assert_eq!(get(&rig, &path).await, Err(RefusalCode::Malformed), "{path}");
    }
    assert_eq!(get(&rig, "/nothing").await, Err(RefusalCode::NotFound));
}

async fn call(rig: &Rig, body: String) -> serde_json::Value {
    let response = http().post(&rig.endpoints[1]).body(body).send().await.unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn request(method: &str, params: serde_json::Value) -> String {
    serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn json_rpc_says_who_the_node_is_and_what_it_holds() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    submit(&rig, 1, parcel.body(1)).await.unwrap();
    let identity = call(&rig, request("da_nodeIdentity", serde_json::json!([]))).await;
    assert_eq!(identity["result"]["chainId"], 31337);
    let status = call(&rig, request("da_nodeStatus", serde_json::json!([]))).await;
    assert_eq!(status["result"]["status"], "ok");
    assert_eq!(status["result"]["active"], true);
    assert_eq!(status["result"]["epochs"], serde_json::json!([5]));
    let rows = call(&rig, request("da_nodeRows", serde_json::json!([parcel.header.hash()]))).await;
    let expected: Vec<u16> = parcel.rows_of(1).into_iter().map(|row| row.0).collect();
    assert_eq!(rows["result"], serde_json::json!(expected));
    let wrong = call(&rig, request("da_nodeRows", serde_json::json!(["0x12"]))).await;
    assert_eq!(wrong["error"]["code"], -32602);
    let unknown = call(&rig, request("da_nothing", serde_json::json!([]))).await;
    assert_eq!(unknown["error"]["code"], -32601);
    for body in ["[]", "{", "\"x\"", "[{\"jsonrpc\":\"2.0\"}]"] {
        assert_eq!(call(&rig, body.to_string()).await["error"]["code"], -32600, "{body}");
    }
    let response = http().post(&rig.endpoints[1]).body(vec![b' '; 1 << 20]).send().await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_whether_the_node_signs() {
    let rig = Rig::start(2).await;
    let response = http().get(format!("{}/health", rig.endpoints[1])).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let health: serde_json::Value =
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(health["epoch"], 5);
    assert!(health["aheadOfL1Seconds"].as_i64().unwrap().abs() <= 2, "{health}");
    // Nothing of L1 for longer than the node believes what it read.
    rig.node(1).clock.set_offset(1900);
    let response = http().get(format!("{}/health", rig.endpoints[1])).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.text().await.unwrap().contains("L1 block 1, the last one read"));
    let refusal = submit(&rig, 1, rig.parcel(5000, 1).body(1)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::L1Unavailable);
    rig.node(1).tell(&snapshot(2, 1));
    let response = http().get(format!("{}/health", rig.endpoints[1])).send().await.unwrap();
    assert_eq!(response.status(), 200);
}
