//! Header rules: a header against its parent, before anything is executed.

use alloy_consensus::EMPTY_OMMER_ROOT_HASH;
use alloy_eips::eip1559::GAS_LIMIT_BOUND_DIVISOR;
use alloy_hardforks::EthereumHardforks;
use alloy_op_hardforks::OpHardforks;
use alloy_primitives::U256;
use cairn_primitives::{ChainSpec, Header};

use crate::error::HeaderError;

const MAX_EXTRA_DATA: usize = 32;

/// Largest gas limit of any chain, `2^63 - 1`, as geth has it.
const MAX_GAS_LIMIT: u64 = i64::MAX.cast_unsigned();
/// Lowest gas limit of any block (yellow paper, 4.3.4).
const MIN_GAS_LIMIT: u64 = 5000;

/// Whether a block may carry its parent's timestamp, as it must on a chain with several blocks a
/// second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampRule {
    /// Each timestamp is greater than the last, as everywhere else.
    #[default]
    Increasing,
    /// A timestamp may repeat.
    NonDecreasing,
}

/// Checks every header field that does not need the body or execution.
pub fn validate_header(
    spec: &ChainSpec,
    header: &Header,
    parent: &Header,
    timestamps: TimestampRule,
) -> Result<(), HeaderError> {
    if Some(header.number) != parent.number.checked_add(1) {
        return Err(HeaderError::Number { got: header.number, parent: parent.number });
    }
    let in_order = match timestamps {
        TimestampRule::Increasing => header.timestamp > parent.timestamp,
        TimestampRule::NonDecreasing => header.timestamp >= parent.timestamp,
    };
    if !in_order {
        return Err(HeaderError::Timestamp { got: header.timestamp, parent: parent.timestamp });
    }
    if header.gas_used > header.gas_limit {
        return Err(HeaderError::GasUsed { used: header.gas_used, limit: header.gas_limit });
    }
    if header.gas_limit > MAX_GAS_LIMIT {
        return Err(HeaderError::GasLimit { got: header.gas_limit, parent: parent.gas_limit });
    }
    validate_extra_data(spec, header)?;
    validate_fees(spec, header, parent)?;
    validate_merge_fields(spec, header)?;
    validate_fork_fields(spec, header)?;
    validate_blob_fields(spec, header, parent)
}

fn validate_extra_data(spec: &ChainSpec, header: &Header) -> Result<(), HeaderError> {
    let len = header.extra_data.len();
    let invalid = |reason: String| Err(HeaderError::ExtraData { len, reason });
    if len > MAX_EXTRA_DATA {
        return invalid(format!("longer than {MAX_EXTRA_DATA}"));
    }
    let mut parameters = None;
    if spec.is_jovian_active_at_timestamp(header.timestamp) {
        match op_alloy_consensus::decode_jovian_extra_data(&header.extra_data) {
            Ok((elasticity, denominator, _)) => parameters = Some((elasticity, denominator)),
            Err(e) => return invalid(e.to_string()),
        }
    } else if spec.is_holocene_active_at_timestamp(header.timestamp) {
        match op_alloy_consensus::decode_holocene_extra_data(&header.extra_data) {
            Ok(pair) => parameters = Some(pair),
            Err(e) => return invalid(e.to_string()),
        }
    }
    match parameters {
        Some((0, _) | (_, 0)) => invalid("elasticity and denominator must not be zero".into()),
        _ => Ok(()),
    }
}

fn validate_fees(spec: &ChainSpec, header: &Header, parent: &Header) -> Result<(), HeaderError> {
    let base_fee = spec.next_base_fee(parent, header.timestamp)?;
    prescribed("baseFeePerGas", &header.base_fee_per_gas, &base_fee)?;
    // OP chains set the gas limit from SystemConfig, without a bound on its change.
    if spec.is_optimism() {
        return Ok(());
    }
    let elastic_start = spec.is_london_active_at_block(header.number)
        && !spec.is_london_active_at_block(parent.number);
    let before = if elastic_start { parent.gas_limit.saturating_mul(2) } else { parent.gas_limit };
    if header.gas_limit.abs_diff(before) >= before / GAS_LIMIT_BOUND_DIVISOR
        && header.gas_limit != before
        || header.gas_limit < MIN_GAS_LIMIT
    {
        return Err(HeaderError::GasLimit { got: header.gas_limit, parent: parent.gas_limit });
    }
    Ok(())
}

/// Proof-of-stake headers have no work in them (EIP-3675). Blocks from before the merge are taken
/// on trust: their seal is not checked.
fn validate_merge_fields(spec: &ChainSpec, header: &Header) -> Result<(), HeaderError> {
    let post_merge = spec.is_paris_active_at_block(header.number);
    if !post_merge {
        return Ok(());
    }
    prescribed("difficulty", &header.difficulty, &U256::ZERO)?;
    prescribed("nonce", &header.nonce, &Default::default())?;
    prescribed("sha3Uncles", &header.ommers_hash, &EMPTY_OMMER_ROOT_HASH)
}

fn validate_fork_fields(spec: &ChainSpec, header: &Header) -> Result<(), HeaderError> {
    let time = header.timestamp;
    let shanghai = spec.is_shanghai_active_at_timestamp(time);
    let cancun = spec.is_cancun_active_at_timestamp(time);
    let prague = spec.is_prague_active_at_timestamp(time);
    present("withdrawalsRoot", header.withdrawals_root.is_some(), shanghai)?;
    present("parentBeaconBlockRoot", header.parent_beacon_block_root.is_some(), cancun)?;
    present("blobGasUsed", header.blob_gas_used.is_some(), cancun)?;
    present("excessBlobGas", header.excess_blob_gas.is_some(), cancun)?;
    present("requestsHash", header.requests_hash.is_some(), prague)
}

fn validate_blob_fields(
    spec: &ChainSpec,
    header: &Header,
    parent: &Header,
) -> Result<(), HeaderError> {
    let (Some(excess), Some(used)) = (header.excess_blob_gas, header.blob_gas_used) else {
        return Ok(());
    };
    if spec.is_optimism() {
        prescribed("excessBlobGas", &excess, &0)?;
        // Since Jovian the field holds the DA footprint, which execution checks.
        if !spec.is_jovian_active_at_timestamp(header.timestamp) {
            prescribed("blobGasUsed", &used, &0)?;
        }
        return Ok(());
    }
    let Some(params) = spec.blob_params(header.timestamp) else { return Ok(()) };
    let want = parent.next_block_excess_blob_gas(params).unwrap_or(0);
    prescribed("excessBlobGas", &excess, &want)?;
    let most = params.max_blob_gas_per_block();
    if used > most || !used.is_multiple_of(alloy_eips::eip4844::DATA_GAS_PER_BLOB) {
        return Err(HeaderError::Field {
            field: "blobGasUsed",
            got: used.to_string(),
            want: format!("a multiple of a blob's gas, at most {most}"),
        });
    }
    Ok(())
}

fn prescribed<T: PartialEq + std::fmt::Debug>(
    field: &'static str,
    got: &T,
    want: &T,
) -> Result<(), HeaderError> {
    if got == want {
        return Ok(());
    }
    Err(HeaderError::Field { field, got: format!("{got:?}"), want: format!("{want:?}") })
}

fn present(field: &'static str, got: bool, want: bool) -> Result<(), HeaderError> {
    let word = |present: bool| if present { "present" } else { "absent" }.to_string();
    if got == want {
        return Ok(());
    }
    Err(HeaderError::Field { field, got: word(got), want: word(want) })
}
