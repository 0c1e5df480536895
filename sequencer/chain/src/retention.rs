//! What pruning leaves, whatever the options of the store say.

use cairn_primitives::ReadError;
use cairn_state::PruneBound;

use crate::{Chain, ChainError};

/// Says which old blocks whoever works with the chain may still ask for.
///
/// A chain with a retention keeps the bodies of these blocks, and the state of the finalized block and
/// of all above it, so that every unwind that is allowed is possible. Both follow from the finalized
/// head that is stored: a node that crashes comes back with no older one.
pub trait Retention: std::fmt::Debug + Send + Sync {
    /// The first block whose body must stay while the block with the number `finalized` is the
    /// finalized head. At most `finalized`.
    fn first_block(&self, chain: &Chain, finalized: u64) -> Result<u64, ReadError>;
}

impl Chain {
    /// What the store must not prune now.
    pub(crate) fn prune_bound(&self) -> Result<PruneBound, ChainError> {
        let Some(retention) = &self.inner.options.retention else { return Ok(PruneBound::NONE) };
        let finalized = self.inner.store.heads()?.finalized.number;
        let first = retention.first_block(self, finalized)?;
        Ok(PruneBound { state: finalized, blocks: first.min(finalized) })
    }
}
