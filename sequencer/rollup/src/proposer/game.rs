//! A dispute game of ours, as L1 shows it (`contracts/src/rollup/OutputGame.sol`).

use alloy_primitives::{Address, B256};

/// Status as the contract says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GameStatus {
    /// Not ended.
    #[default]
    InProgress,
    /// The root claim is rejected.
    ChallengerWins,
    /// The root claim stands.
    DefenderWins,
}

/// How a game stands for somebody who wants to rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Not ended.
    Open,
    /// The root stands.
    Accepted,
    /// The root does not.
    Rejected,
}

/// A game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Game {
    /// Its address.
    pub address: Address,
    /// Who proposed.
    pub creator: Address,
    /// Number of the L2 block.
    pub block: u64,
    /// Output root that is claimed.
    pub root: B256,
    /// Status.
    pub status: GameStatus,
    /// Who challenged; zero for nobody.
    pub challenger: Address,
    /// Bond of the proposer in wei.
    pub proposer_bond: u128,
    /// From when on nobody can challenge, Unix seconds.
    pub challenge_end: u64,
    /// From when on nobody can decide, Unix seconds.
    pub decision_end: u64,
    /// Whether the bonds were fetched.
    pub paid: bool,
}

impl Game {
    /// How it stands.
    pub const fn outcome(&self) -> Outcome {
        match self.status {
            GameStatus::InProgress => Outcome::Open,
            GameStatus::ChallengerWins => Outcome::Rejected,
            GameStatus::DefenderWins => Outcome::Accepted,
        }
    }

    /// Whether somebody has challenged.
    pub fn is_challenged(&self) -> bool {
        !self.challenger.is_zero()
    }

    /// Whether the account has put a bond into it.
    pub fn has_bond_of(&self, account: Address) -> bool {
        self.creator == account || self.challenger == account
    }

    /// Whether a challenge is taken at that time.
    pub fn can_be_challenged(&self, now: u64) -> bool {
        self.outcome() == Outcome::Open && !self.is_challenged() && now < self.challenge_end
    }

    /// Whether anyone can end it at that time.
    pub fn can_be_resolved(&self, now: u64) -> bool {
        let start = if self.is_challenged() { self.decision_end } else { self.challenge_end };
        self.outcome() == Outcome::Open && now >= start
    }

    /// Whose the bonds are.
    pub const fn winner(&self) -> Option<Address> {
        match self.status {
            GameStatus::InProgress => None,
            GameStatus::ChallengerWins => Some(self.challenger),
            GameStatus::DefenderWins => Some(self.creator),
        }
    }
}
