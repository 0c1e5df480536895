//! The `testing` namespace of execution-apis: blocks made of given transactions.
//!
//! For tests of clients only. A port serves it when it names it. Under Ethereum rules blocks are
//! built by default too, but never committed: that lets anyone choose what the chain holds.

mod build;
mod payload;

use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::Withdrawal;
use cairn_chain::Chain;
use serde::Deserialize;

use crate::params::{AddressParam, BytesParam, HashParam, Quantity};
use crate::{Args, Backend, Methods, RpcError};
use payload::Envelope;

/// Adds the methods. With `commits` blocks can be added to the chain.
pub(crate) fn register(methods: &mut Methods, commits: bool) {
    methods.executing("testing_buildBlockV1", 4, build_block);
    if commits {
        methods.executing("testing_commitBlockV1", 3, commit_block);
    }
}

/// `PayloadAttributesV3` of the Engine API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    timestamp: Quantity,
    prev_randao: HashParam,
    suggested_fee_recipient: AddressParam,
    withdrawals: Option<Vec<Withdrawal>>,
    parent_beacon_block_root: Option<HashParam>,
}

/// What a block is made of.
#[derive(Debug)]
struct Plan {
    parent: B256,
    timestamp: u64,
    prev_randao: B256,
    fee_recipient: Address,
    withdrawals: Option<Vec<Withdrawal>>,
    parent_beacon_block_root: Option<B256>,
    /// `None` takes them from the pool, leaving out what does not fit.
    transactions: Option<Vec<Bytes>>,
    extra_data: Bytes,
}

impl Plan {
    /// Reads the arguments from the attributes on.
    fn read(parent: B256, args: &Args, first: usize) -> Result<Self, RpcError> {
        let attributes: Attributes = args.required(first)?;
        let transactions: Option<Vec<BytesParam>> = args.optional(first + 1)?;
        let extra_data: Option<BytesParam> = args.optional(first + 2)?;
        Ok(Self {
            parent,
            timestamp: attributes.timestamp.0,
            prev_randao: attributes.prev_randao.get(),
            fee_recipient: attributes.suggested_fee_recipient.0,
            withdrawals: attributes.withdrawals,
            parent_beacon_block_root: attributes.parent_beacon_block_root.map(HashParam::get),
            transactions: transactions.map(|list| list.into_iter().map(|raw| raw.0).collect()),
            extra_data: extra_data.map_or_else(Bytes::new, |data| data.0),
        })
    }
}

fn build_block(backend: &Backend, args: &Args) -> Result<Envelope, RpcError> {
    let parent = args.required::<HashParam>(0)?.get();
    let plan = Plan::read(parent, args, 1)?;
    let built = build::build(backend, &plan)?;
    Ok(Envelope::new(&built))
}

/// Builds on the head and imports the block, with full validation.
fn commit_block(backend: &Backend, args: &Args) -> Result<B256, RpcError> {
    let chain: &Chain = &backend.chain;
    let plan = Plan::read(chain.heads().unsafe_head.hash, args, 0)?;
    let built = build::build(backend, &plan)?;
    let hash = built.block.hash();
    chain.import_recovered(built.block).map_err(|error| RpcError::server(error.to_string()))?;
    Ok(hash)
}
