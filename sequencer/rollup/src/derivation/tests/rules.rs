//! One test for each rule by which a batch is dropped.

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};

use super::super::origins::Origins;
use super::super::validity::{Context, SpanError};
use super::super::{BatchDrop, SafeChain, oldest_origin};
use super::world::*;
use crate::batch::{SingularBatch, SpanBatch, SpanBatchBlock};
use crate::{L2BlockRef, RollupConfig, SystemConfig};

/// L1 blocks 100 to 106, 4 s apart; a safe chain of four blocks whose head has origin 102.
struct Case {
    config: RollupConfig,
    world: World,
    chain: Chain,
    safe: L2BlockRef,
    current: u64,
}

impl Case {
    fn new() -> Self {
        let world = World::with_l1(6, 4);
        let chain = world.sequenced(6);
        let safe = chain.refs()[4];
        assert_eq!((safe.l1_origin.number, safe.timestamp), (102, GENESIS_TIME + 8));
        Self { config: world.config.clone(), world, chain, safe, current: 106 }
    }

    /// The batch of block 5 as it should be.
    fn batch(&self) -> SingularBatch {
        (&self.chain.batch_blocks(5..6)[0]).into()
    }

    /// A span batch of these blocks.
    fn span(&self, blocks: std::ops::Range<usize>) -> SpanBatch {
        let blocks = self.chain.batch_blocks(blocks);
        let check = |hash: B256| hash[..20].try_into().unwrap();
        let block = |block: &crate::batch::BatchBlock| SpanBatchBlock {
            epoch: block.block.l1_origin.number,
            timestamp: block.block.timestamp,
            transactions: block.transactions.clone(),
        };
        SpanBatch {
            parent_check: check(blocks[0].block.parent_hash),
            l1_origin_check: check(blocks.last().unwrap().block.l1_origin.hash),
            blocks: blocks.iter().map(block).collect(),
        }
    }

