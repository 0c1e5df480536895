//! How a store is opened.

use alloy_primitives::B256;

const MIB: usize = 1 << 20;

/// How much of a growing record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Everything since genesis.
    #[default]
    All,
    /// The last `n` blocks; [`Store::prune`](crate::Store::prune) removes what is older.
    Last(u64),
}

impl Keep {
    /// First block that stays when the tip is `tip`.
    pub(crate) const fn floor(self, tip: u64) -> u64 {
        match self {
            Self::All => 0,
            Self::Last(blocks) => tip.saturating_sub(blocks),
        }
    }
}

/// Limits and sizes. The defaults keep a node with 10^7 accounts under 1.5 GiB.
#[derive(Debug, Clone)]
pub struct Options {
    /// Historical state (change sets of values and trie nodes, and their indices), needed to read or
    /// prove old state.
    pub state_history: Keep,
    /// Bodies, receipts, senders and the transaction index. Headers always stay.
    pub block_data: Keep,
    /// Bytes of RocksDB's block cache, which also holds indices and filters.
    pub block_cache_bytes: usize,
    /// Bytes of write buffers over all column families.
    pub write_buffer_bytes: usize,
    /// Bytes of the cache of accounts, slots and code at the tip.
    pub read_cache_bytes: usize,
    /// Bytes of the cache of trie nodes at the tip. It decides the cost of a root in a large state:
    /// 10^7 accounts have 560 MB of nodes. [`Store::warm`](crate::Store::warm) fills it.
    pub node_cache_bytes: usize,
    /// How many blocks share one set of old trie nodes. Fewer cost more disk and make old proofs
    /// quicker, as [`Self::interval_changes`] does.
    pub interval_blocks: u64,
    /// How many changes of accounts and slots share one set of old trie nodes, and so how many a
    /// proof turns back at most, but for a single commit that has more.
    pub interval_changes: u64,
    /// Table files kept open.
    pub max_open_files: i32,
}

impl Options {
    /// Whether there is nothing that [`Store::prune`](crate::Store::prune) may remove.
    pub fn keep_everything(&self) -> bool {
        [self.state_history, self.block_data].iter().all(|keep| *keep == Keep::All)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            state_history: Keep::All,
            block_data: Keep::All,
            block_cache_bytes: 160 * MIB,
            write_buffer_bytes: 128 * MIB,
            read_cache_bytes: 96 * MIB,
            node_cache_bytes: 640 * MIB,
            interval_blocks: 256,
            interval_changes: 1 << 16,
            max_open_files: 1024,
        }
    }
}

/// What a store belongs to. A store of another chain is refused at open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainIdentity {
    /// For people, such as `cairn-dev (chain id 901)`.
    pub name: String,
    /// Hash over everything that changes the meaning of blocks: chain id, forks, fee parameters.
    pub config_hash: B256,
    /// Hash of the genesis block, where it is known before the store is opened.
    pub genesis_hash: Option<B256>,
}
