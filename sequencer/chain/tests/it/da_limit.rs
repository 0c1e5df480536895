//! What blocks may take on L1.

use std::time::Duration;

use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_chain::{BlockRef, DaLimit, DevAttributes, Sequencer, SequencerOptions};
use cairn_evm::DaSize;
use cairn_genesis::DEV_SYSTEM;
use cairn_pool::Origin;

use crate::node::{Node, call, transfer};

/// Bytes per block: a few transfers, of which each is estimated to take 100.
const LIMIT: u64 = 350;

fn start(dir: &std::path::Path, da_limit: DaLimit) -> Node {
    let mut node = Node::open(dir);
    let (_, genesis) = node.chain.header(BlockRef::Earliest).unwrap().unwrap();
    let source = Box::new(DevAttributes::new(node.chain.spec().clone(), &genesis, DEV_SYSTEM));
    let options = SequencerOptions {
        block_time: Duration::from_millis(300),
        da_limit,
        ..SequencerOptions::new(dir.join("journal"))
    };
    let (chain, pool) = (node.chain.clone(), node.pool.clone());
    node.sequencer = Some(Sequencer::start(chain, pool, source, options).unwrap());
    node
}

/// What the transactions of a block take on L1.
fn taken(node: &Node, number: u64) -> Vec<u64> {
    let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
    let encoded = block.transactions()[1..].iter().map(alloy_eips::Encodable2718::encoded_2718);
    encoded.map(|tx| DaSize::estimate(&tx).bytes()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_keep_below_the_limit_and_all_transactions_come() {
    let dir = tempfile::tempdir().unwrap();
    let limit = DaLimit::default();
    limit.set(Some(LIMIT));
    let node = start(dir.path(), limit.clone());
    let mut hashes = Vec::new();
    for from in 0..2 {
        for nonce in 0..8 {
            let (hash, raw) = transfer(from, nonce, Address::ZERO, 1);
            hashes.push(hash);
            node.recovery.add(raw, Origin::Local).await.unwrap();
        }
    }
    // Larger than the limit, between small ones.
    let noise: Vec<u8> =
        (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (large, raw) = call(2, 0, TxKind::Call(Address::ZERO), U256::ZERO, Bytes::from(noise));
    node.recovery.add(raw, Origin::Local).await.unwrap();
    let at = node.sealed(large);
    let last = hashes.iter().map(|hash| node.sealed(*hash)).max().unwrap();
    let blocks: Vec<_> = (1..=last.max(at)).map(|number| taken(&node, number)).collect();
    assert_eq!(blocks.iter().map(Vec::len).sum::<usize>(), 17);
    for block in &blocks {
        assert!(block.iter().sum::<u64>() <= LIMIT || block.len() == 1, "{blocks:?}");
    }
    assert!(blocks.iter().any(|block| block.len() == 1 && block[0] > LIMIT), "{blocks:?}");

    limit.set(None);
    for nonce in 8..40 {
        node.recovery.add(transfer(0, nonce, Address::ZERO, 1).1, Origin::Local).await.unwrap();
    }
    let last = node.sealed(transfer(0, 39, Address::ZERO, 1).0);
    let largest = (1..=last).map(|number| taken(&node, number).iter().sum::<u64>()).max();
    assert!(largest.unwrap() > 3 * LIMIT, "{largest:?}");
    node.stop();
}