    fn with_context<T>(&self, run: impl FnOnce(Context<'_>) -> T) -> T {
        let mut origins = Origins::new(SystemConfig::default());
        for block in &self.world.l1.blocks {
            if block.number <= self.current {
                origins.push(block.clone()).unwrap();
            }
        }
        let (config, safe, current) = (&self.config, &self.safe, self.current);
        run(Context { config, safe, origins: &origins, current })
    }

    fn singular(&self, change: impl FnOnce(&mut SingularBatch)) -> Result<(), BatchDrop> {
        let mut batch = self.batch();
        change(&mut batch);
        self.with_context(|context| context.check_singular(&batch))
    }

    fn check_span(&self, span: &SpanBatch) -> Result<(), BatchDrop> {
        self.with_context(|context| context.check_span(span, &self.chain)).map_err(|error| {
            match error {
                SpanError::Drop(reason) => reason,
                SpanError::Read(number, error) => panic!("block {number}: {error}"),
            }
        })
    }
}

#[test]
fn accepts_what_is_right() {
    assert_eq!(Case::new().singular(|_| {}), Ok(()));
    assert_eq!(Case::new().check_span(&Case::new().span(5..7)), Ok(()));
}

#[test]
fn drops_a_batch_ahead_of_the_next_block() {
    assert_eq!(Case::new().singular(|batch| batch.timestamp += 2), Err(BatchDrop::Future));
    assert_eq!(Case::new().singular(|batch| batch.timestamp += 1), Err(BatchDrop::Future));
}

#[test]
fn passes_over_a_batch_of_the_past() {
    assert_eq!(Case::new().singular(|batch| batch.timestamp -= 1), Err(BatchDrop::Past));
    assert_eq!(Case::new().singular(|batch| batch.timestamp = 0), Err(BatchDrop::Past));
}

#[test]
fn drops_a_batch_on_another_parent() {
    let result = Case::new().singular(|batch| batch.parent_hash = B256::ZERO);
    assert_eq!(result, Err(BatchDrop::Parent));
}

#[test]
fn drops_a_batch_after_its_sequencing_window() {
    let mut case = Case::new();
    case.config.seq_window_size = 4;
    assert_eq!(case.singular(|_| {}), Ok(()));
    case.config.seq_window_size = 3;
    assert_eq!(case.singular(|_| {}), Err(BatchDrop::Window));
}

#[test]
fn drops_a_batch_with_an_origin_older_than_the_safe_head_has() {
    let result = Case::new().singular(|batch| batch.epoch.number = 101);
    assert_eq!(result, Err(BatchDrop::OldOrigin(101)));
}

#[test]
fn drops_a_batch_that_skips_an_origin() {
    let result = Case::new().singular(|batch| batch.epoch.number = 104);
    assert_eq!(result, Err(BatchDrop::SkippedOrigin(104)));
    let result = Case::new().singular(|batch| batch.epoch.number = u64::MAX);
    assert_eq!(result, Err(BatchDrop::SkippedOrigin(u64::MAX)));
}

#[test]
fn drops_a_batch_whose_origin_is_not_there_yet() {
    let case = Case { current: 102, ..Case::new() };
    let result = case.singular(|batch| batch.epoch.number = 103);
    assert_eq!(result, Err(BatchDrop::FutureOrigin(103)));
}

#[test]
fn drops_a_batch_with_an_origin_on_another_l1() {
    let result = Case::new().singular(|batch| batch.epoch.hash = B256::ZERO);
    assert_eq!(result, Err(BatchDrop::OriginHash(102)));
}

#[test]
fn drops_a_batch_older_than_its_origin() {
    let case = Case::new();
    let epoch = case.world.l1.block(103).unwrap().id();
    assert_eq!(case.singular(|batch| batch.epoch = epoch), Err(BatchDrop::BeforeOrigin));
}

#[test]
fn drops_transactions_in_the_block_that_activates_jovian() {
    let mut case = Case::new();
    case.config.forks.jovian_time = Some(GENESIS_TIME + 10);
    assert_eq!(case.singular(|_| {}), Err(BatchDrop::ActivationBlock));
    assert_eq!(case.singular(|batch| batch.transactions.clear()), Ok(()));
}

/// The safe head is as far ahead of its origin as it may be.
fn beyond_the_drift(next_origin: u64) -> Case {
    let mut case = Case::new();
    case.safe.timestamp = GENESIS_TIME + 8 + 1800;
    case.world.l1.block_mut(103).timestamp = next_origin;
    case
}

#[test]
fn drops_transactions_beyond_the_drift() {
    let case = beyond_the_drift(GENESIS_TIME + 5000);
    let next = case.safe.timestamp + 2;
    let result = case.singular(|batch| batch.timestamp = next);
    assert_eq!(result, Err(BatchDrop::Drift));
    let empty = |batch: &mut SingularBatch| {
        batch.timestamp = next;
        batch.transactions.clear();
    };
    assert_eq!(case.singular(empty), Ok(()));
    let case = beyond_the_drift(next);
    assert_eq!(case.singular(empty), Err(BatchDrop::DriftOrigin));
    let case = Case { current: 102, ..beyond_the_drift(next) };
    assert_eq!(case.singular(empty), Err(BatchDrop::FutureOrigin(103)));
}

#[test]
fn drops_transactions_that_users_cannot_sign() {
    let with = |bytes: &'static [u8]| {
        Case::new().singular(|batch| batch.transactions.push(Bytes::from_static(bytes)))
    };
    assert_eq!(with(b""), Err(BatchDrop::EmptyTransaction(1)));
    assert_eq!(with(b"\x7e\x01"), Err(BatchDrop::Deposit(1)));
    for kind in [0u8, 3, 5, 0x7f, 0x80, 0xbf, 0xff] {
        let result = Case::new().singular(|batch| batch.transactions.push(vec![kind].into()));
        assert_eq!(result, Err(BatchDrop::TransactionType { index: 1, kind }));
    }
    for good in [b"\x01", b"\x02", b"\x04", b"\xc0", b"\xf8"] {
        assert_eq!(with(good), Ok(()), "{good:x?}");
    }
    assert_eq!(Case::new().singular(|batch| batch.transactions.push(transaction(1, 1))), Ok(()));
}

#[test]
fn drops_a_span_behind_a_gap() {
    assert_eq!(Case::new().check_span(&Case::new().span(6..7)), Err(BatchDrop::Future));
}

#[test]
fn passes_over_a_span_of_the_past() {
    assert_eq!(Case::new().check_span(&Case::new().span(1..5)), Err(BatchDrop::Past));
}

#[test]
fn drops_a_span_between_blocks() {
    let mut span = Case::new().span(4..7);
    span.blocks.iter_mut().for_each(|block| block.timestamp += 1);
    assert_eq!(Case::new().check_span(&span), Err(BatchDrop::Misaligned));
    span.blocks.clear();
    assert_eq!(Case::new().check_span(&span), Err(BatchDrop::Misaligned));
}

