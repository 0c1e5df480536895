//! What a transaction pays for its data on L1 (OP specification, L1 cost since Ecotone and Fjord).

use alloy_op_evm::spec_by_timestamp_after_bedrock;
use alloy_primitives::U256;
use cairn_primitives::{ChainSpec, DEPOSIT_TX_TYPE, L1Attributes};
use op_revm::{L1BlockInfo, OpSpecId, estimate_tx_compressed_size};

/// Compressed sizes are estimated in millionths of a byte.
const SIZE_UNIT: u64 = 1_000_000;
/// Gas of a byte of calldata that is not zero.
const CALLDATA_GAS: u64 = 16;

/// How large a transaction is estimated to be once it is compressed into a batch, in millionths of a
/// byte (OP specification, Fjord). Estimating compresses the transaction: do it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DaSize(u64);

impl DaSize {
    /// The size of a transaction in its EIP-2718 form.
    pub fn estimate(encoded: &[u8]) -> Self {
        Self(estimate_tx_compressed_size(encoded))
    }

    /// A size that was estimated before, in millionths of a byte.
    pub const fn from_millionths(size: u64) -> Self {
        Self(size)
    }

    /// Millionths of a byte.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// Whole bytes.
    pub const fn bytes(self) -> u64 {
        self.0 / SIZE_UNIT
    }

    /// L1 data fee since Fjord, wei: `size * (16 * baseFee * baseFeeScalar + blobBaseFee *
    /// blobBaseFeeScalar) / 1e12`.
    pub(crate) fn l1_fee(self, info: &L1BlockInfo) -> U256 {
        let calldata = info.l1_base_fee.saturating_mul(U256::from(CALLDATA_GAS));
        let calldata = calldata.saturating_mul(info.l1_base_fee_scalar);
        let blob = info.l1_blob_base_fee.unwrap_or_default();
        let blob = blob.saturating_mul(info.l1_blob_base_fee_scalar.unwrap_or_default());
        let per_byte = calldata.saturating_add(blob);
        U256::from(self.0).saturating_mul(per_byte) / U256::from(SIZE_UNIT * SIZE_UNIT)
    }
}

/// The L1 part of one transaction's cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TxL1Fee {
    /// L1 data fee, wei.
    pub fee: U256,
    /// L1 gas that the data would take as calldata.
    pub gas_used: U256,
    /// DA footprint in gas, from Jovian on.
    pub da_footprint: Option<u64>,
    /// Whether the chain charges an operator fee (Isthmus): receipts show its parameters then.
    pub operator_fee: bool,
}

impl TxL1Fee {
    /// The fee of a transaction in a block at `timestamp` whose first transaction carries
    /// `attributes`. `encoded` is the EIP-2718 form. A deposit pays nothing.
    pub fn new(
        spec: &ChainSpec,
        timestamp: u64,
        attributes: &L1Attributes,
        encoded: &[u8],
    ) -> Self {
        let fork = spec_by_timestamp_after_bedrock(spec, timestamp);
        let mut info = block_info(attributes);
        let jovian = fork.is_enabled_in(OpSpecId::JOVIAN);
        let size = DaSize::estimate(encoded);
        let footprint = size
            .bytes()
            .saturating_mul(attributes.system.effective_da_footprint_gas_scalar().into());
        // Since Fjord as op-revm reckons both, without estimating the size twice more.
        let gas_used = if fork.is_enabled_in(OpSpecId::FJORD) {
            info.tx_l1_cost = Some(size.l1_fee(&info));
            U256::from(size.0.saturating_mul(CALLDATA_GAS) / SIZE_UNIT)
        } else {
            info.data_gas(encoded, fork)
        };
        let system = &attributes.system;
        let charged = system.operator_fee_scalar != 0 || system.operator_fee_constant != 0;
        // Deposits pay nothing, whatever was reckoned.
        let free = encoded.first().is_none_or(|ty| *ty == DEPOSIT_TX_TYPE);
        Self {
            fee: if free { U256::ZERO } else { info.calculate_tx_l1_cost(encoded, fork) },
            gas_used,
            da_footprint: jovian.then_some(footprint),
            operator_fee: charged && fork.is_enabled_in(OpSpecId::ISTHMUS),
        }
    }
}

