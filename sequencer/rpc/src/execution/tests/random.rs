//! Programs made of chance: whatever they do, a method answers.

use alloy_primitives::{hex, keccak256};
use cairn_genesis::{DevOptions, dev_genesis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::node::Node;
use crate::RpcConfig;

const CONTRACT: &str = "0xc200000000000000000000000000000000000000";
const PROGRAMS: u32 = 300;

/// Opcodes with the number of their operands: calls, creations, logs, storage, copies.
#[rustfmt::skip]
const OPERATIONS: [(u8, u8); 25] = [
    (0x20, 2), (0x31, 1), (0x37, 3), (0x39, 3), (0x3b, 1), (0x3c, 4), (0x3e, 3), (0x51, 1),
    (0x52, 2), (0x54, 1), (0x55, 2), (0x5c, 1), (0x5d, 2), (0x5e, 3), (0xa0, 2), (0xa1, 3),
    (0xf0, 3), (0xf1, 7), (0xf2, 7), (0xf4, 6), (0xf5, 4), (0xfa, 6), (0xff, 1), (0xfd, 2),
    (0xf3, 2),
];

/// A program of up to eight operations on small numbers, its own address and its gas, and now and
/// then a byte that makes no sense.
fn program(seed: u32) -> Vec<u8> {
    let mut code = Vec::new();
    for part in 0..8u8 {
        let noise = keccak256([&seed.to_be_bytes()[..], &[part]].concat());
        let (operation, operands) = OPERATIONS[usize::from(noise[0]) % OPERATIONS.len()];
        for operand in 1..=usize::from(operands) {
            match noise[operand] % 8 {
                0 => code.push(0x30),
                1 => code.push(0x5a),
                2 | 3 => code.push(0x5f),
                _ => code.extend([0x60, noise[operand + 8] % 64]),
            }
        }
        code.push(operation);
        if noise[30] % 32 == 0 {
            code.push(noise[31]);
        }
    }
    code
}

/// The outermost frame of a call trace. Those inside may nest deeper than a parser likes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outermost {
    gas_used: String,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    result: Outermost,
}

async fn calls(node: &Node, tx: &Value, overrides: &Value) -> Outermost {
    let options = json!({
        "tracer": "callTracer",
        "tracerConfig": {"withLog": true},
        "stateOverrides": overrides,
    });
    let params = json!([tx, "latest", options]);
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "debug_traceCall", "params": params});
    let text = node.raw(&request.to_string()).await;
    serde_json::from_str::<Response>(&text).unwrap().result
}

fn crashed(answer: &Result<Value, Value>) -> bool {
    matches!(answer, Err(error) if error["message"].as_str().is_none_or(|m| m.contains("crash")))
}

#[tokio::test(flavor = "multi_thread")]
async fn random_programs_crash_no_method_and_gas_agrees_between_tracers() {
    let node = Node::new(&dev_genesis(&DevOptions::default()).unwrap(), RpcConfig::default());
    let mut succeeded = 0;
    for seed in 0..PROGRAMS {
        let code = hex::encode_prefixed(program(seed));
        let tx = json!({"to": CONTRACT, "gas": "0x493e0", "input": "0x01020304"});
        let overrides = json!({CONTRACT: {"code": code, "balance": "0xffff"}});
        for method in ["eth_call", "eth_estimateGas", "eth_createAccessList"] {
            let answer = node.call(method, json!([tx, "latest", overrides])).await;
            assert!(!crashed(&answer), "seed {seed}: {method}: {answer:?}");
        }
        let blocks = json!({
            "blockStateCalls": [{"stateOverrides": overrides, "calls": [tx, tx]}],
            "traceTransfers": true,
        });
        let simulated = node.call("eth_simulateV1", json!([blocks])).await;
        assert!(!crashed(&simulated), "seed {seed}: {simulated:?}");
        let simulated = simulated.unwrap();
        let trace = async |options: Value| {
            let mut options = options;
            options["stateOverrides"] = overrides.clone();
            let answer = node.call("debug_traceCall", json!([tx, "latest", options])).await;
            answer.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
        };
        let steps = trace(json!({"enableMemory": true, "enableReturnData": true})).await;
        let calls = calls(&node, &tx, &overrides).await;
        for tracer in ["prestateTracer", "flatCallTracer", "4byteTracer"] {
            trace(json!({"tracer": tracer})).await;
        }
        let used = format!("{:#x}", steps["gas"].as_u64().unwrap());
        assert_eq!(calls.gas_used, used, "seed {seed}");
        assert_eq!(simulated[0]["calls"][0]["gasUsed"], used, "seed {seed}");
        assert_eq!(calls.error.is_some(), steps["failed"] == true, "seed {seed}");
        succeeded += u32::from(steps["failed"] == false);
    }
    assert!(succeeded > PROGRAMS / 20, "only {succeeded} programs came to a good end");
}
