//! Programs made of chance: whatever they do, a method answers.

use alloy_primitives::{hex, keccak256};
use cairn_genesis::{DevOptions, dev_genesis};
use serde_json::{Value, json};

use super::node::Node;
use crate::RpcConfig;

const CONTRACT: &str = "0xc200000000000000000000000000000000000000";
const PROGRAMS: u32 = 300;

/// Opcodes that programs favour: calls, creations, logs, storage, copies.
const FAVOURED: &[u8] = &[
    0x20, 0x31, 0x37, 0x39, 0x3c, 0x3e, 0x51, 0x52, 0x54, 0x55, 0x56, 0x57, 0x5a, 0x5b, 0x5c, 0x5d,
    0x5e, 0xa0, 0xa1, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xfa, 0xfd, 0xff,
];

/// A program of up to 160 bytes, half of it small pushes, so that it gets somewhere.
fn program(seed: u32) -> Vec<u8> {
    let mut code = Vec::new();
    for part in 0..5u8 {
        let noise = keccak256([&seed.to_be_bytes()[..], &[part]].concat());
        for pair in noise.chunks_exact(2) {
            match pair[0] % 4 {
                0 => code.extend([0x60, pair[1] % 8]),
                1 => code.push(0x5f),
                2 => code.push(FAVOURED[usize::from(pair[1]) % FAVOURED.len()]),
                _ => code.push(pair[1]),
            }
        }
    }
    code
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
        let calls = trace(json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}})).await;
        for tracer in ["prestateTracer", "flatCallTracer", "4byteTracer"] {
            trace(json!({"tracer": tracer})).await;
        }
        let used = format!("{:#x}", steps["gas"].as_u64().unwrap());
        assert_eq!(calls["gasUsed"], used, "seed {seed}");
        assert_eq!(simulated[0]["calls"][0]["gasUsed"], used, "seed {seed}");
        assert_eq!(calls.get("error").is_some(), steps["failed"] == true, "seed {seed}");
        succeeded += u32::from(steps["failed"] == false);
    }
    assert!(succeeded > PROGRAMS / 20, "only {succeeded} programs came to a good end");
}
