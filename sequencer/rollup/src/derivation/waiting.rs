use super::{DerivationError, DerivedAttributes, Event, ResetReason};

/// What the machine waits for.
#[derive(Debug)]
pub(super) enum Waiting {
    Start,
    /// With that number.
    L1Block(u64),
    Data,
    Attributes(Box<Pending>),
    /// A reset or an error ended it.
    Nothing,
}

/// Attributes that were given out.
#[derive(Debug)]
pub(super) struct Pending {
    /// Without the transactions, for the block that replaces them.
    pub(super) derived: DerivedAttributes,
    pub(super) deposits_only: bool,
}

impl Waiting {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Start => "the start",
            Self::L1Block(_) => "an L1 block",
            Self::Data => "data",
            Self::Attributes(_) => "what became of attributes",
            Self::Nothing => "nothing",
        }
    }
}

impl Event {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Start => "the start",
            Self::L1Block(_) => "an L1 block",
            Self::Data(_) => "other data",
            Self::Applied(_) => "a block",
            Self::Invalid => "a refusal",
            Self::L1Finalized(_) => "finality",
        }
    }
}

/// What an event leads to.
pub(super) enum Taken {
    /// The stages run.
    Go,
    /// The machine waits on for the same, or for what it just said.
    Stay,
}

/// Why an event ends the machine.
pub(super) enum Stop {
    Reset(ResetReason),
    Error(DerivationError),
}

impl From<ResetReason> for Stop {
    fn from(reason: ResetReason) -> Self {
        Self::Reset(reason)
    }
}

impl From<DerivationError> for Stop {
    fn from(error: DerivationError) -> Self {
        Self::Error(error)
    }
}
