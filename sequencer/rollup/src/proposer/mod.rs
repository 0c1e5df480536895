//! What to do about output roots on L1: propose, watch, challenge, resolve, fetch bonds.
//!
//! [`decide`] is a pure function of what L1 shows and what this node derived; it remembers nothing, so
//! a restart or an L1 reorganisation needs no care. The shell carries out one action at a time and looks
//! again.

mod game;

use alloy_primitives::{Address, B256};

pub use game::{Game, GameStatus, Outcome};

/// What this node does about proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duties {
    /// Whether it proposes.
    pub propose: bool,
    /// Whether it challenges what it knows to be wrong.
    pub challenge: bool,
    /// Account whose bonds it fetches.
    pub account: Address,
    /// L2 blocks between proposals, at least.
    pub interval: u64,
}

/// What L1 shows and what this node knows.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// Block of the newest root that stood; genesis at first.
    pub anchor: u64,
    /// Games of our type, oldest first; at least all that have not ended and that begin after the
    /// anchor.
    pub games: &'a [Game],
    /// The newest L2 block that may be proposed: safe, or finalized.
    pub head: u64,
    /// Timestamp of the L1 block that all of this was read at.
    pub now: u64,
}

/// Something to be done on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Propose the output root of that block.
    Propose {
        /// Its number.
        block: u64,
    },
    /// Put a bond against a wrong root.
    Challenge {
        /// The game.
        game: Address,
        /// Lowest bond in wei.
        bond: u128,
    },
    /// End a game whose time is over.
    Resolve {
        /// The game.
        game: Address,
    },
    /// Fetch the bonds of a game that our account won.
    Claim {
        /// The game.
        game: Address,
    },
}

/// A root on L1 that is not the one derived here: an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("game {game} claims {claimed} for block {block}; derived here: {derived}")]
pub struct WrongOutput {
    /// The game.
    pub game: Address,
    /// L2 block.
    pub block: u64,
    /// Root on L1.
    pub claimed: B256,
    /// Root derived here.
    pub derived: B256,
}

/// Compares a game with what was derived; `None` while its block was not, or when they agree.
pub fn wrong_output(game: &Game, derived: Option<B256>) -> Option<WrongOutput> {
    let derived = derived.filter(|derived| *derived != game.root)?;
    Some(WrongOutput { game: game.address, block: game.block, claimed: game.root, derived })
}

/// What to do next, the most urgent first. `output` gives the output root of a block at or below
/// `outlook.head`, as derived here, and `None` for blocks above. A game without derived root is
/// neither challenged nor resolved by this node.
pub fn decide(
    duties: &Duties,
    outlook: &Outlook<'_>,
    output: impl Fn(u64) -> Option<B256>,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut proposed = outlook.anchor;
    for game in outlook.games {
        let derived = output(game.block);
        let right = derived == Some(game.root);
        let wrong = wrong_output(game, derived).is_some();
        if right && game.creator == duties.account && game.outcome() != Outcome::Rejected {
            proposed = proposed.max(game.block);
        }
        match game.outcome() {
            Outcome::Open if wrong && duties.challenge && game.can_be_challenged(outlook.now) => {
                let (game, bond) = (game.address, game.proposer_bond);
                actions.insert(0, Action::Challenge { game, bond });
            }
            // Whoever has a bond in a game ends it, so that two nodes do not race for it. A wrong root
            // that nobody challenged ends by somebody else's hand.
            Outcome::Open
                if game.can_be_resolved(outlook.now)
                    && game.has_bond_of(duties.account)
                    && (right || game.is_challenged()) =>
            {
                actions.push(Action::Resolve { game: game.address });
            }
            _ if game.winner() == Some(duties.account) && !game.paid => {
                actions.push(Action::Claim { game: game.address });
            }
            _ => {}
        }
    }
    if duties.propose && outlook.head >= proposed.saturating_add(duties.interval.max(1)) {
        actions.push(Action::Propose { block: outlook.head });
    }
    actions
}

#[cfg(test)]
mod tests;
