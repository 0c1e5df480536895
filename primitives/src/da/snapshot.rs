//! The operators of an epoch and the slots they hold.
//!
//! A header with `R` rows has `S` slots, the smallest multiple of `4R` that is at least the number
//! of operators. With `C_i` the stake before operator `i`, `T` the total and `u = seed mod T`,
//! operator `i` holds slots `⌊(S·C_i + u) / T⌋` up to, not including, `⌊(S·C_{i+1} + u) / T⌋`.

use std::ops::Range;

use alloy_primitives::{Address, B256, U256};

use super::bls::PublicKey;
use super::{
    Epoch, Header, OperatorIndex, QuorumId, RowIndex, Shape, SlotIndex, SlotPermutation, Stake,
    Timestamp,
};

/// Most operators of a quorum that this code computes with.
pub const MAX_OPERATORS: usize = 1024;

/// An operator as the snapshot has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    /// Address in the registry.
    pub address: Address,
    /// Stake in the snapshot, above zero.
    pub stake: Stake,
    /// Key whose possession was proven at registration.
    pub key: PublicKey,
}

/// The operators of one epoch in index order, with the seed drawn after their stakes were fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    epoch: Epoch,
    quorum: QuorumId,
    seed: B256,
    certificates_end: Timestamp,
    operators: Vec<Operator>,
    /// `C_0 … C_n`; the last is the total.
    stake_before: Vec<U256>,
}

/// No quorum can be made of these operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// None, or more than [`MAX_OPERATORS`].
    #[error("{0} operators; a quorum has 1 to {MAX_OPERATORS}")]
    Operators(usize),
    /// All stakes are zero.
    #[error("the operators of epoch {0} have no stake")]
    NoStake(Epoch),
}

impl Snapshot {
    /// Takes the operators in the order of the registry. Certificates can be valid until
    /// `certificates_end`: later the operators may have their stakes back.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn new(
        epoch: Epoch,
        quorum: QuorumId,
        seed: B256,
        certificates_end: Timestamp,
        operators: Vec<Operator>,
    ) -> Result<Self, SnapshotError> {
        if operators.is_empty() || operators.len() > MAX_OPERATORS {
            return Err(SnapshotError::Operators(operators.len()));
        }
        let mut sum = U256::ZERO;
        let mut stake_before = vec![sum];
        for operator in &operators {
            // 1024 numbers of 128 bits do not overflow 256.
            sum += U256::from(operator.stake.0);
            stake_before.push(sum);
        }
        if sum.is_zero() {
            return Err(SnapshotError::NoStake(epoch));
        }
        Ok(Self { epoch, quorum, seed, certificates_end, operators, stake_before })
    }

    /// Epoch of the snapshot.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Quorum of the snapshot.
    pub const fn quorum(&self) -> QuorumId {
        self.quorum
    }

    /// Seed of the epoch, from L1's randomness.
    pub const fn seed(&self) -> B256 {
        self.seed
    }

    /// Until then certificates can be valid, whatever their expiry.
    pub const fn certificates_end(&self) -> Timestamp {
        self.certificates_end
    }

    /// Operators in index order.
    pub fn operators(&self) -> &[Operator] {
        &self.operators
    }

    /// Index of the operator with that address.
    pub fn index_of(&self, address: Address) -> Option<OperatorIndex> {
        let at = self.operators.iter().position(|operator| operator.address == address)?;
        u16::try_from(at).ok().map(OperatorIndex)
    }

    /// The operator with that index.
    pub fn operator(&self, index: OperatorIndex) -> Option<&Operator> {
        self.operators.get(index.as_usize())
    }

    /// Slots of a header of that shape: the smallest multiple of `4R` that is at least the number
    /// of operators.
    pub fn slot_count(&self, shape: Shape) -> u16 {
        let extended = usize::from(shape.extended_rows());
        let slots = self.operators.len().div_ceil(extended) * extended;
        // At most 1024 operators and 1024 rows.
        u16::try_from(slots).unwrap_or(u16::MAX)
    }

    /// The slots of an operator in headers of that shape; empty for an index without operator.
    pub fn slots_of(&self, operator: OperatorIndex, shape: Shape) -> Range<u16> {
        self.slot_range(operator, self.slot_count(shape))
    }

    fn slot_range(&self, operator: OperatorIndex, slots: u16) -> Range<u16> {
        let at = operator.as_usize();
        let (Some(before), Some(after)) =
            (self.stake_before.get(at), self.stake_before.get(at.saturating_add(1)))
        else {
            return 0..0;
        };
        self.slot_border(before, slots)..self.slot_border(after, slots)
    }

    /// `⌊(S·C + u) / T⌋`; at most `S` since `u < T`.
    fn slot_border(&self, before: &U256, slots: u16) -> u16 {
        let total = self.stake_before.last().copied().unwrap_or(U256::ONE);
        let offset = U256::from_be_bytes(self.seed.0) % total;
        let border: U256 = (U256::from(slots) * before + offset) / total;
        u16::try_from(border).unwrap_or(slots)
    }

    /// Slots and rows of one header.
    pub fn slot_table(&self, header: &Header) -> SlotTable {
        let slots = self.slot_count(header.shape);
        let permutation = SlotPermutation::new(self.seed, header.hash(), slots);
        let ranges = (0..self.operators.len())
            .map(|at| self.slot_range(OperatorIndex(at as u16), slots))
            .collect();
        SlotTable { extended_rows: header.shape.extended_rows(), slots, permutation, ranges }
    }

    /// The rows that an operator holds of a header, ascending, each once.
    pub fn rows_of(&self, operator: OperatorIndex, header: &Header) -> Vec<RowIndex> {
        self.slot_table(header).rows_of(operator)
    }
}

/// Who holds which slots and rows of one header.
#[derive(Debug, Clone)]
pub struct SlotTable {
    extended_rows: u16,
    slots: u16,
    permutation: SlotPermutation,
    ranges: Vec<Range<u16>>,
}

impl SlotTable {
    /// `S`.
    pub const fn slot_count(&self) -> u16 {
        self.slots
    }

    /// Fewest signed slots that certify: `⌈2S/3⌉`.
    pub const fn threshold(&self) -> u16 {
        (2 * self.slots as u32).div_ceil(3) as u16
    }

    /// The slots of an operator; empty for an index without operator.
    pub fn slots_of(&self, operator: OperatorIndex) -> Range<u16> {
        self.ranges.get(operator.as_usize()).cloned().unwrap_or(0..0)
    }

    /// How many slots an operator has.
    pub fn weight(&self, operator: OperatorIndex) -> u16 {
        let slots = self.slots_of(operator);
        slots.end.saturating_sub(slots.start)
    }

    /// The row of a slot; `None` for a slot that the header has not.
    pub fn row(&self, slot: SlotIndex) -> Option<RowIndex> {
        self.permutation.row(slot, self.extended_rows)
    }

    /// The rows that an operator holds, ascending, each once.
    pub fn rows_of(&self, operator: OperatorIndex) -> Vec<RowIndex> {
        let slots = self.slots_of(operator);
        let mut rows: Vec<_> = slots.filter_map(|slot| self.row(SlotIndex(slot))).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The operators that hold each extended row, in index order.
    pub fn holders(&self) -> Vec<Vec<OperatorIndex>> {
        let mut holders = vec![Vec::new(); usize::from(self.extended_rows)];
        for at in 0..self.ranges.len() {
            let operator = OperatorIndex(at as u16);
            for row in self.rows_of(operator) {
                if let Some(holders) = holders.get_mut(row.as_usize()) {
                    holders.push(operator);
                }
            }
        }
        holders
    }
}
