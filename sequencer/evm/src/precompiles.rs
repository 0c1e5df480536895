//! The seam for precompiles of our own.

use std::sync::Arc;

use alloy_evm::precompiles::{DynPrecompile, PrecompilesMap};
use alloy_primitives::Address;

/// Precompiles that a chain adds to those of its EVM fork, from the Cairn fork on.
///
/// Each must be a pure function of its input and of chain state: replicas and fault proofs run it
/// again. Those that read state are built with `DynPrecompile::new_stateful`, since a plain one is
/// cached by its input alone.
#[derive(Debug, Clone, Default)]
pub struct PrecompileSet(Arc<Vec<(Address, DynPrecompile)>>);

impl PrecompileSet {
    /// A set. The last of several precompiles with one address counts.
    pub fn new(precompiles: Vec<(Address, DynPrecompile)>) -> Self {
        Self(Arc::new(precompiles))
    }

    /// Addresses that the set occupies.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.0.iter().map(|(address, _)| *address)
    }

    pub(crate) fn install(&self, map: &mut PrecompilesMap) {
        if !self.0.is_empty() {
            map.extend_precompiles(self.0.iter().cloned());
        }
    }
}
