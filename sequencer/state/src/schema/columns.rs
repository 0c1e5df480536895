//! Column families and their settings.

use rocksdb::{
    BlockBasedOptions, BlockBasedTablePinningTier, Cache, ColumnFamilyDescriptor,
    DBCompressionType, DataBlockIndexType, Options, SliceTransform,
};

/// A column family; see the table in [`super`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Account,
    Slot,
    AccountTrie,
    StorageTrie,
    Code,
    AccountChanges,
    SlotChanges,
    CodeChanges,
    AccountHistory,
    SlotHistory,
    AccountTrieChanges,
    StorageTrieChanges,
    AccountTrieHistory,
    StorageTrieHistory,
    Interval,
    Header,
    Body,
    Receipt,
    Sender,
    TxHash,
    Canon,
    HashNumber,
    Orphan,
    SafeHead,
    Meta,
}

/// How a column family is read, which decides its settings.
enum Pattern {
    /// Random point reads of incompressible keys, some of them absent.
    Random,
    /// Random point reads of keys that nearly always exist.
    Present,
    /// Appended in key order, read rarely, compresses well.
    Appended,
}

impl Column {
    pub(crate) const ALL: [Self; 25] = [
        Self::Account,
        Self::Slot,
        Self::AccountTrie,
        Self::StorageTrie,
        Self::Code,
        Self::AccountChanges,
        Self::SlotChanges,
        Self::CodeChanges,
        Self::AccountHistory,
        Self::SlotHistory,
        Self::AccountTrieChanges,
        Self::StorageTrieChanges,
        Self::AccountTrieHistory,
        Self::StorageTrieHistory,
        Self::Interval,
        Self::Header,
        Self::Body,
        Self::Receipt,
        Self::Sender,
        Self::TxHash,
        Self::Canon,
        Self::HashNumber,
        Self::Orphan,
        Self::SafeHead,
        Self::Meta,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Slot => "slot",
            Self::AccountTrie => "atrie",
            Self::StorageTrie => "strie",
            Self::Code => "code",
            Self::AccountChanges => "acs",
            Self::SlotChanges => "scs",
            Self::CodeChanges => "ccs",
            Self::AccountHistory => "ahist",
            Self::SlotHistory => "shist",
            Self::AccountTrieChanges => "atcs",
            Self::StorageTrieChanges => "stcs",
            Self::AccountTrieHistory => "athist",
            Self::StorageTrieHistory => "sthist",
            Self::Interval => "interval",
            Self::Header => "header",
            Self::Body => "body",
            Self::Receipt => "receipt",
            Self::Sender => "sender",
            Self::TxHash => "txhash",
            Self::Canon => "canon",
            Self::HashNumber => "hashnum",
            Self::Orphan => "orphan",
            Self::SafeHead => "safehead",
            Self::Meta => "meta",
        }
    }

    const fn pattern(self) -> Pattern {
        match self {
            Self::Account | Self::Slot | Self::TxHash | Self::HashNumber | Self::Code => {
                Pattern::Random
            }
            Self::AccountTrie | Self::StorageTrie => Pattern::Present,
            _ => Pattern::Appended,
        }
    }

    /// Length of the key prefix that seeks stay within.
    const fn prefix(self) -> Option<usize> {
        match self {
            Self::Slot | Self::StorageTrie | Self::AccountHistory | Self::StorageTrieHistory => {
                Some(32)
            }
            Self::SlotHistory => Some(64),
            _ => None,
        }
    }

    pub(crate) fn descriptor(self, cache: &Cache, write_buffer: usize) -> ColumnFamilyDescriptor {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(cache);
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_cache_index_and_filter_blocks_with_high_priority(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        blocks.set_format_version(6);
        let mut options = Options::default();
        options.set_write_buffer_size(write_buffer);
        options.set_max_write_buffer_number(3);
        options.set_target_file_size_base(64 << 20);
        options.set_max_bytes_for_level_base(256 << 20);
        options.set_compression_type(DBCompressionType::None);
        options.set_memtable_whole_key_filtering(true);
        options.set_memtable_prefix_bloom_ratio(0.02);
        match self.pattern() {
            Pattern::Random => point_reads(&mut blocks),
            Pattern::Present => {
                point_reads(&mut blocks);
                // The last level holds nine tenths of the keys and is asked for what it has.
                options.set_optimize_filters_for_hits(self.prefix().is_none());
            }
            Pattern::Appended => {
                blocks.set_block_size(16 << 10);
                blocks.set_bloom_filter(10.0, false);
                options.set_compression_type(DBCompressionType::Lz4);
                options.set_bottommost_compression_type(DBCompressionType::Zstd);
            }
        }
        if matches!(self, Self::Code) {
            options.set_compression_type(DBCompressionType::Lz4);
        }
        if let Some(length) = self.prefix() {
            options.set_prefix_extractor(SliceTransform::create_fixed_prefix(length));
        }
        options.set_block_based_table_factory(&blocks);
        ColumnFamilyDescriptor::new(self.name(), options)
    }
}

/// Blocks for reads of single keys that share no prefix: every key is found without a scan, and
/// indices and filters are looked up once for each table file, not for each read.
fn point_reads(blocks: &mut BlockBasedOptions) {
    blocks.set_block_size(4 << 10);
    blocks.set_block_restart_interval(1);
    blocks.set_bloom_filter(10.0, false);
    blocks.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    blocks.set_unpartitioned_pinning_tier(BlockBasedTablePinningTier::All);
}