/// Everything that a transaction can be charged beyond gas, in wei: L1 data fee, and operator fee
/// on its whole gas limit. `size` is that of `encoded`.
pub fn rollup_fee(
    spec: &ChainSpec,
    timestamp: u64,
    attributes: &L1Attributes,
    encoded: &[u8],
    size: DaSize,
    gas_limit: u64,
) -> U256 {
    let fork = spec_by_timestamp_after_bedrock(spec, timestamp);
    let mut info = block_info(attributes);
    if fork.is_enabled_in(OpSpecId::FJORD) {
        info.tx_l1_cost = Some(size.l1_fee(&info));
    }
    info.tx_cost(encoded, U256::from(gas_limit), fork)
}

fn block_info(attributes: &L1Attributes) -> L1BlockInfo {
    let L1Attributes { origin, system, .. } = attributes;
    L1BlockInfo {
        l1_base_fee: origin.base_fee,
        l1_base_fee_scalar: U256::from(system.base_fee_scalar),
        l1_blob_base_fee: Some(origin.blob_base_fee),
        l1_blob_base_fee_scalar: Some(U256::from(system.blob_base_fee_scalar)),
        operator_fee_scalar: Some(U256::from(system.operator_fee_scalar)),
        operator_fee_constant: Some(U256::from(system.operator_fee_constant)),
        ..L1BlockInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jovian() -> ChainSpec {
        let genesis = serde_json::json!({
            "config": {
                "chainId": 901, "bedrockBlock": 0, "regolithTime": 0, "canyonTime": 0,
                "ecotoneTime": 0, "fjordTime": 0, "graniteTime": 0, "holoceneTime": 0,
                "isthmusTime": 0, "jovianTime": 0,
                "optimism": {"eip1559Elasticity": 6, "eip1559Denominator": 50}
            },
            "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": {}
        });
        ChainSpec::from_genesis(&serde_json::from_value(genesis).unwrap()).unwrap()
    }

    #[test]
    fn the_fee_follows_the_fjord_formula_at_the_minimum_size() {
        let mut attributes = L1Attributes::default();
        attributes.origin.base_fee = U256::from(1_000_000_000u64);
        attributes.origin.blob_base_fee = U256::from(10_000_000u64);
        attributes.system.base_fee_scalar = 2_000;
        attributes.system.blob_base_fee_scalar = 500_000;
        let fee = TxL1Fee::new(&jovian(), 0, &attributes, &[2; 80]);
        // 100 bytes at least: 100e6 * (2000 * 1e9 * 16 + 500000 * 1e7) / 1e12.
        assert_eq!(fee.fee, U256::from(3_700_000_000u64));
        assert_eq!(fee.gas_used, U256::from(1_600));
        assert_eq!(fee.da_footprint, Some(100 * 400));
        assert!(!fee.operator_fee, "both of its parameters are zero");
        attributes.system.operator_fee_constant = 1;
        assert!(TxL1Fee::new(&jovian(), 0, &attributes, &[2; 80]).operator_fee);
    }

    #[test]
    fn a_fee_from_a_size_is_the_one_that_op_revm_reckons() {
        let mut attributes = L1Attributes::default();
        attributes.origin.base_fee = U256::from(1_234_567_891u64);
        attributes.origin.blob_base_fee = U256::from(98_765_431u64);
        attributes.system.base_fee_scalar = 2_269;
        attributes.system.blob_base_fee_scalar = 1_055_762;
        for len in [1usize, 80, 120, 700, 5_000] {
            let encoded: Vec<u8> =
                (0..len).map(|i| 2u8.wrapping_add((i * i % 251) as u8)).collect();
            let mut info = block_info(&attributes);
            let theirs = info.calculate_tx_l1_cost(&encoded, OpSpecId::JOVIAN);
            let info = block_info(&attributes);
            assert_eq!(DaSize::estimate(&encoded).l1_fee(&info), theirs, "{len} bytes");
        }
    }

    #[test]
    fn a_deposit_pays_no_l1_fee() {
        let mut attributes = L1Attributes::default();
        attributes.origin.base_fee = U256::from(1_000_000_000u64);
        attributes.system.base_fee_scalar = 2_000;
        assert_eq!(TxL1Fee::new(&jovian(), 0, &attributes, &[0x7e; 80]).fee, U256::ZERO);
    }
}
