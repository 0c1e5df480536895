use super::*;
use crate::derivation::oldest_origin;
use crate::testing::config;

/// Ten L2 blocks, two for each L1 block from 100 on, with L1 hashes of fork 0.
struct Store {
    config: RollupConfig,
    blocks: Vec<L2BlockRef>,
    index: Vec<SafeHeadEntry>,
    /// The lowest origin of blocks of which there is more than the header, beside genesis.
    oldest: u64,
}

fn l1_id(number: u64, fork: u8) -> BlockNumHash {
    let mut hash = B256::repeat_byte(fork);
    hash.0[24..].copy_from_slice(&number.to_be_bytes());
    BlockNumHash { number, hash }
}

impl Store {
    fn new() -> Self {
        let mut config = config();
        config.channel_timeout_granite = 4;
        config.genesis.l1 = l1_id(100, 0);
        let block = |number: u64| L2BlockRef {
            hash: B256::with_last_byte(number as u8),
            number,
            l1_origin: l1_id(100 + number / 2, 0),
            sequence_number: number % 2,
            ..L2BlockRef::default()
        };
        Self { config, blocks: (0..20).map(block).collect(), index: Vec::new(), oldest: 0 }
    }

    fn entry(mut self, l1: u64, l2: u64) -> Self {
        let l2 = self.blocks[l2 as usize].id();
        self.index.push(SafeHeadEntry { l1: l1_id(l1, 0), l2 });
        self
    }

    /// Searches with L1 of fork 0 up to `common` and fork 1 up to `head`.
    fn start(&self, common: u64, head: u64, finalized: u64) -> Result<Start, StartError> {
        let mut known = KnownL1::new();
        loop {
            let unsafe_head = self.blocks.len() as u64 - 1;
            match find_start(&self.config, unsafe_head, finalized, self, &known) {
                Err(StartError::NeedL1(number)) => {
                    let hash = l1_id(number, u8::from(number > common)).hash;
                    known.insert(number, (number <= head).then_some(hash));
                }
                result => return result,
            }
        }
    }
}

impl StartSource for Store {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        let block = self.blocks.get(number as usize).copied();
        Ok(block.filter(|block| block.number == 0 || block.l1_origin.number >= self.oldest))
    }

    fn system_config(&self, number: u64) -> Result<SystemConfig, ReadError> {
        Ok(SystemConfig { gas_limit: number, ..SystemConfig::default() })
    }

    fn safe_head(&self, l1_number: u64) -> Result<Option<SafeHeadEntry>, ReadError> {
        Ok(self.index.iter().rev().find(|entry| entry.l1.number <= l1_number).copied())
    }
}

#[test]
fn an_empty_index_starts_at_genesis_and_keeps_unsafe_blocks() {
    let store = Store::new();
    let start = store.start(120, 120, 0).unwrap();
    assert_eq!(start.unsafe_head.number, 19);
    assert_eq!((start.safe.number, start.processed, start.l1), (0, l1_id(100, 0), l1_id(100, 0)));
    assert_eq!(start.system_config, store.config.genesis.system_config);
}

#[test]
fn reading_begins_where_an_open_channel_can_have_begun() {
    // Behind 108 a channel can be open since 105; the safe head's origin is 107.
    let start = Store::new().entry(107, 12).entry(108, 15).start(120, 120, 0).unwrap();
    assert_eq!((start.safe.number, start.processed), (15, l1_id(108, 0)));
    assert_eq!(start.l1, l1_id(105, 0));
    // Block 11 is the last of epoch 105.
    assert_eq!(start.system_config.gas_limit, 11);
    // The safe head's origin lies further back than a channel.
    let start = Store::new().entry(108, 6).start(120, 120, 0).unwrap();
    assert_eq!((start.l1, start.system_config.gas_limit), (l1_id(103, 0), 6));
    let start = Store::new().entry(102, 3).start(120, 120, 0).unwrap();
    assert_eq!(start.l1, l1_id(100, 0));
}

#[test]
fn a_reorganisation_takes_the_newest_entry_and_unsafe_block_that_hold() {
    let store = Store::new().entry(104, 5).entry(106, 9).entry(107, 11);
    let start = store.start(106, 130, 0).unwrap();
    assert_eq!((start.safe.number, start.processed), (9, l1_id(106, 0)));
    assert_eq!(start.unsafe_head.number, 13);
    let start = store.start(104, 130, 0).unwrap();
    assert_eq!((start.safe.number, start.unsafe_head.number), (5, 9));
    // Of the safe block itself the origin is canonical, else its entry would not be.
    let start = store.start(103, 130, 0).unwrap();
    assert_eq!((start.safe.number, start.unsafe_head.number), (0, 7));
}

#[test]
fn origins_ahead_of_l1_are_plausible_if_what_is_below_holds() {
    let store = Store::new().entry(104, 5);
    assert_eq!(store.start(107, 107, 0).unwrap().unsafe_head.number, 19);
    // 106 and 107 are of another fork, 108 and 109 not there yet.
    assert_eq!(store.start(105, 107, 0).unwrap().unsafe_head.number, 11);
}

#[test]
fn an_entry_whose_block_is_not_ours_is_passed_over() {
    let mut store = Store::new().entry(104, 5).entry(106, 9);
    store.index[1].l2.hash = B256::ZERO;
    assert_eq!(store.start(120, 120, 0).unwrap().safe.number, 5);
    store.index[1].l2.number = 77;
    assert_eq!(store.start(120, 120, 0).unwrap().safe.number, 5);
}

#[test]
fn a_start_needs_no_block_that_may_be_pruned() {
    for finalized in 0..20u64 {
        let origin = 100 + finalized / 2;
        // The finalized block came from an L1 block behind its origin, and so did all after it.
        for (l1, safe) in (origin + 1..120).flat_map(|l1| (finalized..20).map(move |s| (l1, s))) {
            let whole = Store::new().entry(l1, safe);
            let mut pruned = Store::new().entry(l1, safe);
            // The window has no part in a start.
            pruned.config.seq_window_size = 1;
            pruned.oldest = oldest_origin(&pruned.config, origin);
            let expected = whole.start(120, 120, finalized).unwrap();
            assert_eq!(pruned.start(120, 120, finalized).unwrap(), expected, "{l1} {safe}");
        }
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let store = Store::new().entry(104, 5);
    let error = store.start(99, 120, 0).unwrap_err();
    assert!(matches!(error, StartError::WrongL1 { actual: Some(_), .. }), "{error}");
    let error = store.start(99, 99, 0).unwrap_err();
    assert!(matches!(error, StartError::WrongL1 { actual: None, .. }), "{error}");
    let error = store.start(103, 120, 4).unwrap_err();
    assert!(matches!(error, StartError::BelowFinalized { safe: 0, finalized: 4 }), "{error}");
    let error = find_start(
        &store.config,
        50,
        0,
        &store,
        &KnownL1::from([(100, Some(l1_id(100, 0).hash)), (104, Some(l1_id(104, 0).hash))]),
    );
    assert!(matches!(error, Err(StartError::MissingBlock(50))));
}
