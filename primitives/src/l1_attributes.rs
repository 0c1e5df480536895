//! The L1-attributes transaction: what L2 knows of L1.
//!
//! First transaction of every block; a deposit from the depositor account to the `L1Block`
//! predeploy (OP specification: Deposits, and L1 attributes of Isthmus and Jovian).
//!
//! # Format
//! Calldata, packed, big-endian:
//!
//! ```text
//! selector            4   setL1BlockValuesIsthmus() or setL1BlockValuesJovian()
//! baseFeeScalar       4   ─┐
//! blobBaseFeeScalar   4    │
//! sequenceNumber      8    │ each group one 32-byte word
//! l1BlockTimestamp    8    │
//! l1BlockNumber       8   ─┘
//! basefee            32
//! blobBaseFee        32
//! l1BlockHash        32
//! batcherHash        32
//! operatorFeeScalar   4
//! operatorFeeConstant 8
//! daFootprintScalar   2   Jovian only
//! ```

use alloy_op_hardforks::OpHardforks;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use op_alloy_consensus::{L1InfoDepositSource, TxDeposit};

use crate::ChainSpec;

/// Sender of the L1-attributes transaction. Nobody holds its key.
pub const L1_ATTRIBUTES_DEPOSITOR: Address = address!("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001");
/// The `L1Block` predeploy, its receiver.
pub const L1_BLOCK_ADDRESS: Address = address!("0x4200000000000000000000000000000000000015");
/// Gas limit of the L1-attributes transaction.
pub const L1_ATTRIBUTES_GAS_LIMIT: u64 = 1_000_000;
/// DA footprint of one byte in gas while the system configuration holds zero (Jovian).
pub const DEFAULT_DA_FOOTPRINT_GAS_SCALAR: u16 = 400;

/// The L1 block that an L2 block is built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct L1Origin {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// Base fee in wei per gas.
    pub base_fee: U256,
    /// Blob base fee in wei per blob gas, 1 where L1 has no blobs.
    pub blob_base_fee: U256,
}

/// The part of the system configuration that reaches L2 in the L1-attributes transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SystemAttributes {
    /// Versioned hash of the batcher; version 0 is its address, left-padded.
    pub batcher_hash: B256,
    /// Millionths of the L1 base fee charged per estimated byte, times 16 (Ecotone).
    pub base_fee_scalar: u32,
    /// Millionths of the L1 blob base fee charged per estimated byte (Ecotone).
    pub blob_base_fee_scalar: u32,
    /// Operator fee per gas, in hundreds of wei (Jovian) or millionths of a wei (Isthmus).
    pub operator_fee_scalar: u32,
    /// Operator fee per transaction in wei.
    pub operator_fee_constant: u64,
    /// DA footprint of one estimated byte in gas (Jovian). Zero means not configured and is
    /// written as [`DEFAULT_DA_FOOTPRINT_GAS_SCALAR`].
    pub da_footprint_gas_scalar: u16,
}

/// Everything that the L1-attributes transaction of one L2 block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct L1Attributes {
    /// The L1 origin.
    pub origin: L1Origin,
    /// Blocks since the first one with this origin.
    pub sequence_number: u64,
    /// System configuration as of the origin.
    pub system: SystemAttributes,
}

/// Which setter of `L1Block` is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum L1AttributesFormat {
    /// `setL1BlockValuesIsthmus()`, 176 bytes.
    Isthmus,
    /// `setL1BlockValuesJovian()`, 178 bytes.
    Jovian,
}

/// Calldata or a transaction that holds no L1 attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum L1AttributesError {
    /// Not a deposit from the depositor account to `L1Block`.
    #[error("no L1-attributes transaction: deposit from {from} to {to:?}")]
    Envelope {
        /// Its sender.
        from: Address,
        /// Its receiver, `None` for a creation.
        to: Option<Address>,
    },
    /// Neither of the two setters, or too short for a selector.
    #[error("calldata of {length} bytes calls neither setL1BlockValuesIsthmus nor -Jovian")]
    Selector {
        /// Bytes of calldata.
        length: usize,
    },
    /// The calldata of a setter has one length only.
    #[error("{format:?} L1 attributes have {} bytes, not {actual}", format.length())]
    Length {
        /// Setter called.
        format: L1AttributesFormat,
        /// Bytes of calldata.
        actual: usize,
    },
}

impl L1AttributesFormat {
    /// The format in the block whose parent is at `parent_timestamp`, for chains
    /// that have Isthmus. The activation block of Jovian still has the old one, since `L1Block`
    /// is upgraded later in that same block.
    pub fn at(spec: &ChainSpec, parent_timestamp: u64) -> Self {
        if spec.is_jovian_active_at_timestamp(parent_timestamp) {
            Self::Jovian
        } else {
            Self::Isthmus
        }
    }

    /// First four bytes of the hash of the setter's signature.
    pub const fn selector(self) -> [u8; 4] {
        match self {
            Self::Isthmus => [0x09, 0x89, 0x99, 0xbe],
            Self::Jovian => [0x3d, 0xb6, 0xbe, 0x2b],
        }
    }

