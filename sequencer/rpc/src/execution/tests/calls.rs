//! Calls and estimates on a development chain.

use std::time::Duration;

use cairn_genesis::{DevOptions, dev_genesis};
use serde_json::{Value, json};

use super::node::Node;
use crate::RpcConfig;

const CONTRACT: &str = "0xc200000000000000000000000000000000000000";

fn node(change: impl FnOnce(&mut RpcConfig)) -> Node {
    let mut config = RpcConfig::default();
    change(&mut config);
    Node::new(&dev_genesis(&DevOptions::default()).unwrap(), config)
}

/// Calls a contract with that code.
async fn call(node: &Node, code: &str, fields: Value) -> Result<Value, Value> {
    let mut tx = fields;
    tx["to"] = json!(CONTRACT);
    let overrides = json!({CONTRACT: {"code": code}});
    node.call("eth_call", json!([tx, "latest", overrides])).await
}

async fn estimate(node: &Node, code: &str, fields: Value) -> Result<Value, Value> {
    let mut tx = fields;
    tx["to"] = json!(CONTRACT);
    let overrides = json!({CONTRACT: {"code": code}});
    node.call("eth_estimateGas", json!([tx, "latest", overrides])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_calls_have_the_texts_of_geth() {
    let node = node(|_| ());
    for (code, text) in [
        ("0x5b5f56", "out of gas"),
        ("0xfe", "invalid opcode: INVALID"),
        ("0x0c", "invalid opcode: opcode 0xc not defined"),
        ("0x01", "stack underflow (0 <=> 2)"),
        ("0x5b5f5f56", "stack limit reached 1024 (1023)"),
        ("0x600356", "invalid jump destination"),
        ("0x60015f5f3e", "return data out of bounds"),
    ] {
        let error = call(&node, code, json!({"gas": "0x186a0"})).await.unwrap_err();
        assert_eq!((error["code"].as_i64(), error["message"].as_str()), (Some(-32000), Some(text)));
    }
    let reverted = call(&node, "0x60aa5f5260205ffd", json!({})).await.unwrap_err();
    assert_eq!(reverted["code"], 3);
    assert_eq!(reverted["message"], "execution reverted");
    assert_eq!(reverted["data"], format!("0x{:0>64}", "aa"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_ends_with_its_time() {
    let node = node(|config| {
        config.methods.gas_cap = 0;
        config.methods.evm_timeout = Duration::from_millis(50);
    });
    let error = call(&node, "0x5b5f56", json!({})).await.unwrap_err();
    assert_eq!(error["message"], "execution aborted (timeout = 50ms)");
    let estimate = estimate(&node, "0x5b5f56", json!({"gas": "0xfffffffffffffff"})).await;
    assert_eq!(estimate.unwrap_err()["message"], "execution aborted (timeout = 50ms)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_call_sees_no_base_fee_and_one_that_pays_does() {
    let node = node(|_| ());
    // BASEFEE, returned.
    let code = "0x485f5260205ff3";
    let free = call(&node, code, json!({})).await.unwrap();
    assert_eq!(free, format!("0x{:0>64}", "0"));
    let poor = call(&node, code, json!({"maxFeePerGas": "0x77359400"})).await.unwrap_err();
    let text = poor["message"].as_str().unwrap();
    assert!(
        text.starts_with("err: insufficient funds for gas * price + value: address 0x0000"),
        "{text}"
    );
    assert!(text.ends_with("(supplied gas 50000000)"), "{text}");
    let low = call(&node, code, json!({"gasPrice": "0x1"})).await.unwrap_err();
    let text = low["message"].as_str().unwrap();
    assert!(text.starts_with("err: max fee per gas less than block base fee: address"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn overrides_replace_state_block_and_precompiles() {
    let node = node(|_| ());
    // SLOAD(0) + NUMBER, returned.
    let code = "0x5f5443015f5260205ff3";
    let slot = format!("0x{:0>64}", "0");
    let value = format!("0x{:0>64}", "5");
    for field in ["state", "stateDiff"] {
        let overrides = json!({CONTRACT: {"code": code, field: {&slot: &value}}});
        let params = json!([{"to": CONTRACT}, "latest", overrides, {"number": "0x10"}]);
        assert_eq!(node.call("eth_call", params).await.unwrap(), format!("0x{:0>64}", "15"));
    }
    let both = json!({CONTRACT: {"state": {}, "stateDiff": {}}});
    let error = node.call("eth_call", json!([{}, "latest", both])).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().ends_with("has both 'state' and 'stateDiff'"));
    let identity = "0x0000000000000000000000000000000000000004";
    let moved = json!({identity: {"movePrecompileToAddress": CONTRACT}});
    let params = |to: &str| json!([{"to": to, "input": "0x1234"}, "latest", moved]);
    assert_eq!(node.call("eth_call", params(CONTRACT)).await.unwrap(), "0x1234");
    assert_eq!(node.call("eth_call", params(identity)).await.unwrap(), "0x");
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_suffice_and_are_close() {
    let node = node(|_| ());
    let plain = json!([{"to": CONTRACT}]);
    assert_eq!(node.call("eth_estimateGas", plain).await.unwrap(), "0x5208");
    // Stores, then clears the slot: the refund must not lower the estimate below what it needs.
    let code = "0x60015f555f5f5500";
    let gas = estimate(&node, code, json!({})).await.unwrap();
    assert!(call(&node, code, json!({"gas": gas})).await.is_ok(), "{gas}");
    // Calls itself with all that it may hand on, and wants 50,000 gas there (EIP-150).
    let code = "0x366013575f5f60015f5f305af1601157fe5b005b61c3505a11601157fe";
    let gas = estimate(&node, code, json!({})).await.unwrap();
    let gas = u64::from_str_radix(&gas.as_str().unwrap()[2..], 16).unwrap();
    assert!(call(&node, code, json!({"gas": format!("{gas:#x}")})).await.is_ok(), "{gas}");
    let less = gas * 97 / 100;
    assert!(call(&node, code, json!({"gas": format!("{less:#x}")})).await.is_err(), "{gas}");
    let capped = estimate(&node, "0x5b5f56", json!({"gas": "0x186a0"})).await.unwrap_err();
    assert_eq!(capped["message"], "gas required exceeds allowance (100000)");
    let reverts = estimate(&node, "0x5f5ffd", json!({})).await.unwrap_err();
    assert_eq!((reverts["code"].as_i64(), reverts["data"].as_str()), (Some(3), Some("0x")));
    let poor = json!({"value": "0x1", "maxFeePerGas": "0x77359400"});
    let error = estimate(&node, "0x00", poor).await.unwrap_err();
    assert_eq!(error["message"], "insufficient funds for transfer");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_calls_are_refused_and_nothing_crashes() {
    let node = node(|_| ());
    for (params, code) in [
        (json!([]), -32602),
        (json!([{"to": "0x12"}]), -32602),
        (json!([{"gas": "0x01"}]), -32602),
        (json!([{"value": 5}]), -32602),
        (json!([{"data": "0x1"}]), -32602),
        (json!([{"data": "0x01", "input": "0x02"}]), -32000),
        (json!([{}, "0xffff"]), -32000),
        (json!([{}, "latest", {"0x12": {}}]), -32602),
        (json!([{}, "latest", {}, {"withdrawals": []}]), -32000),
        (json!([{"value": format!("0x{}", "f".repeat(64)), "gasPrice": "0xffff"}]), -32000),
        (json!([{"to": CONTRACT, "blobVersionedHashes": []}]), -32000),
        (json!([{"nonce": "0xffffffffffffffff", "gas": "0x0"}]), -32000),
    ] {
        for method in ["eth_call", "eth_estimateGas", "eth_createAccessList", "debug_traceCall"] {
            let trace_overrides =
                method == "debug_traceCall" && params.as_array().unwrap().len() > 2;
            if trace_overrides || (method == "eth_estimateGas" && code == -32000) {
                continue;
            }
            let error = node.call(method, params.clone()).await.unwrap_err();
            assert_eq!(error["code"], code, "{method} {params}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_that_the_evm_cannot_count_are_refused() {
    let node = node(|_| ());
    let huge = format!("0x{}", "f".repeat(64));
    let rich = json!({CONTRACT: {"balance": huge}});
    for fields in [
        json!({"gasPrice": format!("0x8{}", "0".repeat(31))}),
        json!({"gasPrice": format!("0x8{}", "0".repeat(32)), "gas": "0x1"}),
        json!({"value": huge, "gasPrice": "0x77359400"}),
    ] {
        let mut tx = fields;
        tx["from"] = json!(CONTRACT);
        tx["to"] = json!("0xc100000000000000000000000000000000000000");
        let error = node.call("eth_call", json!([tx, "latest", rich])).await.unwrap_err();
        assert_eq!(error["code"], -32000, "{error}");
        assert!(!error["message"].as_str().unwrap().contains("crashed"), "{error}");
        let blocks = json!({"blockStateCalls": [{"stateOverrides": rich, "calls": [tx]}]});
        let error = node.call("eth_simulateV1", json!([blocks])).await.unwrap_err();
        assert!(!error["message"].as_str().unwrap().contains("crashed"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_list_holds_what_the_call_touches() {
    let node = node(|_| ());
    let other = "c300000000000000000000000000000000000000";
    // SLOAD(7), BALANCE(other), BALANCE(precompile 1).
    let code = format!("0x600754{}{other}3160013100", "73");
    let overrides = json!({CONTRACT: {"code": code}});
    let params = json!([{"to": CONTRACT}, "latest", overrides]);
    let result = node.call("eth_createAccessList", params).await.unwrap();
    let seven = format!("0x{:0>64}", "7");
    let want = json!([
        {"address": CONTRACT, "storageKeys": [seven]},
        {"address": format!("0x{other}"), "storageKeys": []},
    ]);
    assert_eq!(result["accessList"], want);
    assert!(result.get("error").is_none());
}
