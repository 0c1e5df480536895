//! Numbers of the DA network, each of a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize,
            Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

number! {
    /// A row of the extended matrix, below `4R`. Rows below `R` are the original ones.
    RowIndex(u16)
}
number! {
    /// A slot of one header, below its slot count.
    SlotIndex(u16)
}
number! {
    /// An operator's place in the snapshot of an epoch.
    OperatorIndex(u16)
}
number! {
    /// Number of an epoch of the operator registry.
    Epoch(u64)
}
number! {
    /// A quorum of operators; 0 is the only one there is.
    QuorumId(u8)
}
number! {
    /// A number of the payer's, used for one header only.
    Reservation(u64)
}
number! {
    /// Seconds since the Unix epoch.
    Timestamp(u64)
}
number! {
    /// Bytes of a payload.
    PayloadLength(u32)
}
number! {
    /// Stake of an operator in wei.
    Stake(u128)
}

impl RowIndex {
    /// For indexing slices.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl SlotIndex {
    /// For indexing slices.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl OperatorIndex {
    /// For indexing slices.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl Epoch {
    /// The epoch after this one, `None` past the last number.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}
