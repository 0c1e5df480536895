//! Runtime code out of `contracts/artifacts`.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes};

/// Includes a file of `contracts/artifacts` and parses it.
macro_rules! artifact {
    ($path:literal) => {
        $crate::artifact::Artifact::parse(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../contracts/artifacts/",
            $path,
            ".json"
        )))
    };
}
pub(crate) use artifact;

/// A contract as the generator wrote it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Artifact {
    contract: String,
    code: Bytes,
    /// Offsets of the 32-byte words that hold an immutable, by its name.
    immutables: BTreeMap<String, Vec<usize>>,
}

impl Artifact {
    /// # Panics
    /// When the file is not what the generator writes. It is part of the program.
    pub(crate) fn parse(json: &str) -> Self {
        serde_json::from_str(json).expect("artifacts are checked in as generated")
    }

    /// Fills an immutable.
    ///
    /// # Panics
    /// When the contract has none of that name.
    #[must_use]
    pub(crate) fn with(mut self, immutable: &str, value: impl Into<B256>) -> Self {
        let offsets = self.immutables.remove(immutable).unwrap_or_else(|| {
            panic!("{} has no unset immutable {immutable}", self.contract);
        });
        let value = value.into();
        let mut code = self.code.to_vec();
        for offset in offsets {
            code[offset..offset + 32].copy_from_slice(value.as_slice());
        }
        self.code = code.into();
        self
    }

    /// The code.
    ///
    /// # Panics
    /// When an immutable has not been filled.
    pub(crate) fn code(self) -> Bytes {
        assert!(self.immutables.is_empty(), "{} lacks {:?}", self.contract, self.immutables);
        self.code
    }
}
