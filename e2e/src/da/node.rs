//! A node that is told what L1 says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_da_node::admission::{Event, L1Head, Limits, Operator, Quorums};
use cairn_da_node::store::StoreOptions;
use cairn_da_node::{Clock, Node, NodeConfig};
use cairn_primitives::da::{Snapshot, Timestamp};

use super::operators::{address, domain, secret};

/// Opens the node of an operator on a store of its own.
pub(crate) fn open_node(folder: &Path, number: usize, quorum: &Snapshot) -> eyre::Result<Node> {
    let key = secret(number)?;
    let operator = Operator { domain: domain(), address: address(number), key: key.public_key() };
    // One payer sends more here than any may.
    let limits =
        Limits { payer_bytes_per_second: 1 << 40, payer_burst_bytes: 1 << 40, ..Limits::default() };
    let node = Node::open(NodeConfig {
        store_dir: folder.join(format!("rows-{number}")),
        store: StoreOptions { write_buffer_bytes: 4 << 20, ..StoreOptions::default() },
        operator,
        key,
        limits,
        disk_reserve: 0,
        clock: Clock::default(),
    })?;
    tell(&node, quorum);
    Ok(node)
}

/// Tells a node that L1 has a block of now and what its quorum is.
pub(crate) fn tell(node: &Node, quorum: &Snapshot) {
    let time = Timestamp(node.clock().now().as_secs());
    let snapshots = BTreeMap::from([(quorum.epoch(), Arc::new(quorum.clone()))]);
    let head = L1Head { number: 1, hash: B256::ZERO, time };
    node.step(Event::Quorums(Quorums { head, current: quorum.epoch(), snapshots }));
}
