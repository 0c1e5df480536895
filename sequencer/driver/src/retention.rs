//! What a node of a rollup must not prune.

use std::sync::Arc;

use cairn_chain::{Chain, Retention};
use cairn_primitives::ReadError;
use cairn_rollup::RollupConfig;
use cairn_rollup::derivation::oldest_origin;
use parking_lot::Mutex;

use crate::ChainReader;
use crate::chain_reader::store;

/// Keeps what batcher and derivation may still read: everything above the finalized head, which L1 can
/// take back, and below it what [`oldest_origin`] says.
#[derive(Debug)]
pub struct RollupRetention {
    rollup: Arc<RollupConfig>,
    /// The last answer, and the finalized block that it was about.
    last: Mutex<Option<(u64, u64)>>,
}

impl RollupRetention {
    /// For the chain of that rollup.
    pub const fn new(rollup: Arc<RollupConfig>) -> Self {
        Self { rollup, last: Mutex::new(None) }
    }
}

impl Retention for RollupRetention {
    fn first_block(&self, chain: &Chain, finalized: u64) -> Result<u64, ReadError> {
        if finalized <= self.rollup.genesis.l2.number {
            return Ok(finalized);
        }
        let mut last = self.last.lock();
        if let Some((_, first)) = last.filter(|(of, _)| *of == finalized) {
            return Ok(first);
        }
        let reader = ChainReader::new(chain.clone(), self.rollup.clone());
        let origin = |number| reader.existing(number).map(|name| name.l1_origin.number);
        let oldest = oldest_origin(&self.rollup, origin(finalized).map_err(store)?);
        // Origins never go back from block to block, and genesis is kept anyway.
        let mut from = chain.store().first_block_with_body().max(self.rollup.genesis.l2.number);
        let mut to = finalized;
        while from < to {
            let middle = from.midpoint(to);
            if origin(middle).map_err(store)? < oldest {
                from = middle.saturating_add(1);
            } else {
                to = middle;
            }
        }
        *last = Some((finalized, to));
        Ok(to)
    }
}

#[cfg(test)]
mod tests {
    use cairn_rollup::derivation::SafeChain;
    use cairn_state::{Keep, Options};

    use super::*;
    use crate::testing::{TestChain, rollup};

    fn config(chain: &Chain, seq_window_size: u64, lifetime: u64) -> Arc<RollupConfig> {
        let mut config = (*rollup(chain, Default::default())).clone();
        (config.seq_window_size, config.channel_timeout_granite) = (seq_window_size, lifetime);
        Arc::new(config)
    }

    /// The test chain has a new origin with every twelfth block.
    fn first_of_origin(origin: u64) -> u64 {
        origin * 12
    }

    #[test]
    fn blocks_of_the_window_before_the_finalized_origin_stay() {
        let chain = TestChain::new();
        for _ in 0..80 {
            chain.extend(1);
        }
        for (window, lifetime, finalized, origin) in [
            (2, 1, 79, 4),
            (1, 2, 79, 4),
            (2, 1, 72, 4),
            (2, 1, 71, 3),
            (2, 1, 13, 0),
            (1, 1, 24, 1),
            (9, 1, 79, 0),
            (2, 1, 0, 0),
        ] {
            let retention = RollupRetention::new(config(&chain.chain, window, lifetime));
            for _ in 0..2 {
                let first = retention.first_block(&chain.chain, finalized).unwrap();
                assert_eq!(first, first_of_origin(origin), "{window} {lifetime} {finalized}");
            }
        }
    }

    #[test]
    fn a_finalized_block_that_is_not_there_is_an_error() {
        let chain = TestChain::new();
        let retention = RollupRetention::new(config(&chain.chain, 2, 1));
        assert!(matches!(retention.first_block(&chain.chain, 5), Err(ReadError::Store(_))));
        assert_eq!(retention.first_block(&chain.chain, 0).unwrap(), 0);
    }

    #[test]
    fn a_chain_prunes_up_to_there_and_no_further() {
        let keep = Options {
            state_history: Keep::Last(1),
            block_data: Keep::Last(1),
            ..Options::default()
        };
        let chain =
            TestChain::keeping(keep, |chain| Arc::new(RollupRetention::new(config(chain, 2, 1))));
        let extend = |count: u64| {
            for _ in 0..count {
                chain.extend(1);
                chain.chain.flush().unwrap();
            }
        };
        extend(60);
        let store = chain.chain.store();
        assert!(store.first_block_with_body() <= 1, "nothing is final");
        assert_eq!(store.first_block_with_state(), 0);
        let (safe, _) = chain.header(50);
        chain.make_safe(safe, None);
        chain.finalize(safe);
        chain.chain.flush().unwrap();
        // Pruning comes after writes, a few blocks at a time.
        extend(4);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while store.first_block_with_state() < 50 {
            assert!(std::time::Instant::now() < deadline, "nothing is pruned");
            extend(1);
        }
        // Block 50 has origin 4.
        assert_eq!(store.first_block_with_body(), first_of_origin(2));
        let reader = ChainReader::new(chain.chain.clone(), config(&chain.chain, 2, 1));
        assert!(reader.block(first_of_origin(2)).unwrap().is_some());
        assert_eq!(reader.block(first_of_origin(2) - 1).unwrap(), None, "pruned, and no failure");
        assert!(reader.block(10_000).is_err());
        chain.chain.unwind_to(50).unwrap();
        assert_eq!(chain.chain.heads().unsafe_head.number, 50);
    }
}
