//! Control of sequencer and derivation.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use alloy_primitives::B256;
use cairn_chain::{Sequencer, SequencerOptions};
use cairn_rollup::batcher::{BatcherCommand, BatcherCommandError, CarrierChoice};
use serde_json::{Value, json};

use super::{new_chain, rollup, source, verifier};
use crate::client::{call, error_code, result, until};
use crate::node::{TestNode, config};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_stops_and_starts_the_sequencer_where_it_stood() {
    let (chain, directory) = new_chain();
    let journal = directory.path().join("journal");
    let source = Box::new(source(&chain));
    let mut started = None;
    let node = TestNode::serve_with(chain, directory, config(), |backend| {
        let options = SequencerOptions {
            block_time: Duration::from_millis(200),
            ..SequencerOptions::new(journal)
        };
        let (chain, pool) = (backend.chain.clone(), backend.pool.clone());
        let sequencer = Sequencer::start(chain, pool, source, options).unwrap();
        started = Some(sequencer.clone());
        backend.with_sequencer(sequencer)
    })
    .await;
    let active = || result(node.address, "admin_sequencerActive", json!([]));
    assert_eq!(active().await, true);
    let wrong = call(node.address, "admin_startSequencer", json!([B256::ZERO])).await;
    assert_eq!(wrong["error"]["message"], "sequencer already running");
    let head = result(node.address, "admin_stopSequencer", json!([])).await;
    until("it says that it is stopped", || async { (active().await == false).then_some(()) }).await;
    assert_eq!(head, json!(node.chain.heads().unsafe_head.hash));
    let again = call(node.address, "admin_stopSequencer", json!([])).await;
    assert_eq!(again["error"]["message"], "sequencer not running");
    let wrong = call(node.address, "admin_startSequencer", json!([B256::ZERO])).await;
    let text = wrong["error"]["message"].as_str().unwrap();
    assert!(text.starts_with("block hash does not match"), "{text}");
    let number = node.chain.heads().unsafe_head.number;
    assert_eq!(json!(node.chain.heads().unsafe_head.hash), head, "nothing is built meanwhile");
    assert_eq!(result(node.address, "admin_startSequencer", json!([head])).await, Value::Null);
    until("it builds on", || async {
        (node.chain.heads().unsafe_head.number > number).then_some(())
    })
    .await;
    started.unwrap().shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_reaches_the_driver() {
    let (node, handle) = verifier().await;
    let method = "admin_resetDerivationPipeline";
    assert_eq!(error_code(node.address, method, json!([])).await, -32000, "no driver yet");
    let resets = Arc::new(AtomicU32::new(0));
    let counter = resets.clone();
    handle.on_reset(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(result(node.address, method, json!([])).await, Value::Null);
    assert_eq!(resets.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_the_batcher_and_its_refusals_the_operator() {
    let (node, handle) = verifier().await;
    let flush = || call(node.address, "admin_flushBatcher", json!([]));
    let missing = flush().await;
    assert_eq!(missing["error"]["message"], "this node has no batcher");
    assert_eq!(missing["error"]["code"], -32000);
    let (sender, taken) = std::sync::mpsc::channel();
    handle.on_batcher_command(move |command| match command {
        BatcherCommand::SetCarrier(CarrierChoice::Auto) => {
            Err(BatcherCommandError::NoDataAvailability)
        }
        command => sender.send(command).map_err(|_| BatcherCommandError::Ended),
    });
    assert_eq!(flush().await["result"], Value::Null);
    assert_eq!(taken.try_recv(), Ok(BatcherCommand::Flush));
    let commands = [
        ("admin_stopBatcher", BatcherCommand::Stop),
        ("admin_startBatcher", BatcherCommand::Start),
    ];
    for (method, command) in commands {
        assert_eq!(result(node.address, method, json!([])).await, Value::Null);
        assert_eq!(taken.try_recv(), Ok(command));
    }
    let method = "admin_setBatcherCarrier";
    for (name, choice) in [("blobs", CarrierChoice::Blobs), ("calldata", CarrierChoice::Calldata)] {
        assert_eq!(result(node.address, method, json!([name])).await, Value::Null);
        assert_eq!(taken.try_recv(), Ok(BatcherCommand::SetCarrier(choice)));
    }
    let refused = call(node.address, method, json!(["auto"])).await;
    assert_eq!(refused["error"]["message"], "the batcher was started without the DA network");
    for wrong in [json!([]), json!(["Blobs"]), json!([1]), json!(["blobs", 1])] {
        assert_eq!(error_code(node.address, method, wrong).await, -32602);
    }
    assert!(taken.try_recv().is_err(), "nothing of that was passed on");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_methods_stay_on_loopback() {
    let (chain, directory) = new_chain();
    let handle = rollup(&chain);
    let mut config = config();
    config.ports[0].address = SocketAddr::from(([0, 0, 0, 0], 0));
    config.ports[0].allowed_hosts = Vec::new();
    let node =
        TestNode::serve_with(chain, directory, config, |backend| backend.with_rollup(handle)).await;
    let address = SocketAddr::from(([127, 0, 0, 1], node.address.port()));
    for method in [
        "admin_resetDerivationPipeline",
        "admin_startBatcher",
        "admin_stopBatcher",
        "admin_flushBatcher",
        "admin_setBatcherCarrier",
    ] {
        assert_eq!(error_code(address, method, json!([])).await, -32601, "{method}");
    }
    assert!(result(address, "optimism_syncStatus", json!([])).await.is_object());
}
