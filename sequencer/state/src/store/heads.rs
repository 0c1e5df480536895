//! The unsafe, safe and finalized heads.

use alloy_eips::BlockNumHash;

use super::Store;
use crate::error::Result;
use crate::schema::{Batch, Column, Database, meta};

/// Heads as the chain left them. The unsafe head may name a block that was not committed before a
/// crash; the tip is [`Store::tip`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    /// Newest block.
    pub latest: BlockNumHash,
    /// Newest block derived from L1 data.
    pub safe: BlockNumHash,
    /// Newest block derived from finalized L1 data.
    pub finalized: BlockNumHash,
}

impl Heads {
    pub(super) fn load(db: &Database) -> Result<Self> {
        let read = |key: &[u8]| -> Result<BlockNumHash> {
            let stored = db.reader().get(Column::Meta, key)?;
            stored.map_or(Ok(BlockNumHash::default()), |bytes| meta::decode_block(&bytes))
        };
        Ok(Self {
            latest: read(meta::UNSAFE)?,
            safe: read(meta::SAFE)?,
            finalized: read(meta::FINALIZED)?,
        })
    }

    pub(super) fn put(&self, batch: &mut Batch<'_>) {
        batch.put(Column::Meta, meta::UNSAFE, meta::encode_block(self.latest));
        batch.put(Column::Meta, meta::SAFE, meta::encode_block(self.safe));
        batch.put(Column::Meta, meta::FINALIZED, meta::encode_block(self.finalized));
    }
}

impl Store {
    /// The heads that [`Self::set_heads`] stored last; genesis before that.
    pub fn heads(&self) -> Result<Heads> {
        Heads::load(self.db())
    }

    /// Stores the heads. Durable when it returns.
    pub fn set_heads(&self, heads: Heads) -> Result<()> {
        let mut batch = self.db().batch();
        heads.put(&mut batch);
        fail::fail_point!("heads::before_write");
        batch.write_synced()?;
        fail::fail_point!("heads::after_write");
        Ok(())
    }
}
