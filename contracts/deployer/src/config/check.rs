//! The bounds of the values: those that the contracts have, and those that a chain needs.

use std::fmt::Display;

use alloy_primitives::U256;

use super::DeployConfig;
use crate::DeployError;

const GWEI: u64 = 1_000_000_000;
const DAY: u64 = 86_400;

/// Types of OP's games: the ones in use with room for more, and those of its tests.
const OP_GAME_TYPES: std::ops::RangeInclusive<u32> = 0..=31;
const OP_TEST_GAME_TYPES: [u32; 4] = [254, 255, 1337, u32::MAX];

fn between<T: PartialOrd + Display>(
    field: &'static str,
    value: T,
    min: T,
    max: T,
) -> Result<(), DeployError> {
    if value < min || value > max {
        return Err(DeployError::config(field, value, format!("must be {min} to {max}")));
    }
    Ok(())
}

impl DeployConfig {
    pub(super) fn check(&self, l1_chain_id: u64) -> Result<(), DeployError> {
        self.check_l2(l1_chain_id)?;
        self.check_withdrawals()?;
        self.check_da()
    }

    fn check_l2(&self, l1_chain_id: u64) -> Result<(), DeployError> {
        let l2 = &self.l2;
        between("l2.chain_id", l2.chain_id, 1, u64::MAX >> 1)?;
        if l2.chain_id == l1_chain_id {
            return Err(DeployError::config("l2.chain_id", l2.chain_id, "is that of L1"));
        }
        between("l2.block_time", l2.block_time, 1, 3600)?;
        between("l2.gas_limit", l2.gas_limit, 21_000_000, 200_000_000)?;
        between("l2.seq_window_size", l2.seq_window_size, 1, 1_000_000)?;
        between("l2.eip1559_elasticity", l2.eip1559_elasticity, 1, 1000)?;
        between("l2.eip1559_denominator", l2.eip1559_denominator, 1, 1_000_000)
    }

    fn check_withdrawals(&self) -> Result<(), DeployError> {
        let withdrawals = &self.withdrawals;
        let game_type = withdrawals.game_type;
        if OP_GAME_TYPES.contains(&game_type) || OP_TEST_GAME_TYPES.contains(&game_type) {
            let reason = "is a type of OP's games";
            return Err(DeployError::config("withdrawals.game_type", game_type, reason));
        }
        let times = [
            ("withdrawals.challenge_window", withdrawals.challenge_window, 1),
            ("withdrawals.decision_window", withdrawals.decision_window, 1),
            ("withdrawals.proof_maturity_delay", withdrawals.proof_maturity_delay, 0),
            ("withdrawals.game_finality_delay", withdrawals.game_finality_delay, 0),
        ];
        for (field, value, min) in times {
            between(field, value, min, 365 * DAY)?;
        }
        let most = U256::from(u64::MAX);
        between("withdrawals.proposal_bond", withdrawals.proposal_bond, U256::ZERO, most)
    }

    fn check_da(&self) -> Result<(), DeployError> {
        let da = &self.da;
        between("da.genesis_time", da.genesis_time, 0, u64::from(u32::MAX))?;
        between("da.epoch_length", da.epoch_length, 10, 30 * DAY)?;
        let lifetime = da.certificate_lifetime;
        between("da.certificate_lifetime", lifetime, da.epoch_length, 365 * DAY)?;
        between("da.seed_delay", da.seed_delay, 1, 1024)?;
        let gwei = U256::from(GWEI);
        let most = gwei * gwei * U256::from(100_000);
        between("da.stake_min", da.stake_min, gwei, most)?;
        between("da.operators_min", da.operators_min, 1, 100)?;
        between("da.signing_rate_min", da.signing_rate_min, 0, 6000)?;
        between("da.signing_window", da.signing_window, 1, 16)?;
        between("da.certificates_min", da.certificates_min, 10, 1_000_000)?;
        between("da.rejoin_delay", u64::from(da.rejoin_delay), 0, 90 * DAY)
    }
}
