//! The sections of the file.

use alloy_primitives::{Address, U256};
use cairn_genesis::{DEV_MNEMONIC, DEV_SYSTEM};
use serde::{Deserialize, Serialize};

use super::Roles;
use crate::DeployError;

const ETHER: u64 = 1_000_000_000_000_000_000;

/// `[l1]`: the chain to deploy to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1Config {
    /// Its chain id; any if absent.
    pub chain_id: Option<u64>,
    /// Blocks on top of the deployment before the genesis is made from it.
    pub confirmations: u64,
}

/// `[l2]`: the rollup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L2Config {
    /// Chain id.
    pub chain_id: u64,
    /// Seconds between blocks.
    pub block_time: u64,
    /// Gas of a block, 21 to 200 million (the bounds of `SystemConfig`).
    pub gas_limit: u64,
    /// L1 blocks after an origin within which its batches must be on L1.
    pub seq_window_size: u64,
    /// Lowest base fee in wei per gas, with which the chain begins.
    pub min_base_fee: u64,
    /// Gas limit divided by gas target.
    pub eip1559_elasticity: u32,
    /// Largest relative change of the base fee, as a divisor.
    pub eip1559_denominator: u32,
    /// Weight of 16 times the L1 base fee in the L1 data fee, in millionths.
    pub base_fee_scalar: u32,
    /// Weight of the L1 blob base fee in the L1 data fee, in millionths.
    pub blob_base_fee_scalar: u32,
    /// Gas that one estimated byte of transaction data takes of a block's DA footprint.
    pub da_footprint_gas_scalar: u16,
    /// Timestamp from which on Cairn's own precompiles are active; never if absent.
    pub cairn_time: Option<u64>,
    /// Prefunded accounts of the mnemonic; ten on a development chain if absent, none elsewhere.
    pub accounts: Option<u32>,
    /// Phrase of those accounts.
    pub mnemonic: String,
    /// What each of them has, in wei.
    pub balance: U256,
    /// Further prefunded accounts.
    pub prefunded: Vec<PrefundedAccount>,
}

/// An account of the genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefundedAccount {
    /// Whose.
    pub address: Address,
    /// In wei, a number in quotation marks.
    pub balance: U256,
}

/// `[roles]`: accounts. On a development chain the accounts 1 to 4 of the usual mnemonic are batcher,
/// proposer, arbiter and unsafe block signer; on another chain those and the owner must be named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolesConfig {
    /// Upgrades the contracts, sets their parameters. The deployer on a development chain.
    pub owner: Option<Address>,
    /// Pauses withdrawals, forbids single games. The owner if absent.
    pub guardian: Option<Address>,
    /// Appends batches.
    pub batcher: Option<Address>,
    /// Proposes output roots.
    pub proposer: Option<Address>,
    /// Decides about challenged output roots.
    pub arbiter: Option<Address>,
    /// Signs unsafe blocks.
    pub unsafe_block_signer: Option<Address>,
    /// Receives the fees on L2. The owner if absent.
    pub fee_recipient: Option<Address>,
}

impl RolesConfig {
    pub(super) fn resolve(
        &self,
        deployer: Address,
        dev: Option<[Address; 4]>,
        l1_chain_id: u64,
    ) -> Result<Roles, DeployError> {
        let or = |field, value: Option<Address>, default: Option<Address>| {
            value.or(default).ok_or(DeployError::MissingRole { field, l1_chain_id })
        };
        let [batcher, proposer, arbiter, signer] =
            dev.map_or([None; 4], |accounts| accounts.map(Some));
        let owner = or("roles.owner", self.owner, dev.map(|_| deployer))?;
        Ok(Roles {
            owner,
            guardian: self.guardian.unwrap_or(owner),
            batcher: or("roles.batcher", self.batcher, batcher)?,
            proposer: or("roles.proposer", self.proposer, proposer)?,
            arbiter: or("roles.arbiter", self.arbiter, arbiter)?,
            unsafe_block_signer: or("roles.unsafe_block_signer", self.unsafe_block_signer, signer)?,
            fee_recipient: self.fee_recipient.unwrap_or(owner),
        })
    }
}

/// `[withdrawals]`: proposals and withdrawals. All times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WithdrawalsConfig {
    /// Number of our kind of game.
    pub game_type: u32,
    /// In which anyone may challenge a proposal.
    pub challenge_window: u64,
    /// After that, in which the arbiter may decide about a challenge.
    pub decision_window: u64,
    /// From the proof of a withdrawal to its end, at least.
    pub proof_maturity_delay: u64,
    /// From the end of a game to that of withdrawals proven against it, at least.
    pub game_finality_delay: u64,
    /// What a proposal costs until it stands, in wei.
    pub proposal_bond: U256,
}

/// `[da]`: the registry of the DA network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DaConfig {
    /// Unix seconds at which epoch 0 begins.
    pub genesis_time: u64,
    /// Seconds of an epoch.
    pub epoch_length: u64,
    /// Seconds after the end of its epoch for which a certificate can be valid.
    pub certificate_lifetime: u64,
    /// L1 blocks from a snapshot to the block of its seed.
    pub seed_delay: u64,
    /// Wei that an operator registers with at least.
    pub stake_min: U256,
    /// Operators without which there is no snapshot.
    pub operators_min: u16,
    /// Signed share below which an operator can be ejected, in hundredths of a percent.
    pub signing_rate_min: u16,
    /// Completed epochs over which that share is taken.
    pub signing_window: u8,
    /// Certificates in the window without which nobody is ejected.
    pub certificates_min: u32,
    /// Seconds after an ejection before which the operator cannot register again.
    pub rejoin_delay: u32,
}

impl Default for L2Config {
    fn default() -> Self {
        Self {
            chain_id: 901,
            block_time: 1,
            gas_limit: 200_000_000,
            seq_window_size: 3600,
            min_base_fee: 1_000_000,
            eip1559_elasticity: 6,
            eip1559_denominator: 250,
            base_fee_scalar: DEV_SYSTEM.base_fee_scalar,
            blob_base_fee_scalar: DEV_SYSTEM.blob_base_fee_scalar,
            da_footprint_gas_scalar: DEV_SYSTEM.da_footprint_gas_scalar,
            cairn_time: None,
            accounts: None,
            mnemonic: DEV_MNEMONIC.to_owned(),
            balance: U256::from(10_000) * U256::from(ETHER),
            prefunded: Vec::new(),
        }
    }
}

impl Default for WithdrawalsConfig {
    fn default() -> Self {
        Self {
            // 'C'. OP's own types are small, and 254, 255 and 1337 in its tests.
            game_type: 0x43,
            challenge_window: 10,
            decision_window: 10,
            proof_maturity_delay: 4,
            game_finality_delay: 2,
            proposal_bond: U256::from(ETHER / 100),
        }
    }
}

impl Default for DaConfig {
    /// Epochs are counted from 1970, so that nothing depends on when the deployment began.
    fn default() -> Self {
        Self {
            genesis_time: 0,
            epoch_length: 120,
            certificate_lifetime: 30 * 86_400,
            seed_delay: 2,
            stake_min: U256::from(ETHER),
            operators_min: 4,
            signing_rate_min: 5000,
            signing_window: 3,
            certificates_min: 10,
            rejoin_delay: 0,
        }
    }
}
