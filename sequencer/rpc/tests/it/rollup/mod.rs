//! The methods of a rollup: op-node's, and transactions passed on to the sequencer.

mod admin;
mod forward;
mod optimism;

use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_chain::{
    AttributesSource, BlockRef, Chain, ChainOptions, DerivedPayload, DevAttributes, HeadUpdate,
};
use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
use cairn_rollup::RollupHandle;
use serde_json::json;

use crate::client::{error_code, result};
use crate::node::{TestNode, config, open_chain};
use crate::sending::dev;

pub(super) fn rollup(chain: &Chain) -> RollupHandle {
    let (hash, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
    let l1 = BlockNumHash { number: 7, hash: B256::repeat_byte(1) };
    let (time, gas_limit) = (genesis.timestamp, genesis.gas_limit);
    let mut config = cairn_rollup::testing::on_genesis(l1, hash, time, gas_limit);
    config.cairn.output_game_type = 901;
    RollupHandle::new(Arc::new(config))
}

pub(super) fn new_chain() -> (Chain, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let genesis = dev_genesis(&DevOptions::default()).unwrap();
    let chain = open_chain(&directory.path().join("state"), &genesis, ChainOptions::default());
    (chain, directory)
}

pub(super) fn source(chain: &Chain) -> DevAttributes {
    let (_, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
    DevAttributes::new(chain.spec().clone(), &genesis, DEV_SYSTEM)
}

/// Derives a block of deposits alone, made safe by L1 block `l1`.
pub(super) fn derive(chain: &Chain, l1: u64) -> B256 {
    let (hash, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
    let attributes = source(chain).next(&head, head.timestamp + 1).unwrap();
    let payload = DerivedPayload { attributes, transactions: Vec::new() };
    let hash = chain.derive(hash, payload.recover().unwrap()).unwrap().block.hash;
    let derived_from = Some((l1, B256::with_last_byte(l1 as u8)).into());
    chain.advance_heads(&HeadUpdate { safe: Some(hash), derived_from, finalized: None }).unwrap();
    hash
}

/// A node that derives.
pub(super) async fn verifier() -> (TestNode, RollupHandle) {
    let (chain, directory) = new_chain();
    let handle = rollup(&chain);
    let shared = handle.clone();
    let node =
        TestNode::serve_with(chain, directory, config(), |backend| backend.with_rollup(shared));
    (node.await, handle)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rollup_its_methods_are_absent() {
    let node = dev().await;
    for method in [
        "optimism_syncStatus",
        "optimism_outputAtBlock",
        "optimism_rollupConfig",
        "optimism_version",
        "optimism_safeHeadAtL1Block",
        "admin_startSequencer",
        "admin_stopSequencer",
        "admin_sequencerActive",
        "admin_resetDerivationPipeline",
        "admin_startBatcher",
        "admin_stopBatcher",
        "admin_flushBatcher",
        "admin_setBatcherCarrier",
        "eth_sendRawTransactionConditional",
    ] {
        assert_eq!(error_code(node.address, method, json!([])).await, -32601, "{method}");
    }
    assert!(result(node.address, "rpc_modules", json!([])).await.get("optimism").is_none());
}
