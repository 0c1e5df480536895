//! Traces of calls and of blocks on a development chain.

use std::time::{Duration, Instant};

use cairn_chain::BlockRef;
use cairn_chain::{DevAttributes, Sequencer, SequencerOptions};
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
use serde_json::{Value, json};

use super::node::Node;
use crate::RpcConfig;

const OUTER: &str = "0xc100000000000000000000000000000000000000";
const INNER: &str = "0xc200000000000000000000000000000000000000";

fn node() -> Node {
    Node::new(&dev_genesis(&DevOptions::default()).unwrap(), RpcConfig::default())
}

/// Calls OUTER, which logs, calls INNER and the identity precompile, and stores 1 in slot 0.
/// INNER reverts with `Error("no")`.
async fn trace(node: &Node, config: Value) -> Result<Value, Value> {
    let outer = "0x5f5fa0\
        60045f525f5f5f5f5f73c2000000000000000000000000000000000000005af150\
        5f5f5f5f60045afa5060015f5500";
    let inner = format!(
        "0x7f08c379a0{}5f52602060045260026024527f6e6f{}60445260645ffd",
        "0".repeat(56),
        "0".repeat(60)
    );
    let mut config = config;
    config["stateOverrides"] = json!({OUTER: {"code": outer}, INNER: {"code": inner}});
    let tx = json!({"to": OUTER, "input": "0x01020304aabb", "gas": "0x30d40"});
    node.call("debug_traceCall", json!([tx, "latest", config])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_tracer_nests_calls_with_reasons_and_logs() {
    let config = json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}});
    let root = trace(&node(), config).await.unwrap();
    assert_eq!(root["type"], "CALL");
    assert_eq!(root["gas"], "0x30d40");
    assert_eq!(root["logs"][0]["position"], "0x0");
    let calls = root["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["to"], INNER);
    assert_eq!(calls[0]["error"], "execution reverted");
    assert_eq!(calls[0]["revertReason"], "no");
    assert_eq!((calls[1]["type"].as_str(), calls[1].get("value")), (Some("STATICCALL"), None));
    let config = json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}});
    let top = trace(&node(), config).await.unwrap();
    assert!(top.get("calls").is_none() && top.get("logs").is_none());
    assert_eq!(top["gasUsed"], root["gasUsed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flat_tracer_lists_calls_without_precompiles() {
    let flat = trace(&node(), json!({"tracer": "flatCallTracer"})).await.unwrap();
    let flat = flat.as_array().unwrap();
    assert_eq!(flat.len(), 2);
    assert_eq!(flat[0]["subtraces"], 1);
    assert_eq!(
        (&flat[1]["traceAddress"], &flat[1]["error"]),
        (&json!([0]), &json!("execution reverted"))
    );
    assert_eq!(flat[1]["action"]["callType"], "call");
    let config = json!({"tracer": "parityTracer"});
    let parity = trace(&node(), config).await.unwrap();
    assert_eq!(parity.as_array().unwrap().len(), 3);
    assert_eq!(parity[1]["error"], "Reverted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prestate_tracer_shows_state_before_and_after() {
    let node = node();
    let slot = format!("0x{:0>64}", "0");
    let before = trace(&node, json!({"tracer": "prestateTracer"})).await.unwrap();
    assert_eq!(before[OUTER]["storage"][&slot], format!("0x{:0>64}", "0"));
    assert!(before[OUTER]["code"].as_str().unwrap().starts_with("0x5f5fa0"));
    let config = json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}});
    let diff = trace(&node, config).await.unwrap();
    assert_eq!(diff["post"][OUTER], json!({"storage": {&slot: format!("0x{:0>64}", "1")}}));
    assert!(diff["pre"][OUTER].get("storage").is_none());
    assert!(diff["post"].get(INNER).is_none() && diff["pre"].get(INNER).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tracers_answer_at_once() {
    let config = json!({
        "tracer": "muxTracer",
        "tracerConfig": {"4byteTracer": {}, "noopTracer": {}, "callTracer": {"onlyTopCall": true}},
    });
    let mux = trace(&node(), config).await.unwrap();
    assert_eq!(mux["4byteTracer"], json!({"0x01020304-2": 1}));
    assert_eq!(mux["noopTracer"], json!({}));
    assert_eq!(mux["callTracer"]["type"], "CALL");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_struct_logger_shows_costs_depth_and_storage() {
    let logs = trace(&node(), json!({"enableMemory": true})).await.unwrap();
    let steps = logs["structLogs"].as_array().unwrap();
    assert_eq!(steps[0]["op"], "PUSH0");
    let call = steps.iter().find(|step| step["op"] == "CALL").unwrap();
    assert_eq!(call["depth"], 1);
    let inner = steps.iter().find(|step| step["depth"] == 2).unwrap();
    // What the call hands on counts as its cost, the rest is the access of a cold account.
    assert_eq!(call["gasCost"].as_u64(), inner["gas"].as_u64().map(|gas| gas + 2600));
    let store = steps.iter().find(|step| step["op"] == "SSTORE").unwrap();
    assert_eq!(store["gasCost"], 22100);
    assert_eq!(store["storage"].as_object().unwrap().len(), 1);
    assert_eq!(logs["failed"], false);
    let limited = trace(&node(), json!({"limit": 1})).await.unwrap();
    assert_eq!(limited["structLogs"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_grows_too_large_is_given_up() {
    let mut config = RpcConfig::default();
    config.limits.response_bytes = 20_000;
    let node = Node::new(&dev_genesis(&DevOptions::default()).unwrap(), config);
    let loop_code = json!({OUTER: {"code": "0x5b5f56"}});
    for options in [json!({}), json!({"enableMemory": true})] {
        let mut options = options;
        options["stateOverrides"] = loop_code.clone();
        let params = json!([{"to": OUTER}, "latest", options]);
        let error = node.call("debug_traceCall", params).await.unwrap_err();
        let text = error["message"].as_str().unwrap();
        assert!(text.contains("trace exceeds the largest response"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_tracers_and_missing_transactions_are_errors() {
    let node = node();
    let error = trace(&node, json!({"tracer": "someTracer"})).await.unwrap_err();
    assert_eq!(error["message"], "tracer not found: someTracer");
    let hash = format!("0x{}", "11".repeat(32));
    let error = node.call("debug_traceTransaction", json!([hash])).await.unwrap_err();
    assert_eq!(error["message"], "transaction not found");
    let error = node.call("debug_traceBlockByNumber", json!(["0x0"])).await.unwrap_err();
    assert_eq!(error["message"], "genesis is not traceable");
    let error = node.call("debug_traceBlockByNumber", json!(["0x64"])).await.unwrap_err();
    assert_eq!(error["message"], "block #100 not found");
    let error = node.call("debug_traceBlock", json!(["0xc0"])).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().starts_with("could not decode block"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_traced_on_the_state_it_ran_on() {
    let node = node();
    let (_, genesis) = node.chain.header(BlockRef::Earliest).unwrap().unwrap();
    let source = DevAttributes::new(node.chain.spec().clone(), &genesis, DEV_SYSTEM);
    let dir = tempfile::tempdir().unwrap();
    let options = SequencerOptions {
        block_time: Duration::from_millis(50),
        ..SequencerOptions::new(dir.path().join("journal"))
    };
    let (chain, pool) = (node.chain.clone(), node.pool.clone());
    let sequencer = Sequencer::start(chain, pool, Box::new(source), options).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while node.chain.heads().unsafe_head.number < 2 {
        assert!(Instant::now() < deadline, "no block was sealed");
        tokio::task::yield_now().await;
    }
    sequencer.shutdown();
    let params = json!(["0x2", {"tracer": "callTracer"}]);
    let traces = node.call("debug_traceBlockByNumber", params).await.unwrap();
    let root = &traces[0]["result"];
    assert_eq!(root["to"], "0x4200000000000000000000000000000000000015");
    assert!(root.get("error").is_none(), "{root}");
    let receipts = node.chain.receipts(BlockRef::Number(2)).unwrap().unwrap();
    let used = receipts[0].cumulative_gas_used();
    assert_eq!(root["gasUsed"], format!("{used:#x}"));
    let flat = node.call("trace_block", json!(["0x2"])).await.unwrap();
    assert_eq!(flat[0]["action"]["to"], root["to"]);
    let hash = &flat[0]["transactionHash"];
    assert_eq!(node.call("trace_transaction", json!([hash])).await.unwrap()[0], flat[0]);
    assert_eq!(node.call("trace_get", json!([hash, []])).await.unwrap(), flat[0]);
    let types = json!(["trace", "stateDiff"]);
    let replayed = node.call("trace_replayBlockTransactions", json!(["0x2", types])).await.unwrap();
    assert_eq!(&replayed[0]["transactionHash"], hash);
    let alone = node.call("trace_replayTransaction", json!([hash, types])).await.unwrap();
    assert_eq!(alone["stateDiff"], replayed[0]["stateDiff"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parity_traces_hold_calls_state_and_instructions() {
    let node = node();
    let calls = json!({"to": INNER, "gas": "0x30d40"});
    let types = json!(["trace", "stateDiff", "vmTrace"]);
    let result = node.call("trace_call", json!([calls, types, "latest"])).await.unwrap();
    assert_eq!(result["output"], "0x");
    assert_eq!(result["trace"][0]["type"], "call");
    assert!(result["stateDiff"].is_object());
    let unknown = format!("0x{}", "11".repeat(32));
    let none = node.call("trace_transaction", json!([unknown])).await.unwrap();
    assert_eq!(none, Value::Null);
    let error = node.call("trace_call", json!([calls, ["everything"]])).await.unwrap_err();
    assert_eq!(error["code"], -32602);
    assert_eq!(node.call("trace_block", json!(["0x0"])).await.unwrap(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deepest_recursion_is_traced() {
    let mut config = RpcConfig::default();
    config.methods.gas_cap = 0;
    let node = Node::new(&dev_genesis(&DevOptions::default()).unwrap(), config);
    // Calls itself with all gas until the limit of 1024 frames.
    let overrides = json!({OUTER: {"code": "0x5f5f5f5f5f305af1"}});
    for tracer in ["callTracer", "flatCallTracer", "prestateTracer"] {
        let options = json!({"tracer": tracer, "stateOverrides": overrides});
        let params = json!([{"to": OUTER, "gas": "0x4000000000000"}, "latest", options]);
        let request =
            json!({"jsonrpc": "2.0", "id": 1, "method": "debug_traceCall", "params": params});
        let text = node.raw(&request.to_string()).await;
        let frames = text.matches("\"input\":\"0x\"").count();
        let deepest = text.contains("max call depth exceeded");
        assert_eq!(
            (frames, deepest),
            if tracer == "prestateTracer" { (0, false) } else { (1026, true) }
        );
    }
}
