//! Making views.

use std::sync::Arc;

use super::Store;
use crate::error::{Result, StateError};
use crate::{Layer, StateView};

impl Store {
    /// The state at the store's tip.
    pub fn latest(&self) -> Result<StateView> {
        self.view(Vec::new())
    }

    /// The state after the newest of some layers, given newest first.
    ///
    /// The layers follow each other, and the oldest follows a block of the store's chain. Layers
    /// of blocks that are in the store already may stay in the list. Without layers this is the
    /// state at the tip.
    ///
    /// # Errors
    /// [`StateError::NotOnTip`] if the layers do not follow each other or the store's chain.
    pub fn view(&self, layers: Vec<Arc<Layer>>) -> Result<StateView> {
        let guard = self.0.tip.read();
        let tip = guard.clone().ok_or(StateError::Genesis("the store has no genesis block yet"))?;
        let not_on = |layer: &Layer| StateError::NotOnTip {
            number: layer.number(),
            parent: layer.parent_hash(),
            tip_number: tip.block.number,
            tip: tip.block.hash,
        };
        for pair in layers.windows(2) {
            let follows = pair[0].number().checked_sub(1) == Some(pair[1].number());
            if !follows || pair[0].parent_hash() != pair[1].hash() {
                return Err(not_on(&pair[0]));
            }
        }
        if let Some(oldest) = layers.last() {
            let base = oldest.number().checked_sub(1).filter(|base| *base <= tip.block.number);
            let base = base.ok_or_else(|| not_on(oldest))?;
            let on_chain = if base == tip.block.number {
                oldest.parent_hash() == tip.block.hash
            } else {
                self.canonical_hash(base)? == Some(oldest.parent_hash())
            };
            // A layer beside the store's chain must not be read through to its tip.
            let same_chain = layers
                .iter()
                .find(|layer| layer.number() == tip.block.number)
                .is_none_or(|layer| layer.hash() == tip.block.hash);
            let reaches = layers[0].number() >= tip.block.number;
            if !on_chain || !same_chain || !reaches {
                return Err(not_on(oldest));
            }
        }
        Ok(StateView {
            store: self.clone(),
            epoch: self.epoch(),
            block: layers.first().map_or(tip.block, |newest| newest.block()),
            layers: layers.into(),
            pending: Default::default(),
            caches: tip.caches,
        })
    }

    /// The state after a committed block, read through history.
    ///
    /// # Errors
    /// [`StateError::Unavailable`] for a block above the tip or one whose state has been pruned.
    pub fn view_at(&self, number: u64) -> Result<StateView> {
        let guard = self.0.tip.read();
        let tip = guard.clone().ok_or(StateError::Genesis("the store has no genesis block yet"))?;
        if number > tip.block.number {
            let reason = "it is above the last committed block";
            return Err(StateError::Unavailable { block: number, reason });
        }
        self.check_state_floor(number)?;
        let hash = self.canonical_hash(number)?.ok_or(StateError::Unavailable {
            block: number,
            reason: "it is before the genesis block",
        })?;
        Ok(StateView {
            store: self.clone(),
            epoch: self.epoch(),
            block: alloy_eips::BlockNumHash { number, hash },
            layers: Arc::new([]),
            pending: Default::default(),
            caches: tip.caches,
        })
    }
}
