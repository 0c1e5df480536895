//! The blocks behind a cursor, in order, fetched ahead.
//!
//! Up to `window` blocks are asked for at once while their reader works on earlier ones; a window
//! is also what is kept in memory. Blocks come in order, each the child of the one before.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use alloy_eips::{BlockNumHash, BlockNumberOrTag};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::head::ended;
use crate::{FetchedBlock, HeadState, Heads, L1Client, L1Error, NextStep};

/// How long a block is tried for before the reader is told.
const PATIENCE: Duration = Duration::from_secs(30);
/// Least pause between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// A reader of L1 from a cursor on.
#[derive(Debug)]
pub struct Prefetcher {
    client: Arc<L1Client>,
    states: watch::Receiver<HeadState>,
    window: NonZeroUsize,
    cursor: BlockNumHash,
    /// The blocks behind the cursor.
    fetches: VecDeque<Fetch>,
    /// Reorganisations after which the cursor was seen to be canonical.
    reorgs_checked: u64,
}

/// A fetch, ended when nobody wants it any more.
#[derive(Debug)]
struct Fetch(JoinHandle<Result<Option<FetchedBlock>, L1Error>>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Prefetcher {
    /// Reads what comes after `cursor`, as far as the heads go.
    pub fn new(
        client: Arc<L1Client>,
        states: watch::Receiver<HeadState>,
        window: NonZeroUsize,
        cursor: BlockNumHash,
    ) -> Self {
        Self { client, states, window, cursor, fetches: VecDeque::new(), reorgs_checked: 0 }
    }

    /// The block given last.
    pub const fn cursor(&self) -> BlockNumHash {
        self.cursor
    }

    /// Goes on from another block. What was fetched is thrown away.
    pub fn reset(&mut self, cursor: BlockNumHash) {
        self.fetches.clear();
        self.cursor = cursor;
        self.reorgs_checked = 0;
    }

    /// The next block; waits at the head until there is one. Can be cancelled and called again.
    ///
    /// # Errors
    /// [`L1Error::Reorg`] if the cursor is no longer canonical: [`reset`](Self::reset) it. After
    /// other errors the same block is tried again by the next call.
    pub async fn next(&mut self) -> Result<FetchedBlock, L1Error> {
        loop {
            let state = *self.states.borrow_and_update();
            if let Some(heads) = state.heads {
                self.fill(heads.latest.number);
                if let Some(fetch) = self.fetches.front_mut() {
                    let fetched = (&mut fetch.0).await;
                    self.fetches.pop_front();
                    return self.accept(fetched.unwrap_or_else(|_| Err(ended())));
                }
                self.check_cursor(&heads, state.reorgs).await?;
            }
            self.states.changed().await.map_err(|_| ended())?;
        }
    }

    /// The next block if it can be had without waiting for L1 to grow; `None` at the head.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub async fn next_known(&mut self) -> Result<Option<FetchedBlock>, L1Error> {
        let state = *self.states.borrow();
        let Some(heads) = state.heads else { return Ok(None) };
        self.fill(heads.latest.number);
        if self.fetches.is_empty() {
            self.check_cursor(&heads, state.reorgs).await?;
            return Ok(None);
        }
        self.next().await.map(Some)
    }

    fn fill(&mut self, head: u64) {
        while self.fetches.len() < self.window.get() {
            let ahead = self.fetches.len() as u64;
            let number = self.cursor.number.saturating_add(ahead).saturating_add(1);
            if number > head {
                break;
            }
            let client = Arc::clone(&self.client);
            self.fetches.push_back(Fetch(tokio::spawn(fetch(client, number))));
        }
    }

    fn accept(
        &mut self,
        fetched: Result<Option<FetchedBlock>, L1Error>,
    ) -> Result<FetchedBlock, L1Error> {
        let number = self.cursor.number.saturating_add(1);
        let block = match fetched {
            Ok(Some(block)) => block,
            Ok(None) => {
                // The head was told of by another endpoint, or has gone back since.
                self.fetches.clear();
                return Err(L1Error::Unavailable {
                    what: format!("block {number}"),
                    reason: "the endpoint does not have it".to_owned(),
                    after: PAUSE_MIN,
                });
            }
            Err(error) => {
                // Those behind it were numbered on.
                self.fetches.clear();
                return Err(error);
            }
        };
        if block.header.parent_hash != self.cursor.hash {
            self.fetches.clear();
            return Err(L1Error::Reorg { cursor: self.cursor, found: block.id() });
        }
        self.cursor = block.id();
        Ok(block)
    }

    /// At the head, where no child tells of it: whether the cursor is still canonical.
    async fn check_cursor(&mut self, heads: &Heads, reorgs: u64) -> Result<(), L1Error> {
        let latest = heads.latest.id();
        let behind = latest.number < self.cursor.number;
        if latest == self.cursor || reorgs == self.reorgs_checked && !behind {
            self.reorgs_checked = reorgs;
            return Ok(());
        }
        let number = BlockNumberOrTag::Number(self.cursor.number);
        match self.client.block_ref(number).await? {
            Some(block) if block.hash == self.cursor.hash => {
                self.reorgs_checked = reorgs;
                Ok(())
            }
            found => {
                let found = found.map_or(latest, |block| block.id());
                Err(L1Error::Reorg { cursor: self.cursor, found })
            }
        }
    }
}

/// Fetches a block, again and again for a while.
async fn fetch(client: Arc<L1Client>, number: u64) -> Result<Option<FetchedBlock>, L1Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let error = match client.block_by_number(number).await {
            Err(error @ L1Error::Unavailable { .. }) => error,
            other => return other,
        };
        let NextStep::Retry(after) = error.next_step() else { return Err(error) };
        let pause = after.max(PAUSE_MIN);
        if Instant::now() + pause > deadline {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
    }
}
