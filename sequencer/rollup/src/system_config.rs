//! The system configuration: what the chain's operator sets on L1 and derivation follows.

use alloy_primitives::{Address, B256, U256};
use cairn_primitives::SystemAttributes;
use serde::{Deserialize, Serialize};

/// Values of the `SystemConfig` contract as of one L1 block. In `rollup.json` it has op-node's
/// field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemConfig {
    /// The account whose batches count.
    #[serde(rename = "batcherAddr")]
    pub batcher: Address,
    /// Before Ecotone a part of the L1 fee; the event still carries it.
    #[serde(default)]
    pub overhead: B256,
    /// Version byte and the two fee scalars (Ecotone): version 1 has the blob base fee scalar in
    /// bytes 24–27 and the base fee scalar in bytes 28–31, version 0 the base fee scalar alone.
    pub scalar: B256,
    /// Gas limit of L2 blocks.
    pub gas_limit: u64,
    /// EIP-1559 denominator and elasticity (Holocene). Both zero: those of the chain's
    /// configuration.
    #[serde(rename = "eip1559Params", default, with = "eip1559_params")]
    pub eip1559: Eip1559Params,
    /// Operator fee scalar and constant (Isthmus).
    #[serde(rename = "operatorFeeParams", default, with = "operator_fee_params")]
    pub operator_fee: OperatorFeeParams,
    /// Lowest base fee in wei per gas (Jovian).
    #[serde(default)]
    pub min_base_fee: u64,
    /// DA footprint of one estimated byte in gas (Jovian); zero means the default.
    #[serde(default)]
    pub da_footprint_gas_scalar: u16,
}

/// Denominator and elasticity of the base fee's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Eip1559Params {
    /// Largest relative change, as a divisor.
    pub denominator: u32,
    /// Gas limit divided by gas target.
    pub elasticity: u32,
}

/// Scalar and constant of the operator fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OperatorFeeParams {
    /// Fee per gas, in the unit of [`SystemAttributes::operator_fee_scalar`].
    pub scalar: u32,
    /// Fee per transaction in wei.
    pub constant: u64,
}

impl SystemConfig {
    /// The part that reaches L2 in the L1-attributes transaction.
    pub fn attributes(&self) -> SystemAttributes {
        let (base_fee_scalar, blob_base_fee_scalar) = self.fee_scalars();
        SystemAttributes {
            batcher_hash: SystemAttributes::batcher_hash_of(self.batcher),
            base_fee_scalar,
            blob_base_fee_scalar,
            operator_fee_scalar: self.operator_fee.scalar,
            operator_fee_constant: self.operator_fee.constant,
            da_footprint_gas_scalar: self.da_footprint_gas_scalar,
        }
    }

    /// Base fee and blob base fee scalar. An unknown version of the word gives the base fee scalar
    /// alone, as op-node does.
    pub fn fee_scalars(&self) -> (u32, u32) {
        let word = U256::from_be_bytes(self.scalar.0);
        let low = |shift: usize| {
            (word >> shift).as_limbs().first().map_or(0, |limb| (*limb & 0xffff_ffff) as u32)
        };
        match self.scalar.0.first() {
            Some(1) => (low(0), low(32)),
            _ => (low(0), 0),
        }
    }
}

/// Eight bytes in hex: denominator, elasticity.
mod eip1559_params {
    use alloy_primitives::FixedBytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Eip1559Params;

    pub(super) fn serialize<S: Serializer>(
        params: &Eip1559Params,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let word = u64::from(params.denominator) << 32 | u64::from(params.elasticity);
        FixedBytes::<8>::from(word.to_be_bytes()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Eip1559Params, D::Error> {
        let word = u64::from_be_bytes(FixedBytes::<8>::deserialize(deserializer)?.0);
        Ok(Eip1559Params { denominator: (word >> 32) as u32, elasticity: word as u32 })
    }
}

/// A word in hex: scalar in bytes 20–23, constant in bytes 24–31.
mod operator_fee_params {
    use alloy_primitives::B256;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::OperatorFeeParams;

    pub(super) fn serialize<S: Serializer>(
        params: &OperatorFeeParams,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let word = u128::from(params.scalar) << 64 | u128::from(params.constant);
        let mut bytes = B256::ZERO;
        bytes.0[16..].copy_from_slice(&word.to_be_bytes());
        bytes.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OperatorFeeParams, D::Error> {
        let word = B256::deserialize(deserializer)?;
        let mut low = [0; 16];
        low.copy_from_slice(&word.0[16..]);
        let low = u128::from_be_bytes(low);
        Ok(OperatorFeeParams { scalar: (low >> 64) as u32, constant: low as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_field_names_of_op_node() {
        let config = SystemConfig {
            eip1559: Eip1559Params { denominator: 250, elasticity: 6 },
            operator_fee: OperatorFeeParams { scalar: 7, constant: 9 },
            ..SystemConfig::default()
        };
        let json = serde_json::to_value(config).unwrap();
        assert_eq!(json["eip1559Params"], "0x000000fa00000006");
        let word = json["operatorFeeParams"].as_str().unwrap();
        assert!(word.ends_with("000000070000000000000009"), "{word}");
        assert_eq!(serde_json::from_value::<SystemConfig>(json).unwrap(), config);
    }

    #[test]
    fn fee_scalars_depend_on_the_version_of_the_word() {
        let mut scalar = B256::ZERO;
        scalar.0[24..].copy_from_slice(&[0, 0, 0, 5, 0, 0, 0, 3]);
        let config = SystemConfig { scalar, ..SystemConfig::default() };
        assert_eq!(config.fee_scalars(), (3, 0));
        scalar.0[0] = 1;
        let config = SystemConfig { scalar, ..SystemConfig::default() };
        assert_eq!(config.fee_scalars(), (3, 5));
    }
}
