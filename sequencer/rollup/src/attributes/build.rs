use alloy_primitives::{Address, B256, Bytes, address};
use cairn_primitives::{L1Attributes, L1AttributesFormat};
use op_alloy_consensus::TxDeposit;

use crate::l1::L1Block;
use crate::{L2BlockRef, RollupConfig, SystemConfig};

/// Receiver of tips.
pub const SEQUENCER_FEE_VAULT: Address = address!("0x4200000000000000000000000000000000000011");
/// Version byte of extra data with EIP-1559 parameters (Holocene).
const HOLOCENE_EXTRA_DATA: u8 = 0;
/// Version byte of extra data with the minimum base fee too (Jovian).
const JOVIAN_EXTRA_DATA: u8 = 1;

/// What the next block is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RollupAttributes {
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// Receiver of tips.
    pub fee_recipient: Address,
    /// Randomness of the L1 origin.
    pub prev_randao: B256,
    /// Parent beacon block root of the L1 origin.
    pub parent_beacon_block_root: B256,
    /// Gas limit.
    pub gas_limit: u64,
    /// EIP-1559 parameters of the block after: `version ‖ denominator (4) ‖ elasticity (4)`, since
    /// Jovian also `‖ minimum base fee (8)`.
    pub extra_data: Bytes,
    /// The L1-attributes transaction, then the deposits of the origin if the block is its first.
    pub deposits: Vec<TxDeposit>,
    /// EIP-2718 transactions of the batch, not decoded: one of them may be no transaction at all,
    /// and then the block is invalid.
    pub transactions: Vec<Bytes>,
    /// Whether these transactions are all. The sequencer may add others where it is false.
    pub no_tx_pool: bool,
}

/// What attributes follow from.
#[derive(Debug, Clone, Copy)]
pub struct AttributesInput<'a> {
    /// The parent block.
    pub parent: &'a L2BlockRef,
    /// The L1 origin: that of the parent or the next L1 block.
    pub origin: &'a L1Block,
    /// System configuration as of the origin, its own updates included.
    pub system_config: &'a SystemConfig,
}

impl RollupAttributes {
    /// Attributes of the block after `input.parent`, without transactions but its deposits.
    pub fn new(config: &RollupConfig, input: AttributesInput<'_>) -> Self {
        let AttributesInput { parent, origin, system_config } = input;
        let timestamp = parent.timestamp.saturating_add(config.block_time);
        let first = parent.l1_origin.number != origin.number;
        let sequence_number = if first { 0 } else { parent.sequence_number.saturating_add(1) };
        let attributes = L1Attributes {
            origin: origin.origin(),
            sequence_number,
            system: system_config.attributes(),
        };
        // The activation block still calls the old setter: `L1Block` is upgraded within it.
        let format = match config.is_jovian(parent.timestamp) {
            true => L1AttributesFormat::Jovian,
            false => L1AttributesFormat::Isthmus,
        };
        let mut deposits = vec![attributes.to_deposit(format)];
        if first {
            deposits.extend(origin.deposits.iter().cloned());
        }
        Self {
            timestamp,
            fee_recipient: SEQUENCER_FEE_VAULT,
            prev_randao: origin.prev_randao,
            parent_beacon_block_root: origin.parent_beacon_block_root,
            gas_limit: system_config.gas_limit,
            extra_data: extra_data(config, system_config, timestamp),
            deposits,
            transactions: Vec::new(),
            no_tx_pool: true,
        }
    }

    /// The same block with its deposits alone (Holocene: what replaces a block that does not
    /// execute).
    #[must_use]
    pub fn deposits_only(mut self) -> Self {
        self.transactions.clear();
        self.no_tx_pool = true;
        self
    }
}

/// Extra data of a block. Parameters that are both zero stand for those of the chain's
/// configuration, which are written instead.
fn extra_data(config: &RollupConfig, system_config: &SystemConfig, timestamp: u64) -> Bytes {
    let set = system_config.eip1559;
    let (denominator, elasticity) = match (set.denominator, set.elasticity) {
        (0, 0) => (
            config.chain_op_config.eip1559_denominator_canyon,
            config.chain_op_config.eip1559_elasticity,
        ),
        set => set,
    };
    let jovian = config.is_jovian(timestamp);
    let mut data = vec![if jovian { JOVIAN_EXTRA_DATA } else { HOLOCENE_EXTRA_DATA }];
    data.extend(denominator.to_be_bytes());
    data.extend(elasticity.to_be_bytes());
    if jovian {
        data.extend(system_config.min_base_fee.to_be_bytes());
    }
    data.into()
}
