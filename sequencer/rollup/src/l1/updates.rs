//! Updates of the system configuration: what the `SystemConfig` contract logs (OP specification:
//! System config).
//!
//! # Format
//! `ConfigUpdate(uint256 indexed version, uint8 indexed updateType, bytes data)`, version 0. Data
//! is one word each, of type 1 two:
//!
//! | type | value | word |
//! |---|---|---|
//! | 0 | batcher | address |
//! | 1 | fee scalars | overhead (ignored), scalar of version 0 or 1 |
//! | 2 | gas limit | `u64` |
//! | 3 | unsafe block signer | address; not part of derivation |
//! | 4 | EIP-1559 parameters | denominator in bytes 24–27, elasticity in bytes 28–31 |
//! | 5 | operator fee | scalar in bytes 20–23, constant in bytes 24–31 |
//! | 6 | minimum base fee | `u64` |
//! | 7 | DA footprint scalar | `u16` |
//!
//! An update that does not have this form, or is of another version or type, changes nothing.

use alloy_primitives::{Address, B256, Log, U256, b256};

use super::L1Block;
use super::deposits::abi_bytes;
use crate::{Eip1559Params, L2BlockRef, OperatorFeeParams, SystemConfig};

/// Topic of `ConfigUpdate(uint256,uint8,bytes)`.
pub const CONFIG_UPDATE: B256 =
    b256!("1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");

/// A change of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigUpdate {
    /// The account whose batches count.
    Batcher(Address),
    /// The word with the fee scalars.
    FeeScalars(B256),
    /// Gas limit of L2 blocks.
    GasLimit(u64),
    /// Who signs unsafe blocks; derivation does not know it.
    UnsafeBlockSigner(Address),
    /// Denominator and elasticity.
    Eip1559(Eip1559Params),
    /// Operator fee.
    OperatorFee(OperatorFeeParams),
    /// Lowest base fee in wei.
    MinBaseFee(u64),
    /// DA footprint of one estimated byte in gas.
    DaFootprint(u16),
}

impl SystemConfig {
    /// The configuration of a block on `origin` whose parent was built with this one.
    #[must_use]
    pub fn on_origin(mut self, parent: &L2BlockRef, origin: &L1Block) -> Self {
        if parent.l1_origin.number != origin.number {
            origin.config_updates.iter().for_each(|update| self.apply(update));
        }
        self
    }

    /// Takes an update over.
    pub fn apply(&mut self, update: &ConfigUpdate) {
        match *update {
            ConfigUpdate::Batcher(batcher) => self.batcher = batcher,
            ConfigUpdate::FeeScalars(scalar) => {
                self.overhead = B256::ZERO;
                self.scalar = scalar;
            }
            ConfigUpdate::GasLimit(gas_limit) => self.gas_limit = gas_limit,
            ConfigUpdate::UnsafeBlockSigner(_) => {}
            ConfigUpdate::Eip1559(params) => self.eip1559 = params,
            ConfigUpdate::OperatorFee(params) => self.operator_fee = params,
            ConfigUpdate::MinBaseFee(fee) => self.min_base_fee = fee,
            ConfigUpdate::DaFootprint(scalar) => self.da_footprint_gas_scalar = scalar,
        }
    }
}

/// The update that a log of the contract describes; `None` where the log changes nothing.
pub fn config_update_from_log(log: &Log) -> Option<ConfigUpdate> {
    let &[CONFIG_UPDATE, version, kind] = log.topics() else { return None };
    if !version.is_zero() {
        return None;
    }
    let content = abi_bytes(&log.data.data)?;
    // Exactly one word or two: nothing is left over behind the content.
    if log.data.data.len() != 64 + content.len() {
        return None;
    }
    let kind: u8 = U256::from_be_bytes(kind.0).try_into().ok()?;
    if kind == 1 {
        let words: &[u8; 64] = content.try_into().ok()?;
        let (_, scalar) = words.split_last_chunk::<32>()?;
        return fee_scalars(B256::new(*scalar)).map(ConfigUpdate::FeeScalars);
    }
    update(kind, B256::new(*<&[u8; 32]>::try_from(content).ok()?))
}

fn update(kind: u8, word: B256) -> Option<ConfigUpdate> {
    let number = U256::from_be_bytes(word.0);
    Some(match kind {
        0 => ConfigUpdate::Batcher(address(word)?),
        2 => ConfigUpdate::GasLimit(number.try_into().ok()?),
        3 => ConfigUpdate::UnsafeBlockSigner(address(word)?),
        4 => ConfigUpdate::Eip1559(eip1559(number)?),
        5 => ConfigUpdate::OperatorFee(OperatorFeeParams {
            scalar: ((number >> 64usize) & U256::from(u32::MAX)).to(),
            constant: (number & U256::from(u64::MAX)).to(),
        }),
        6 => ConfigUpdate::MinBaseFee(number.try_into().ok()?),
        7 => ConfigUpdate::DaFootprint(number.try_into().ok()?),
        _ => return None,
    })
}

fn address(word: B256) -> Option<Address> {
    let address = Address::from_word(word);
    (address.into_word() == word).then_some(address)
}

/// The contract refuses zeros. One zero beside a number would make every later block invalid, so
/// it counts as malformed; two zeros mean the constants of the chain.
fn eip1559(number: U256) -> Option<Eip1559Params> {
    let params = Eip1559Params {
        denominator: ((number >> 32usize) & U256::from(u32::MAX)).to(),
        elasticity: (number & U256::from(u32::MAX)).to(),
    };
    ((params.denominator == 0) == (params.elasticity == 0)).then_some(params)
}

/// Padding between the version byte and the scalars must be zero.
fn fee_scalars(word: B256) -> Option<B256> {
    let scalars = match word.0.first()? {
        0 => 28,
        1 => 24,
        _ => return None,
    };
    word.0.get(1..scalars)?.iter().all(|byte| *byte == 0).then_some(word)
}

#[cfg(test)]
#[path = "updates_tests.rs"]
pub(crate) mod tests;
