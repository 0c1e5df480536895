//! What transaction number so-and-so of a load does.

use alloy_primitives::{Address, Bytes, U256};
use clap::ValueEnum;
use serde::Serialize;

use super::accounts::recipient;
use super::calls;
use super::verify::Trace;

/// The kinds of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// One wei from account to account.
    Transfer,
    /// Token transfers.
    Erc20,
    /// 60 % transfers, 30 % token transfers, 10 % calls that hash and store.
    Mixed,
}

impl Workload {
    /// Whether the token has to be deployed and handed out.
    pub(super) const fn needs_token(self) -> bool {
        matches!(self, Self::Erc20 | Self::Mixed)
    }

    /// Whether the work contract has to be deployed.
    pub(super) const fn needs_work(self) -> bool {
        matches!(self, Self::Mixed)
    }

    /// The most gas a single transaction of this load may use.
    pub(super) const fn most_gas(self) -> u64 {
        match self {
            Self::Transfer => calls::TRANSFER_GAS,
            Self::Erc20 => calls::TOKEN_TRANSFER_GAS,
            Self::Mixed => calls::WORK_GAS,
        }
    }
}

/// The size and kind of a load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) workload: Workload,
    pub(super) senders: u32,
    pub(super) recipients: u32,
}

/// A load with the addresses its transactions go to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) workload: Workload,
    pub(super) recipients: u32,
    /// Zero address where the workload does not use it.
    pub(super) token: Address,
    pub(super) work: Address,
}

/// A transaction without its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) to: Address,
    pub(super) value: U256,
    pub(super) input: Bytes,
    pub(super) gas: u64,
}

impl Action {
    /// All calls of the loads emit an event; plain transfers go to nobody's code.
    pub(super) fn trace(&self) -> Trace {
        if self.input.is_empty() { Trace::Inclusion } else { Trace::Log }
    }
}

impl Plan {
    /// Transaction number `turn` of sender number `sender`.
    ///
    /// The kinds of a mixed load rotate over both numbers, so that each sender
    /// and each moment sees the same mixture.
    pub(super) fn action(&self, sender: u32, turn: u64) -> Action {
        let to = recipient(self.recipient_of(sender, turn));
        let tenth = (u64::from(sender) + turn) % 10;
        match self.workload {
            Workload::Transfer => Self::transfer(to),
            Workload::Erc20 => self.token_transfer(to),
            Workload::Mixed if tenth < 6 => Self::transfer(to),
            Workload::Mixed if tenth < 9 => self.token_transfer(to),
            Workload::Mixed => Action {
                to: self.work,
                value: U256::ZERO,
                input: calls::work((u64::from(sender) << 32) ^ turn),
                gas: calls::WORK_GAS,
            },
        }
    }

    /// Spreads the recipients without favour (Fibonacci hashing of both numbers).
    fn recipient_of(&self, sender: u32, turn: u64) -> u32 {
        let mixed = ((u64::from(sender) << 32) ^ turn).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let range = u64::from(self.recipients);
        u32::try_from((mixed >> 32) % range).unwrap_or(0)
    }

    fn transfer(to: Address) -> Action {
        Action { to, value: U256::ONE, input: Bytes::new(), gas: calls::TRANSFER_GAS }
    }

    fn token_transfer(&self, to: Address) -> Action {
        let input = calls::token_transfer(to);
        Action { to: self.token, value: U256::ZERO, input, gas: calls::TOKEN_TRANSFER_GAS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(workload: Workload) -> Plan {
        let (token, work) = (Address::repeat_byte(1), Address::repeat_byte(2));
        Plan { workload, recipients: 100, token, work }
    }

    #[test]
    fn the_mixed_load_has_its_shares_for_every_sender() {
        let plan = plan(Workload::Mixed);
        for sender in 0..10 {
            let actions: Vec<Action> = (0..100).map(|turn| plan.action(sender, turn)).collect();
            let to = |whom| actions.iter().filter(|action| action.to == whom).count();
            assert_eq!((to(plan.token), to(plan.work)), (30, 10));
        }
    }

    #[test]
    fn a_load_is_the_same_every_time() {
        let plan = plan(Workload::Erc20);
        assert_eq!(plan.action(3, 4), plan.action(3, 4));
        assert_ne!(plan.action(3, 4).input, plan.action(3, 5).input);
    }

    #[test]
    fn transfers_reach_nearly_all_recipients() {
        let plan = plan(Workload::Transfer);
        let reached: std::collections::HashSet<Address> =
            (0..20).flat_map(|s| (0..50).map(move |t| plan.action(s, t).to)).collect();
        assert!(reached.len() > 95, "{}", reached.len());
    }
}
