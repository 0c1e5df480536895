//! The genesis of a development chain.

use alloy_eips::eip1559::BaseFeeParams;
use alloy_genesis::{ChainConfig, Genesis};
use alloy_primitives::{Address, B64, B256, U256};
use cairn_primitives::{L1_ATTRIBUTES_GAS_LIMIT, OptimismParams, SystemAttributes};
use op_alloy_consensus::encode_jovian_extra_data;
use serde_json::json;

use crate::alloc::Alloc;
use crate::predeploys::{PredeployOptions, SEQUENCER_FEE_VAULT};
use crate::{DevAccount, DevGenesisError, derive_accounts, predeploys, preinstalls};

/// Fee parameters that a chain without L1 puts into its L1 attributes: the scalars with which OP
/// chains started Ecotone, no operator fee, and a DA footprint of 100 gas for each byte. With the
/// default of 400 a transfer would take twice as much of a block in data as in gas; our own DA
/// network carries more than L1 does.
pub const DEV_SYSTEM: SystemAttributes = SystemAttributes {
    batcher_hash: B256::ZERO,
    base_fee_scalar: 1_368,
    blob_base_fee_scalar: 810_949,
    operator_fee_scalar: 0,
    operator_fee_constant: 0,
    da_footprint_gas_scalar: 100,
};

/// What distinguishes one development chain from another. The defaults make the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevOptions {
    /// Chain id.
    pub chain_id: u64,
    /// Chain id of the L1.
    pub l1_chain_id: u64,
    /// Timestamp of the genesis block in seconds.
    pub timestamp: u64,
    /// Gas limit of the genesis block.
    pub gas_limit: u64,
    /// Base fee of the genesis block in wei per gas.
    pub base_fee: u64,
    /// The base fee never falls below this, in wei per gas (Jovian).
    pub min_base_fee: u64,
    /// Gas limit divided by gas target.
    pub elasticity: u32,
    /// The base fee changes by at most a multiple of its part by this in a block.
    pub base_fee_denominator: u32,
    /// Phrase of the prefunded accounts.
    pub mnemonic: String,
    /// Number of prefunded accounts.
    pub accounts: u32,
    /// What each of them has, in wei.
    pub balance: U256,
    /// Owner of the predeploys; the first account of the mnemonic if `None`.
    pub owner: Option<Address>,
    /// Receiver of the fees that the vaults pay out; the owner if `None`.
    pub fee_recipient: Option<Address>,
    /// Messenger on L1; zero without L1.
    pub l1_messenger: Address,
    /// Bridge of ether and ERC-20 tokens on L1; zero without L1.
    pub l1_standard_bridge: Address,
    /// Bridge of ERC-721 tokens on L1; zero without L1.
    pub l1_erc721_bridge: Address,
    /// When Cairn's own precompiles become active; never if `None`.
    pub cairn_time: Option<u64>,
}

impl Default for DevOptions {
    /// Chain 901 on 31337 with 10 accounts of 10,000 ether.
    ///
    /// A block holds 1,000,000,000 gas, so that gas is not what limits a development machine. The
    /// fee parameters are those of OP Mainnet since Canyon, elasticity 6 and denominator 250: a
    /// full block raises the base fee by 2 %, an empty one lowers it by 0.4 %. It starts at its
    /// minimum of 0.001 gwei and so stays there until blocks are more than a sixth full.
    fn default() -> Self {
        Self {
            chain_id: 901,
            l1_chain_id: 31_337,
            timestamp: 0,
            gas_limit: 1_000_000_000,
            base_fee: 1_000_000,
            min_base_fee: 1_000_000,
            elasticity: 6,
            base_fee_denominator: 250,
            mnemonic: crate::DEV_MNEMONIC.to_owned(),
            accounts: 10,
            balance: U256::from(10_000) * U256::from(10).pow(U256::from(18)),
            owner: None,
            fee_recipient: None,
            l1_messenger: Address::ZERO,
            l1_standard_bridge: Address::ZERO,
            l1_erc721_bridge: Address::ZERO,
            cairn_time: None,
        }
    }
}