#[test]
fn drops_a_span_on_another_parent() {
    for blocks in [5..7, 2..7] {
        let mut span = Case::new().span(blocks);
        span.parent_check[0] ^= 1;
        assert_eq!(Case::new().check_span(&span), Err(BatchDrop::Parent));
    }
    let mut span = Case::new().span(1..7);
    assert_eq!(Case::new().check_span(&span), Ok(()));
    // Where genesis is, or before.
    span.blocks[0].timestamp -= 2;
    assert_eq!(Case::new().check_span(&span), Err(BatchDrop::Parent));
    span.blocks[0].timestamp = GENESIS_TIME - 200;
    assert_eq!(Case::new().check_span(&span), Err(BatchDrop::Parent));
}

#[test]
fn drops_a_span_after_the_window_of_its_first_block() {
    let mut case = Case::new();
    case.config.seq_window_size = 4;
    assert_eq!(case.check_span(&case.span(5..7)), Ok(()));
    assert_eq!(case.check_span(&case.span(2..7)), Err(BatchDrop::Window));
}

#[test]
fn drops_a_span_whose_origins_do_not_follow_its_parents() {
    let case = Case::new();
    let mut span = case.span(5..7);
    span.blocks[0].epoch = 104;
    assert_eq!(case.check_span(&span), Err(BatchDrop::SkippedOrigin(104)));
    span.blocks[0].epoch = 101;
    assert_eq!(case.check_span(&span), Err(BatchDrop::OldOrigin(101)));
    span.blocks.iter_mut().for_each(|block| block.epoch = 101);
    assert_eq!(case.check_span(&span), Err(BatchDrop::OldOrigin(101)));
}

#[test]
fn drops_a_span_of_another_l1() {
    let case = Case::new();
    let mut span = case.span(5..7);
    span.l1_origin_check[19] ^= 1;
    assert_eq!(case.check_span(&span), Err(BatchDrop::OriginHash(103)));
}

#[test]
fn drops_a_span_whose_last_origin_is_not_there_yet() {
    let case = Case { current: 102, ..Case::new() };
    assert_eq!(case.check_span(&case.span(5..7)), Err(BatchDrop::FutureOrigin(103)));
}

#[test]
fn a_safe_block_that_cannot_be_read_is_not_the_batchs_fault() {
    struct Broken;
    impl SafeChain for Broken {
        fn block(&self, _: u64) -> Result<Option<L2BlockRef>, cairn_primitives::ReadError> {
            Err(cairn_primitives::ReadError::Store("disk".into()))
        }
    }
    let case = Case::new();
    let span = case.span(3..7);
    let error = case.with_context(|context| context.check_span(&span, &Broken)).unwrap_err();
    assert!(matches!(error, SpanError::Read(2, _)));
}

/// A node that keeps no bodies but that of its safe head.
struct Pruned;

impl SafeChain for Pruned {
    fn block(&self, _: u64) -> Result<Option<L2BlockRef>, cairn_primitives::ReadError> {
        Ok(None)
    }
}

#[test]
fn a_span_behind_a_block_that_nobody_has_to_keep_is_dropped() {
    let case = Case::new();
    let check = |span: &SpanBatch| case.with_context(|context| context.check_span(span, &Pruned));
    assert!(check(&case.span(5..7)).is_ok(), "the safe head is known");
    let dropped = check(&case.span(3..7)).unwrap_err();
    assert!(matches!(dropped, SpanError::Drop(BatchDrop::SkippedOrigin(101))), "{dropped:?}");
}

#[test]
fn whatever_a_span_may_follow_is_kept() {
    let mut case = Case::new();
    for window in 1..8 {
        case.config.seq_window_size = window;
        case.config.channel_timeout_granite = 1;
        for first in 1..5usize {
            // What is read comes behind the origin of any block that can be final.
            let finalized = case.current - 1;
            let parent = case.chain.refs()[first - 1];
            let kept = parent.l1_origin.number >= oldest_origin(&case.config, finalized);
            let valid = case.check_span(&case.span(first..7)).is_ok();
            assert!(kept || !valid, "window {window}, first {first}");
        }
    }
}

#[test]
fn a_block_of_an_origin_outside_the_window_is_invalid_and_no_error() {
    // The origin bits of a span may lead anywhere; only its last origin has been checked.
    let epoch = BlockNumHash { number: 90, hash: B256::ZERO };
    let result = Case::new().singular(|batch| batch.epoch = epoch);
    assert_eq!(result, Err(BatchDrop::Window));
}
