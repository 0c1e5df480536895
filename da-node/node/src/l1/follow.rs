//! Reading the registry as L1 grows.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::providers::Provider;
use cairn_da_client::registry::{QuorumName, Registry, RegistryError};
use cairn_primitives::da::{Epoch, Snapshot, Timestamp};

use crate::admission::{L1Head, Quorums};

/// Reads the registry. One reader at a time.
#[derive(Debug)]
pub struct Follower {
    registry: Registry,
    confirmations: u64,
    last: Option<Quorums>,
    /// Names of the quorums in `last`.
    names: BTreeMap<Epoch, QuorumName>,
}

impl Follower {
    /// Follows a registry, `confirmations` blocks below the head. More of them make a later change
    /// of a seed less likely, and the node later to learn of an epoch.
    pub const fn new(registry: Registry, confirmations: u64) -> Self {
        Self { registry, confirmations, last: None, names: BTreeMap::new() }
    }

    /// Reads the registry if L1 has moved since the last time; `None` if it has not.
    ///
    /// # Errors
    /// [`RegistryError`]. What was read before stays valid.
    pub async fn poll(&mut self) -> Result<Option<Quorums>, RegistryError> {
        let newest = self.registry.provider().get_block_number().await?;
        let head = self.block(newest.saturating_sub(self.confirmations)).await?;
        if self.last.as_ref().is_some_and(|last| last.head == head) {
            return Ok(None);
        }
        if !self.continues_last(&head).await? {
            tracing::warn!(target: "da::l1", block = head.number, "L1 was reorganised");
            self.names.clear();
        }
        let quorums = self.read(head).await?;
        self.last = Some(quorums.clone());
        Ok(Some(quorums))
    }

    async fn block(&self, number: u64) -> Result<L1Head, RegistryError> {
        let tag = BlockNumberOrTag::Number(number);
        let block = self.registry.provider().get_block_by_number(tag).await?;
        let header = block.ok_or(RegistryError::NoBlock(number))?.header;
        Ok(L1Head { number, hash: header.hash, time: Timestamp(header.timestamp) })
    }

    /// Whether the block of the last read is still part of the chain.
    async fn continues_last(&self, head: &L1Head) -> Result<bool, RegistryError> {
        let Some(last) = &self.last else { return Ok(true) };
        if head.number < last.head.number {
            return Ok(false);
        }
        match self.block(last.head.number).await {
            Ok(block) => Ok(block.hash == last.head.hash),
            Err(RegistryError::NoBlock(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn read(&mut self, head: L1Head) -> Result<Quorums, RegistryError> {
        let at = BlockId::hash(head.hash);
        let current = self.registry.current_epoch(at).await?;
        let epochs = [current.0.checked_sub(1), Some(current.0), current.0.checked_add(1)];
        let mut quorums = Quorums { head, current, snapshots: BTreeMap::new() };
        let mut names = BTreeMap::new();
        for epoch in epochs.into_iter().flatten().map(Epoch) {
            let Some(name) = self.registry.quorum_name(epoch, at).await? else { continue };
            let snapshot = match self.known(epoch, &name) {
                Some(snapshot) => snapshot,
                None => Arc::new(self.registry.quorum(epoch, &name, at).await?.snapshot),
            };
            names.insert(epoch, name);
            quorums.snapshots.insert(epoch, snapshot);
        }
        self.names = names;
        Ok(quorums)
    }

    fn known(&self, epoch: Epoch, name: &QuorumName) -> Option<Arc<Snapshot>> {
        self.names.get(&epoch).filter(|known| *known == name)?;
        self.last.as_ref()?.snapshots.get(&epoch).cloned()
    }
}
