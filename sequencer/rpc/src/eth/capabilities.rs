//! `eth_capabilities`: which history this node can serve.

use alloy_primitives::{B256, U64};
use cairn_state::Keep;
use serde::Serialize;

use crate::view::quantity;
use crate::{Args, Backend, Methods, RpcError};

pub(super) fn register(methods: &mut Methods) {
    methods.reading("eth_capabilities", 0, capabilities);
}

#[derive(Debug, Serialize)]
struct Capabilities {
    head: Head,
    state: Resource,
    tx: Resource,
    logs: Resource,
    receipts: Resource,
    blocks: Resource,
    stateproofs: Resource,
}

#[derive(Debug, Serialize)]
struct Head {
    number: U64,
    hash: B256,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    disabled: bool,
    oldest_block: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_strategy: Option<DeleteStrategy>,
}

/// Data older than a number of blocks is removed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteStrategy {
    #[serde(rename = "type")]
    kind: &'static str,
    retention_blocks: U64,
}

impl Resource {
    fn new(oldest: u64, window: Option<u64>) -> Self {
        let delete_strategy = window
            .map(|blocks| DeleteStrategy { kind: "window", retention_blocks: quantity(blocks) });
        Self { disabled: false, oldest_block: quantity(oldest), delete_strategy }
    }
}

fn capabilities(backend: &Backend, _: &Args) -> Result<Capabilities, RpcError> {
    let store = backend.chain.store();
    let head = backend.chain.heads().unsafe_head;
    let options = store.options();
    let blocks = || Resource::new(store.first_block_with_body(), window(options.block_data));
    let first_state = store.first_block_with_state();
    Ok(Capabilities {
        head: Head { number: quantity(head.number), hash: head.hash },
        state: Resource::new(first_state, window(options.state_history)),
        tx: blocks(),
        logs: blocks(),
        receipts: blocks(),
        blocks: Resource::new(0, None),
        stateproofs: Resource::new(first_state, window(options.state_history)),
    })
}

const fn window(keep: Keep) -> Option<u64> {
    match keep {
        Keep::All => None,
        Keep::Last(blocks) => Some(blocks),
    }
}
