//! What the next block demands of a transaction.

use alloy_hardforks::EthereumHardforks;
use cairn_primitives::ChainSpec;

/// Gas that the L1-attributes deposit takes from every block, as op-geth reckons it
/// (`core/txpool/validation.go`, `l1InfoGasOverhead`).
const L1_INFO_GAS: u64 = 70_000;

/// Rules, fees and limits of the block that will be built next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockConditions {
    /// Chain id (EIP-155).
    pub chain_id: u64,
    /// Base fee, wei per gas.
    pub base_fee: u64,
    /// Blob base fee, wei per blob gas; zero where there are no blobs.
    pub blob_base_fee: u128,
    /// Most gas one transaction can get in a block.
    pub gas_limit: u64,
    /// Most blobs of one transaction; zero refuses blob transactions.
    pub max_blobs: usize,
    /// Contract creation costs 32,000 more gas (Homestead, EIP-2).
    pub homestead: bool,
    /// Calldata costs 16 gas a byte instead of 68 (Istanbul, EIP-2028).
    pub istanbul: bool,
    /// Access lists (Berlin, EIP-2930).
    pub berlin: bool,
    /// Dynamic fees (London, EIP-1559).
    pub london: bool,
    /// Init code is limited and metered (Shanghai, EIP-3860).
    pub shanghai: bool,
    /// Set-code transactions and the calldata floor (Prague, EIP-7702, EIP-7623).
    pub prague: bool,
    /// Gas cap of one transaction (Osaka, EIP-7825).
    pub osaka: bool,
}

impl BlockConditions {
    /// Conditions of block `number` at `timestamp`. `gas_limit` is the block's; under OP rules the
    /// share of the L1-attributes deposit is taken off. `blob_base_fee` is ignored there.
    pub fn new(
        spec: &ChainSpec,
        number: u64,
        timestamp: u64,
        base_fee: u64,
        blob_base_fee: u128,
        gas_limit: u64,
    ) -> Self {
        let max_blobs = spec
            .blob_params(timestamp)
            .map_or(0, |p| usize::try_from(p.max_blobs_per_tx).unwrap_or(0));
        Self {
            chain_id: spec.chain_id(),
            base_fee,
            blob_base_fee: if max_blobs == 0 { 0 } else { blob_base_fee },
            gas_limit: if spec.is_optimism() {
                gas_limit.saturating_sub(L1_INFO_GAS)
            } else {
                gas_limit
            },
            max_blobs,
            homestead: spec.is_homestead_active_at_block(number),
            istanbul: spec.is_istanbul_active_at_block(number),
            berlin: spec.is_berlin_active_at_block(number),
            london: spec.is_london_active_at_block(number),
            shanghai: spec.is_shanghai_active_at_timestamp(timestamp),
            prague: spec.is_prague_active_at_timestamp(timestamp),
            osaka: spec.is_osaka_active_at_timestamp(timestamp),
        }
    }
}
