//! Which accounts a run has and which ones a round changes.
//!
//! Shared by our side and by the `cairn-bench-ethrex` binary, which is a program
//! of its own: the assembly of Keccak in `ethrex-crypto` and in `sha3-asm` (below
//! `alloy-primitives`) define the same symbols and cannot be linked together. So
//! nothing here names a crate of either family.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// One changed account: its number and its new balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) index: u32,
    pub(crate) balance: u128,
}

/// Its address is the last 20 bytes of the Keccak-256 of these.
pub(crate) const fn seed(index: u32) -> [u8; 4] {
    index.to_be_bytes()
}

/// Balance before the first round. All accounts have nonce 1 and no code.
pub(crate) const fn first_balance(index: u32) -> u128 {
    index as u128 + 1
}

/// The changes of a round: distinct accounts, the same in every run.
pub(crate) fn changes(round: u32, accounts: u32, updates: u32) -> Vec<Change> {
    let mut random = StdRng::seed_from_u64(round.into());
    let (range, amount) = (accounts as usize, updates.min(accounts) as usize);
    let base = (u128::from(round) + 1) * 1_000_000_000_000_000_000;
    let change = |index: usize| {
        let index = u32::try_from(index).expect("below a number of type u32");
        Change { index, balance: base + u128::from(index) }
    };
    rand::seq::index::sample(&mut random, range, amount).iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_round_changes_distinct_accounts_and_the_same_ones_every_time() {
        let first = changes(3, 1_000, 200);
        let distinct: HashSet<u32> = first.iter().map(|change| change.index).collect();
        assert_eq!(distinct.len(), 200);
        assert_eq!(first, changes(3, 1_000, 200));
        assert!(changes(4, 1_000, 200).iter().any(|change| !distinct.contains(&change.index)));
    }

    #[test]
    fn no_round_changes_more_accounts_than_there_are() {
        assert_eq!(changes(0, 7, 100).len(), 7);
    }
}
