//! The `debug_getRaw*` methods: consensus encodings as they are hashed and rooted.

use alloy_eips::BlockId;
use alloy_primitives::Bytes;
use cairn_primitives::RecoveredBlock;
use serde_json::Value;

use crate::params::HashParam;
use crate::{Args, Backend, BlockParam, Methods, RpcError, block_ref};

pub(crate) fn register(methods: &mut Methods) {
    methods.reading("debug_getRawHeader", 1, raw_header);
    methods.reading("debug_getRawBlock", 1, raw_block);
    methods.reading("debug_getRawReceipts", 1, raw_receipts);
    methods.reading("debug_getRawTransaction", 1, |backend, args| {
        let hash = args.required::<HashParam>(0)?.get();
        Ok(crate::eth::find_raw(backend, hash)?.unwrap_or_default())
    });
    // Blocks that fail validation are refused and not kept.
    methods.quick("debug_getBadBlocks", 0, |_, _| Ok(Vec::<Value>::new()));
}

/// As geth: an unknown hash is an error, an unknown number an empty result.
fn missing(block: BlockId, what: &str) -> Result<(), RpcError> {
    match block {
        BlockId::Hash(hash) => {
            Err(RpcError::server(format!("{what} #{} not found", hash.block_hash)))
        }
        BlockId::Number(_) => Ok(()),
    }
}

fn raw_header(backend: &Backend, args: &Args) -> Result<Bytes, RpcError> {
    let block = args.required::<BlockParam>(0)?.0;
    match backend.chain.header(block_ref(block))? {
        Some((_, header)) => Ok(alloy_rlp::encode(&header).into()),
        None => missing(block, "header").map(|()| Bytes::new()),
    }
}

fn raw_block(backend: &Backend, args: &Args) -> Result<Bytes, RpcError> {
    let block = args.required::<BlockParam>(0)?.0;
    let found: Option<RecoveredBlock> = backend.chain.block(block_ref(block))?;
    match found {
        Some(block) => Ok(alloy_rlp::encode(block.block()).into()),
        None => missing(block, "block").map(|()| Bytes::new()),
    }
}

fn raw_receipts(backend: &Backend, args: &Args) -> Result<Option<Vec<Bytes>>, RpcError> {
    let block = args.required::<BlockParam>(0)?.0;
    let Some(receipts) = backend.chain.receipts(block_ref(block))? else {
        // geth finds no receipts for an unknown hash, which is an empty list.
        return Ok(matches!(block, BlockId::Hash(_)).then(Vec::new));
    };
    let encode = |receipt: &cairn_primitives::Receipt| {
        let mut out = Vec::new();
        receipt.encode_2718_with_bloom(&receipt.bloom(), &mut out);
        Bytes::from(out)
    };
    Ok(Some(receipts.iter().map(encode).collect()))
}
