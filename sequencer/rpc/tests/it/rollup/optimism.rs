//! The `optimism` namespace.

use alloy_primitives::{B256, keccak256};
use cairn_chain::HeadUpdate;
use cairn_rollup::{L1BlockRef, SyncStatus};
use serde_json::{Value, json};

use super::{derive, verifier};
use crate::client::{call, error_code, result};
use crate::sending::signer;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_driver_says_is_shown_in_the_shape_of_op_node() {
    let (node, handle) = verifier().await;
    let head_l1 = L1BlockRef { number: 9, timestamp: 5, ..L1BlockRef::default() };
    handle.set_status(SyncStatus { head_l1, ..SyncStatus::default() });
    let status = result(node.address, "optimism_syncStatus", json!([])).await;
    let zero = B256::ZERO;
    assert_eq!(
        status["head_l1"],
        json!({"hash": zero, "number": 9, "parentHash": zero, "timestamp": 5})
    );
    assert_eq!(
        status["safe_l2"],
        json!({
            "hash": zero, "number": 0, "parentHash": zero, "timestamp": 0,
            "l1origin": {"hash": zero, "number": 0}, "sequenceNumber": 0
        })
    );
    // The unsafe head is the chain's own, whatever the driver said last.
    assert_eq!(status["unsafe_l2"]["hash"], json!(node.chain.genesis().hash));
    assert_eq!(status["cross_unsafe_l2"], status["unsafe_l2"]);
    let derived = derive(&node.chain, 100);
    let status = result(node.address, "optimism_syncStatus", json!([])).await;
    assert_eq!(status["unsafe_l2"]["hash"], json!(derived));
    let mut names: Vec<&str> = status.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "cross_unsafe_l2",
        "current_l1",
        "current_l1_finalized",
        "finalized_l1",
        "finalized_l2",
        "head_l1",
        "local_safe_l2",
        "pending_safe_l2",
        "queued_unsafe_l2",
        "safe_l1",
        "safe_l2",
        "unsafe_l2",
    ];
    assert_eq!(names, expected);
    let config = result(node.address, "optimism_rollupConfig", json!([])).await;
    assert_eq!(config["genesis"]["l1"]["number"], 7);
    assert_eq!(config["seq_window_size"], 3600);
    let version = result(node.address, "optimism_version", json!([])).await;
    assert!(version.as_str().unwrap().starts_with("cairn/"));
    let modules = result(node.address, "rpc_modules", json!([])).await;
    assert_eq!(modules["optimism"], "1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_root_commits_to_what_proofs_show() {
    let (node, _) = verifier().await;
    derive(&node.chain, 100);
    derive(&node.chain, 101);
    for number in ["0x0", "0x2"] {
        let output = result(node.address, "optimism_outputAtBlock", json!([number])).await;
        let block = result(node.address, "eth_getBlockByNumber", json!([number, false])).await;
        let passer = "0x4200000000000000000000000000000000000016";
        let proof = result(node.address, "eth_getProof", json!([passer, [], number])).await;
        assert_eq!(output["withdrawalStorageRoot"], proof["storageHash"]);
        assert_eq!(output["stateRoot"], block["stateRoot"]);
        assert_eq!(output["version"], json!(B256::ZERO));
        let word = |value: &Value| serde_json::from_value::<B256>(value.clone()).unwrap();
        let preimage = [
            B256::ZERO,
            word(&block["stateRoot"]),
            word(&proof["storageHash"]),
            word(&block["hash"]),
        ];
        assert_eq!(word(&output["outputRoot"]), keccak256(preimage.concat()));
        assert_eq!(output["blockRef"]["hash"], block["hash"]);
        assert!(output["syncStatus"]["unsafe_l2"].is_object());
    }
    let genesis = result(node.address, "optimism_outputAtBlock", json!(["0x0"])).await;
    assert_eq!(genesis["blockRef"]["l1origin"]["number"], 7);
    let safe = result(node.address, "optimism_outputAtBlock", json!(["safe"])).await;
    assert_eq!(safe["blockRef"]["number"], 2);
    assert_eq!(error_code(node.address, "optimism_outputAtBlock", json!(["0x9"])).await, -32000);
}

#[tokio::test(flavor = "multi_thread")]
async fn safe_heads_are_found_by_l1_block_and_by_tag() {
    let (node, _) = verifier().await;
    let first = derive(&node.chain, 100);
    let second = derive(&node.chain, 105);
    let method = "optimism_safeHeadAtL1Block";
    let at = |number: &'static str| result(node.address, method, json!([number]));
    let l1 = |number: u64| json!({"number": number, "hash": B256::with_last_byte(number as u8)});
    let found = at("0x66").await;
    assert_eq!(found["l1Block"], l1(100));
    assert_eq!(found["safeHead"], json!({"number": 1, "hash": first}));
    assert_eq!(at("0x69").await["safeHead"], json!({"number": 2, "hash": second}));
    let missing = call(node.address, method, json!(["0x1"])).await;
    assert!(missing["error"]["message"].as_str().unwrap().contains("not found"), "{missing}");
    let update = HeadUpdate { finalized: Some(first), ..HeadUpdate::default() };
    node.chain.advance_heads(&update).unwrap();
    // Every method that takes a block knows the tags.
    let address = format!("{:?}", signer(0).address());
    for (tag, number) in [("safe", "0x2"), ("finalized", "0x1")] {
        let calls = [
            ("eth_getBalance", json!([address, tag]), json!([address, number])),
            ("eth_getTransactionCount", json!([address, tag]), json!([address, number])),
            ("eth_getCode", json!([address, tag]), json!([address, number])),
            ("eth_getStorageAt", json!([address, "0x0", tag]), json!([address, "0x0", number])),
            ("eth_getProof", json!([address, [], tag]), json!([address, [], number])),
            ("eth_getBlockByNumber", json!([tag, true]), json!([number, true])),
            ("eth_getHeaderByNumber", json!([tag]), json!([number])),
            ("eth_getBlockReceipts", json!([tag]), json!([number])),
            ("eth_getBlockTransactionCountByNumber", json!([tag]), json!([number])),
            (
                "eth_getTransactionByBlockNumberAndIndex",
                json!([tag, "0x0"]),
                json!([number, "0x0"]),
            ),
            ("eth_feeHistory", json!(["0x1", tag, []]), json!(["0x1", number, []])),
            ("eth_call", json!([{"to": address}, tag]), json!([{"to": address}, number])),
            ("eth_estimateGas", json!([{"to": address}, tag]), json!([{"to": address}, number])),
            (
                "eth_createAccessList",
                json!([{"to": address}, tag]),
                json!([{"to": address}, number]),
            ),
            (
                "eth_getLogs",
                json!([{"fromBlock": tag, "toBlock": tag}]),
                json!([{"fromBlock": number, "toBlock": number}]),
            ),
            ("debug_getRawHeader", json!([tag]), json!([number])),
            ("debug_getRawBlock", json!([tag]), json!([number])),
            ("debug_traceBlockByNumber", json!([tag]), json!([number])),
        ];
        for (method, by_tag, by_number) in calls {
            let (by_tag, by_number) = (
                call(node.address, method, by_tag).await,
                call(node.address, method, by_number).await,
            );
            assert_eq!(by_tag, by_number, "{method} {tag}");
            assert!(by_tag["result"] != Value::Null, "{method} {tag}: {by_tag}");
        }
    }
}
