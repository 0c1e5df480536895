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
    /// The layers follow each other and the store's chain. Layers of blocks that are in the store
    /// already may stay in the list, even if all are. Without layers this is the state at the tip.
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
        if let (Some(newest), Some(oldest)) = (layers.first(), layers.last()) {
            // Where the layers' chain meets the store's, their hashes agree. Below that they agree
            // too, because each block names its parent.
            let meets = newest.number().min(tip.block.number);
            let layer = layers.iter().find(|layer| layer.number() == meets);
            let ours = match layer {
                Some(layer) => layer.hash(),
                None if meets.checked_add(1) == Some(oldest.number()) => oldest.parent_hash(),
                None => return Err(not_on(oldest)),
            };
            let theirs = match meets == tip.block.number {
                true => Some(tip.block.hash),
                false => self.canonical_hash(meets)?,
            };
            if theirs != Some(ours) {
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
