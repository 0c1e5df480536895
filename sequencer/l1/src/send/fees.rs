//! Fees: what the market asks for, and what a replacement must pay.

use super::TransactionKind;

/// The fee caps of a transaction, in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fees {
    /// `maxPriorityFeePerGas`.
    pub priority: u128,
    /// `maxFeePerGas`.
    pub max: u128,
    /// `maxFeePerBlobGas`; zero without blobs.
    pub blob: u128,
}

/// What the newest blocks paid, in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarketFees {
    /// Base fee of the next block.
    pub base: u128,
    /// Priority fee that was usual.
    pub priority: u128,
    /// Blob base fee of the next block.
    pub blob_base: u128,
}

/// What is never exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeCeiling {
    /// For `maxFeePerGas` and `maxPriorityFeePerGas`.
    pub max: u128,
    /// For `maxFeePerBlobGas`.
    pub blob: u128,
}

impl Default for FeeCeiling {
    /// 500 gwei for gas, 2000 gwei for blob gas.
    fn default() -> Self {
        Self { max: 500_000_000_000, blob: 2_000_000_000_000 }
    }
}

impl MarketFees {
    /// Caps of a first transaction: they hold while the base fees double.
    pub fn suggest(&self, kind: TransactionKind, ceiling: FeeCeiling) -> Fees {
        let max = self.base.saturating_mul(2).saturating_add(self.priority);
        let blob = match kind {
            TransactionKind::Blobs => self.blob_base.max(1).saturating_mul(2),
            TransactionKind::Plain => 0,
        };
        let max = max.min(ceiling.max);
        Fees { priority: self.priority.min(max), max, blob: blob.min(ceiling.blob) }
    }

    /// Whether a transaction with these caps can be in the next block.
    pub const fn admits(&self, fees: &Fees, kind: TransactionKind) -> bool {
        let blobs = matches!(kind, TransactionKind::Blobs);
        fees.max >= self.base && (!blobs || fees.blob >= self.blob_base)
    }
}

impl Fees {
    /// The least that replaces a transaction in the pools of execution clients: 10 % more in both
    /// caps, and twice as much in all three for a transaction with blobs.
    pub fn replacement(&self, kind: TransactionKind) -> Self {
        let percent = match kind {
            TransactionKind::Plain => 110,
            TransactionKind::Blobs => 200,
        };
        let raised =
            |fee: u128| fee.saturating_mul(percent).div_ceil(100).max(fee.saturating_add(1));
        let blob = match kind {
            TransactionKind::Plain => 0,
            TransactionKind::Blobs => raised(self.blob),
        };
        Self { priority: raised(self.priority), max: raised(self.max), blob }
    }

    /// Caps of a replacement that the market takes; `None` if the ceiling does not allow it.
    pub fn raised(
        &self,
        kind: TransactionKind,
        market: &MarketFees,
        ceiling: FeeCeiling,
    ) -> Option<Self> {
        let least = self.replacement(kind);
        let wanted = market.suggest(kind, ceiling);
        let max = least.max.max(wanted.max);
        let blob = least.blob.max(wanted.blob);
        let priority = least.priority.max(wanted.priority).min(max);
        let allowed = max <= ceiling.max && blob <= ceiling.blob && priority >= least.priority;
        allowed.then_some(Self { priority, max, blob })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CEILING: FeeCeiling = FeeCeiling { max: 1000, blob: 1000 };

    #[test]
    fn replacements_pay_what_pools_ask_for() {
        let fees = Fees { priority: 1, max: 101, blob: 7 };
        let plain = fees.replacement(TransactionKind::Plain);
        assert_eq!(plain, Fees { priority: 2, max: 112, blob: 0 });
        let blobs = fees.replacement(TransactionKind::Blobs);
        assert_eq!(blobs, Fees { priority: 2, max: 202, blob: 14 });
        let nothing = Fees::default().replacement(TransactionKind::Blobs);
        assert_eq!(nothing, Fees { priority: 1, max: 1, blob: 1 });
    }

    #[test]
    fn the_ceiling_ends_raising() {
        let market = MarketFees { base: 10, priority: 1, blob_base: 1 };
        let fees = Fees { priority: 1, max: 950, blob: 0 };
        assert_eq!(fees.raised(TransactionKind::Plain, &market, CEILING), None);
        let fees = Fees { priority: 1, max: 100, blob: 600 };
        assert_eq!(fees.raised(TransactionKind::Blobs, &market, CEILING), None);
        let dear = MarketFees { base: 10_000, priority: 2000, blob_base: 0 };
        let fees = dear.suggest(TransactionKind::Plain, CEILING);
        assert_eq!(fees, Fees { priority: 1000, max: 1000, blob: 0 });
        assert!(!dear.admits(&fees, TransactionKind::Plain));
    }

    proptest! {
        #[test]
        fn raised_fees_replace_and_stay_below_the_ceiling(
            fees in (0_u128..2000, 0_u128..2000, 0_u128..2000),
            market in (0_u128..2000, 0_u128..2000, 0_u128..2000),
            blobs in any::<bool>(),
        ) {
            let kind = if blobs { TransactionKind::Blobs } else { TransactionKind::Plain };
            let blob = if blobs { fees.2 } else { 0 };
            let fees = Fees { priority: fees.0.min(fees.1), max: fees.1, blob };
            let market = MarketFees { base: market.0, priority: market.1, blob_base: market.2 };
            if let Some(raised) = fees.raised(kind, &market, CEILING) {
                let least = fees.replacement(kind);
                prop_assert!(raised.priority >= least.priority && raised.max >= least.max);
                prop_assert!(raised.blob >= least.blob && raised.priority <= raised.max);
                prop_assert!(raised.max <= CEILING.max && raised.blob <= CEILING.blob);
            }
        }
    }
}
