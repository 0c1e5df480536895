//! What a block to be built starts from.

use alloy_primitives::{Address, B256, U256, address, keccak256};
use cairn_evm::BlockAttributes;
use cairn_primitives::{
    ChainSpec, Header, L1Attributes, L1AttributesFormat, L1Origin, SystemAttributes, TxEnvelope,
};

/// Attributes of the next block: its environment and the transactions that come first.
#[derive(Debug, Clone)]
pub struct PayloadAttributes {
    /// Environment.
    pub block: BlockAttributes,
    /// Deposits, the L1-attributes transaction first. Empty under Ethereum rules.
    pub deposits: Vec<TxEnvelope>,
    /// Whether the block holds nothing but the deposits.
    pub deposits_only: bool,
}

/// Decides what each next block starts from.
pub trait AttributesSource: Send + std::fmt::Debug {
    /// Attributes of the block after `parent`, to be sealed at `timestamp`. An error says why no
    /// block may be built now; the sequencer asks again.
    fn next(&mut self, parent: &Header, timestamp: u64) -> Result<PayloadAttributes, String>;
}

/// Receiver of tips on an OP chain.
const SEQUENCER_FEE_VAULT: Address = address!("0x4200000000000000000000000000000000000011");
/// Seconds between blocks of the synthetic L1.
const L1_BLOCK_SECONDS: u64 = 12;

/// Attributes of a node that runs alone: there is no L1, so each epoch has a synthetic origin,
/// derived from nothing but its number. Bridges do not work on it; everything else does.
#[derive(Debug)]
pub struct DevAttributes {
    spec: std::sync::Arc<ChainSpec>,
    gas_limit: u64,
    genesis_time: u64,
    extra_data: alloy_primitives::Bytes,
    system: SystemAttributes,
    /// Origin and sequence number of the last block asked for.
    last: Option<(u64, u64, u64)>,
}

impl DevAttributes {
    /// Attributes for the chain with that genesis header; gas limit and EIP-1559 parameters stay
    /// what they are there, and `system` what it is here.
    pub fn new(
        spec: std::sync::Arc<ChainSpec>,
        genesis: &Header,
        system: SystemAttributes,
    ) -> Self {
        Self {
            spec,
            gas_limit: genesis.gas_limit,
            genesis_time: genesis.timestamp,
            extra_data: genesis.extra_data.clone(),
            system,
            last: None,
        }
    }

    fn origin(&self, timestamp: u64) -> L1Origin {
        let number = timestamp.saturating_sub(self.genesis_time) / L1_BLOCK_SECONDS;
        L1Origin {
            number,
            hash: synthetic_hash(number),
            timestamp: self.genesis_time.saturating_add(number.saturating_mul(L1_BLOCK_SECONDS)),
            base_fee: U256::from(1_000_000_000u64),
            blob_base_fee: U256::from(1),
        }
    }

    /// Blocks since the first one with this origin.
    fn sequence_number(&mut self, parent: &Header, origin: u64) -> u64 {
        let number = parent.number.saturating_add(1);
        let sequence = match self.last {
            Some((last, last_origin, sequence)) if last_origin == origin => {
                sequence.saturating_add(number.saturating_sub(last))
            }
            Some(_) => 0,
            // After a restart the origin's first block is behind: any number not used before will
            // do, since the origin is synthetic, and the block number is one.
            None => number,
        };
        self.last = Some((number, origin, sequence));
        sequence
    }
}

impl AttributesSource for DevAttributes {
    fn next(&mut self, parent: &Header, timestamp: u64) -> Result<PayloadAttributes, String> {
        let origin = self.origin(timestamp);
        let mut deposits = Vec::new();
        if self.spec.is_optimism() {
            let attributes = L1Attributes {
                origin,
                sequence_number: self.sequence_number(parent, origin.number),
                system: self.system,
            };
            let format = L1AttributesFormat::at(&self.spec, parent.timestamp);
            deposits.push(attributes.to_deposit(format).into());
        }
        let block = BlockAttributes {
            timestamp,
            fee_recipient: SEQUENCER_FEE_VAULT,
            prev_randao: keccak256(origin.hash),
            gas_limit: self.gas_limit,
            parent_beacon_block_root: Some(B256::ZERO),
            extra_data: self.extra_data.clone(),
        };
        Ok(PayloadAttributes { block, deposits, deposits_only: false })
    }
}

fn synthetic_hash(number: u64) -> B256 {
    let mut input = b"cairn synthetic L1 origin ".to_vec();
    input.extend_from_slice(&number.to_be_bytes());
    keccak256(input)
}
