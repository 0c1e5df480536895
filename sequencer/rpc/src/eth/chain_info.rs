//! Answers from memory about the chain as a whole.

use alloy_primitives::{Address, U64};
use cairn_chain::BlockRef;

use crate::view::quantity;
use crate::{Args, Backend, Methods, RpcError};

pub(super) fn register(methods: &mut Methods) {
    methods.quick("eth_chainId", 0, chain_id);
    methods.quick("eth_blockNumber", 0, block_number);
    methods.quick("eth_syncing", 0, |_, _| Ok(false));
    methods.quick("eth_mining", 0, |_, _| Ok(false));
    methods.quick("eth_hashrate", 0, |_, _| Ok(U64::ZERO));
    methods.reading("eth_coinbase", 0, coinbase);
}

fn chain_id(backend: &Backend, _: &Args) -> Result<U64, RpcError> {
    Ok(quantity(backend.spec().chain_id()))
}

fn block_number(backend: &Backend, _: &Args) -> Result<U64, RpcError> {
    Ok(quantity(backend.chain.heads().unsafe_head.number))
}

/// Who receives the tips of new blocks, as the newest header says.
fn coinbase(backend: &Backend, _: &Args) -> Result<Address, RpcError> {
    let header = backend.chain.header(BlockRef::Latest)?;
    Ok(header.ok_or_else(RpcError::header_not_found)?.1.beneficiary)
}
