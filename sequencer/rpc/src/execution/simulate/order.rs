//! Numbers and timestamps of simulated blocks: both ascend, and gaps are filled with empty blocks.

use alloy_primitives::U256;

use super::{BLOCKS_MAX, BlockCalls, error};
use crate::RpcError;
use crate::execution::block_override::BlockOverrides;
use crate::execution::call_args::{BigQuantity, CallArgs};
use crate::execution::state_override::StateOverrides;
use crate::params::Quantity;

/// Seconds between blocks whose time the caller leaves open.
const INTERVAL_SECS: u64 = 12;

/// A block whose number and time are known.
#[derive(Debug, Default)]
pub(super) struct PlannedBlock {
    pub(super) number: u64,
    pub(super) time: u64,
    pub(super) overrides: BlockOverrides,
    pub(super) state: StateOverrides,
    pub(super) calls: Vec<CallArgs>,
}

/// Orders blocks after a base block.
pub(super) fn plan(
    blocks: Vec<BlockCalls>,
    base_number: u64,
    base_time: u64,
) -> Result<Vec<PlannedBlock>, RpcError> {
    let mut planned = Vec::with_capacity(blocks.len());
    let (mut number, mut time) = (base_number, base_time);
    for block in blocks {
        let overrides = block.block_overrides.unwrap_or_default();
        let next = next_number(&overrides, number, base_number)?;
        while number.checked_add(1).is_some_and(|after| after < next) {
            number += 1;
            time = later(time)?;
            planned.push(PlannedBlock::empty(number, time));
        }
        number = next;
        time = match overrides.time {
            None => later(time)?,
            Some(given) if given.0 <= time => return Err(error::timestamp_order(given.0, time)),
            Some(given) => given.0,
        };
        planned.push(PlannedBlock {
            number,
            time,
            overrides,
            state: block.state_overrides.unwrap_or_default(),
            calls: block.calls,
        });
    }
    Ok(planned)
}

fn next_number(overrides: &BlockOverrides, before: u64, base: u64) -> Result<u64, RpcError> {
    let wanted = match overrides.number {
        Some(number) => number.0,
        None => U256::from(before).saturating_add(U256::from(1)),
    };
    if wanted <= U256::from(before) {
        return Err(error::number_order(wanted, before));
    }
    if wanted - U256::from(base) > U256::from(BLOCKS_MAX) {
        return Err(error::too_many_blocks());
    }
    u64::try_from(wanted).map_err(|_| error::too_many_blocks())
}

fn later(time: u64) -> Result<u64, RpcError> {
    let overflow = || RpcError::InvalidParams("block timestamp exceeds 64 bits".into());
    time.checked_add(INTERVAL_SECS).ok_or_else(overflow)
}

impl PlannedBlock {
    fn empty(number: u64, time: u64) -> Self {
        let overrides = BlockOverrides {
            number: Some(BigQuantity(U256::from(number))),
            time: Some(Quantity(time)),
            ..BlockOverrides::default()
        };
        Self { number, time, overrides, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn planned(blocks: Value) -> Result<Vec<(u64, u64)>, RpcError> {
        let blocks: Vec<BlockCalls> = serde_json::from_value(blocks).unwrap();
        let planned = plan(blocks, 10, 100)?;
        Ok(planned.iter().map(|block| (block.number, block.time)).collect())
    }

    #[test]
    fn gaps_are_filled_twelve_seconds_apart() {
        let blocks = json!([{"blockOverrides": {"number": "0xd"}}, {}]);
        assert_eq!(planned(blocks).unwrap(), [(11, 112), (12, 124), (13, 136), (14, 148)]);
    }

    #[test]
    fn numbers_and_times_must_ascend() {
        let code = |blocks| planned(blocks).unwrap_err().code();
        assert_eq!(code(json!([{"blockOverrides": {"number": "0xa"}}])), -38020);
        assert_eq!(code(json!([{"blockOverrides": {"time": "0x64"}}])), -38021);
        let twice = json!([
            {"blockOverrides": {"time": "0x70"}}, {"blockOverrides": {"time": "0x70"}}
        ]);
        let error = planned(twice).unwrap_err();
        assert_eq!(error.to_string(), "block timestamps must be in order: 112 <= 112");
    }

    #[test]
    fn no_more_blocks_than_the_limit_are_planned() {
        let code = |blocks| planned(blocks).unwrap_err().code();
        assert_eq!(code(json!([{"blockOverrides": {"number": "0x10b"}}])), -38026);
        assert_eq!(planned(json!([{"blockOverrides": {"number": "0x10a"}}])).unwrap().len(), 256);
        let huge = format!("0x{}", "f".repeat(64));
        assert_eq!(code(json!([{"blockOverrides": {"number": huge}}])), -38026);
    }

    #[test]
    fn times_beyond_64_bits_are_refused() {
        let blocks = json!([{"blockOverrides": {"time": "0xffffffffffffffff"}}, {}]);
        assert_eq!(planned(blocks).unwrap_err().code(), -32602);
    }
}
