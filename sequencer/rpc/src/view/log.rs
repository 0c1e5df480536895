//! Logs.

use alloy_primitives::{Address, B256, Bytes, Log, U64};
use serde::Serialize;

use super::{index, quantity};

/// A log as `eth_getLogs` gives it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    transaction_hash: B256,
    transaction_index: U64,
    block_hash: B256,
    block_timestamp: U64,
    log_index: U64,
    removed: bool,
}

/// The block and transaction of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogOrigin {
    pub(crate) block_hash: B256,
    pub(crate) block_number: u64,
    pub(crate) block_timestamp: u64,
    pub(crate) tx_hash: B256,
    pub(crate) tx_index: usize,
}

impl LogView {
    /// `position` is the log's index in its block. `removed` tells that a reorganisation took its
    /// block out of the chain.
    pub(crate) fn new(log: &Log, origin: LogOrigin, position: usize, removed: bool) -> Self {
        Self {
            address: log.address,
            topics: log.topics().to_vec(),
            data: log.data.data.clone(),
            block_number: quantity(origin.block_number),
            transaction_hash: origin.tx_hash,
            transaction_index: index(origin.tx_index),
            block_hash: origin.block_hash,
            block_timestamp: quantity(origin.block_timestamp),
            log_index: index(position),
            removed,
        }
    }
}