    /// Bytes of calldata, selector included.
    pub const fn length(self) -> usize {
        match self {
            Self::Isthmus => 176,
            Self::Jovian => 178,
        }
    }
}

impl L1Attributes {
    /// The deposit that carries them.
    pub fn to_deposit(self, format: L1AttributesFormat) -> TxDeposit {
        let source = L1InfoDepositSource::new(self.origin.hash, self.sequence_number);
        TxDeposit {
            source_hash: source.source_hash(),
            from: L1_ATTRIBUTES_DEPOSITOR,
            to: TxKind::Call(L1_BLOCK_ADDRESS),
            mint: 0,
            value: U256::ZERO,
            gas_limit: L1_ATTRIBUTES_GAS_LIMIT,
            is_system_transaction: false,
            input: self.to_calldata(format),
        }
    }

    /// Reads the attributes out of a deposit, whichever format it has.
    pub fn from_deposit(tx: &TxDeposit) -> Result<Self, L1AttributesError> {
        let to = tx.to.to().copied();
        if tx.from != L1_ATTRIBUTES_DEPOSITOR || to != Some(L1_BLOCK_ADDRESS) {
            return Err(L1AttributesError::Envelope { from: tx.from, to });
        }
        Self::from_calldata(&tx.input).map(|(attributes, _)| attributes)
    }

    /// Calldata of the setter.
    pub fn to_calldata(self, format: L1AttributesFormat) -> Bytes {
        let mut data = Vec::with_capacity(format.length());
        data.extend(format.selector());
        data.extend(self.system.base_fee_scalar.to_be_bytes());
        data.extend(self.system.blob_base_fee_scalar.to_be_bytes());
        data.extend(self.sequence_number.to_be_bytes());
        data.extend(self.origin.timestamp.to_be_bytes());
        data.extend(self.origin.number.to_be_bytes());
        data.extend(self.origin.base_fee.to_be_bytes::<32>());
        data.extend(self.origin.blob_base_fee.to_be_bytes::<32>());
        data.extend(self.origin.hash);
        data.extend(self.system.batcher_hash);
        data.extend(self.system.operator_fee_scalar.to_be_bytes());
        data.extend(self.system.operator_fee_constant.to_be_bytes());
        if format == L1AttributesFormat::Jovian {
            data.extend(self.system.effective_da_footprint_gas_scalar().to_be_bytes());
        }
        debug_assert_eq!(data.len(), format.length());
        data.into()
    }

    /// Reads calldata of either setter. Isthmus calldata leaves the DA footprint scalar zero.
    pub fn from_calldata(data: &[u8]) -> Result<(Self, L1AttributesFormat), L1AttributesError> {
        use L1AttributesFormat::{Isthmus, Jovian};
        let format = [Isthmus, Jovian]
            .into_iter()
            .find(|format| data.starts_with(&format.selector()))
            .ok_or(L1AttributesError::Selector { length: data.len() })?;
        let mut fields = Fields(data.get(4..).unwrap_or_default());
        let attributes = fields.attributes(format).filter(|_| fields.0.is_empty());
        let actual = data.len();
        attributes
            .map(|attributes| (attributes, format))
            .ok_or(L1AttributesError::Length { format, actual })
    }
}

impl SystemAttributes {
    /// The hash of version 0, which names the batcher by its address.
    pub fn batcher_hash_of(batcher: Address) -> B256 {
        batcher.into_word()
    }

    /// The DA footprint scalar that holds: the configured one, or the default where it is zero.
    pub const fn effective_da_footprint_gas_scalar(&self) -> u16 {
        match self.da_footprint_gas_scalar {
            0 => DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
            configured => configured,
        }
    }
}

/// What is left to read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn attributes(&mut self, format: L1AttributesFormat) -> Option<L1Attributes> {
        let base_fee_scalar = u32::from_be_bytes(self.take()?);
        let blob_base_fee_scalar = u32::from_be_bytes(self.take()?);
        let sequence_number = u64::from_be_bytes(self.take()?);
        let origin = L1Origin {
            timestamp: u64::from_be_bytes(self.take()?),
            number: u64::from_be_bytes(self.take()?),
            base_fee: U256::from_be_bytes::<32>(self.take()?),
            blob_base_fee: U256::from_be_bytes::<32>(self.take()?),
            hash: B256::new(self.take()?),
        };
        let system = SystemAttributes {
            batcher_hash: B256::new(self.take()?),
            base_fee_scalar,
            blob_base_fee_scalar,
            operator_fee_scalar: u32::from_be_bytes(self.take()?),
            operator_fee_constant: u64::from_be_bytes(self.take()?),
            da_footprint_gas_scalar: match format {
                L1AttributesFormat::Isthmus => 0,
                L1AttributesFormat::Jovian => u16::from_be_bytes(self.take()?),
            },
        };
        Some(L1Attributes { origin, sequence_number, system })
    }
}

#[cfg(test)]
#[path = "l1_attributes_tests.rs"]
mod tests;