/// The genesis. Equal options give equal genesis blocks.
pub fn dev_genesis(options: &DevOptions) -> Result<Genesis, DevGenesisError> {
    if options.gas_limit < L1_ATTRIBUTES_GAS_LIMIT {
        let (gas_limit, least) = (options.gas_limit, L1_ATTRIBUTES_GAS_LIMIT);
        return Err(DevGenesisError::GasLimit { gas_limit, least });
    }
    if options.elasticity == 0 || options.base_fee_denominator == 0 {
        return Err(DevGenesisError::FeeParameters);
    }
    let accounts = derive_accounts(&options.mnemonic, options.accounts)?;
    let owner = match (options.owner, accounts.first()) {
        (Some(owner), _) => owner,
        (None, Some(account)) => account.address,
        (None, None) => first_account(&options.mnemonic)?.address,
    };
    let mut alloc = Alloc::default();
    predeploys::allocate(
        &mut alloc,
        &PredeployOptions {
            chain_id: options.chain_id,
            l1_chain_id: options.l1_chain_id,
            owner,
            fee_recipient: options.fee_recipient.unwrap_or(owner),
            l1_messenger: options.l1_messenger,
            l1_standard_bridge: options.l1_standard_bridge,
            l1_erc721_bridge: options.l1_erc721_bridge,
        },
    );
    preinstalls::allocate(&mut alloc, options.chain_id);
    for account in accounts {
        alloc.fund(account.address, options.balance);
    }
    Ok(alloc.into_genesis(header(options)))
}

fn first_account(mnemonic: &str) -> Result<DevAccount, DevGenesisError> {
    let accounts = derive_accounts(mnemonic, 1)?;
    Ok(accounts[0])
}

/// All but the accounts.
fn header(options: &DevOptions) -> Genesis {
    let fees = BaseFeeParams::new(options.base_fee_denominator.into(), options.elasticity.into());
    let extra_data = encode_jovian_extra_data(B64::ZERO, fees, options.min_base_fee)
        .expect("both parameters came from u32");
    Genesis {
        config: config(options),
        timestamp: options.timestamp,
        extra_data,
        gas_limit: options.gas_limit,
        coinbase: SEQUENCER_FEE_VAULT,
        base_fee_per_gas: Some(options.base_fee.into()),
        ..Genesis::default()
    }
}

/// Fork schedule: everything through Jovian at once. The names before `bedrockBlock` mean nothing
/// to us; tools that read geth's format expect them.
fn config(options: &DevOptions) -> ChainConfig {
    let at_once = Some(0);
    let mut config = ChainConfig {
        chain_id: options.chain_id,
        homestead_block: at_once,
        eip150_block: at_once,
        eip155_block: at_once,
        eip158_block: at_once,
        byzantium_block: at_once,
        constantinople_block: at_once,
        petersburg_block: at_once,
        istanbul_block: at_once,
        muir_glacier_block: at_once,
        berlin_block: at_once,
        london_block: at_once,
        arrow_glacier_block: at_once,
        gray_glacier_block: at_once,
        merge_netsplit_block: at_once,
        shanghai_time: at_once,
        cancun_time: at_once,
        prague_time: at_once,
        terminal_total_difficulty: Some(U256::ZERO),
        terminal_total_difficulty_passed: true,
        ..ChainConfig::default()
    };
    let forks = [
        "bedrockBlock",
        "regolithTime",
        "canyonTime",
        "ecotoneTime",
        "fjordTime",
        "graniteTime",
        "holoceneTime",
        "isthmusTime",
        "jovianTime",
    ];
    for fork in forks {
        config.extra_fields.insert(fork.to_owned(), json!(0));
    }
    if let Some(time) = options.cairn_time {
        config.extra_fields.insert("cairnTime".to_owned(), json!(time));
    }
    let optimism = OptimismParams {
        eip1559_elasticity: options.elasticity,
        eip1559_denominator_canyon: options.base_fee_denominator,
        ..OptimismParams::default()
    };
    config.extra_fields.insert("optimism".to_owned(), json!(optimism));
    config
}
