//! What the sequencer builds on: L1 origins with their deposits.
//!
//! A task keeps the L1 blocks from the unsafe head's origin on in memory; the sequencer's thread asks
//! and never waits. Where L1 is behind, was reorganised or is not known, the answer is the reason,
//! and no block is built.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cairn_chain::{AttributesSource, BlockRef, PayloadAttributes};
use cairn_l1::{HeadState, L1Client, NextStep};
use cairn_primitives::Header;
use cairn_rollup::l1::L1Block;
use cairn_rollup::origin::{L1View, select_origin};
use cairn_rollup::start::StartSource;
use cairn_rollup::{AttributesInput, RollupAttributes, RollupConfig, SystemConfig};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::extraction::Extractor;
use crate::payload::attributes;
use crate::worker::{Task, panic_of};
use crate::{ChainReader, DriverError};

/// L1 blocks that are kept ahead of the unsafe head's origin.
const AHEAD: u64 = 32;
/// How often the task looks without being told of a new head.
const LOOK: Duration = Duration::from_millis(500);

/// How origins are chosen.
#[derive(Debug, Clone)]
pub struct OriginsConfig {
    /// Parameters of the rollup.
    pub rollup: Arc<RollupConfig>,
    /// L1 blocks that must follow an origin before it is taken.
    pub confirmations: u64,
}

/// The task, and the source for the sequencer. Dropping it ends the task.
#[derive(Debug)]
pub struct L1Origins {
    config: OriginsConfig,
    reader: ChainReader,
    window: Arc<Mutex<Window>>,
    task: Task,
}

/// L1 blocks by number, each the child of the one before.
#[derive(Debug, Default)]
struct Window {
    head: u64,
    reorgs: u64,
    blocks: BTreeMap<u64, L1Block>,
    /// Why the last look failed.
    trouble: Option<String>,
}

impl L1Origins {
    /// Starts to read L1.
    pub fn spawn(
        config: OriginsConfig,
        reader: ChainReader,
        l1: Arc<L1Client>,
        heads: watch::Receiver<HeadState>,
    ) -> Self {
        let window = Arc::new(Mutex::new(Window::default()));
        let follower = Follower {
            extractor: Extractor::new(config.rollup.clone(), l1.clone()),
            reader: reader.clone(),
            l1,
            heads,
            window: window.clone(),
        };
        Self { config, reader, window, task: Task::spawn("origins", follower.run()) }
    }

    fn attributes(&self, parent: &Header) -> Result<PayloadAttributes, String> {
        if let Some(reason) = self.task.ended().reason() {
            return Err(format!("nobody reads L1 any more: {reason}"));
        }
        let config = &*self.config.rollup;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let parent = self.reader.existing(parent.number).map_err(|e| text(&e))?;
        let system_config = self.reader.system_config(parent.number).map_err(|e| text(&e))?;
        let window = self.window.lock();
        let origin = parent.l1_origin.number;
        let at = |number| window.blocks.get(&number).map(L1Block::block_ref);
        let view = L1View { head: window.head, current: at(origin), next: at(origin + 1) };
        let choice = select_origin(config, &parent, &view, self.config.confirmations);
        let choice = choice.map_err(|error| match &window.trouble {
            Some(trouble) => format!("{error}; {trouble}"),
            None => text(&error),
        })?;
        let block = window.blocks.get(&choice.origin.number).ok_or("the origin is gone")?;
        let system_config = system_config_at(system_config, parent.l1_origin.number, block);
        let input =
            AttributesInput { parent: &parent, origin: block, system_config: &system_config };
        let rollup = RollupAttributes::new(config, input);
        Ok(attributes(&rollup, choice.deposits_only))
    }
}

/// The configuration of the parent block, with the changes of the origin if it is a new one.
fn system_config_at(
    mut config: SystemConfig,
    parent_origin: u64,
    origin: &L1Block,
) -> SystemConfig {
    if origin.number != parent_origin {
        origin.config_updates.iter().for_each(|update| config.apply(update));
    }
    config
}

impl AttributesSource for L1Origins {
    fn next(&mut self, parent: &Header, timestamp: u64) -> Result<PayloadAttributes, String> {
        let attributes = self.attributes(parent)?;
        if attributes.block.timestamp != timestamp {
            let due = attributes.block.timestamp;
            return Err(format!("the block is to have timestamp {due}, not {timestamp}"));
        }
        Ok(attributes)
    }
}

struct Follower {
    extractor: Extractor,
    reader: ChainReader,
    l1: Arc<L1Client>,
    heads: watch::Receiver<HeadState>,
    window: Arc<Mutex<Window>>,
}

impl Follower {
    async fn run(mut self) -> Result<(), String> {
        loop {
            let pause = match self.look().await {
                Ok(()) => {
                    self.window.lock().trouble = None;
                    LOOK
                }
                Err(error) => {
                    tracing::warn!(target: "driver::origins", %error, "L1 not read");
                    self.window.lock().trouble = Some(error.to_string());
                    match error.next_step() {
                        NextStep::Retry(pause) => pause,
                        NextStep::Reset | NextStep::Stop => LOOK,
                    }
                }
            };
            tokio::select! {
                Ok(()) = self.heads.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Brings the window to where the unsafe head and L1 are.
    async fn look(&mut self) -> Result<(), DriverError> {
        let state = *self.heads.borrow_and_update();
        let Some(heads) = state.heads else { return Ok(()) };
        let reader = self.reader.clone();
        let head = tokio::task::spawn_blocking(move || reader.block_ref(BlockRef::Latest));
        let head = head
            .await
            .map_err(|error| panic_of(error).map_or(DriverError::Stopped, DriverError::Panic))??
            .unwrap_or_default();
        let origin = head.l1_origin.number;
        {
            let mut window = self.window.lock();
            if window.reorgs != state.reorgs {
                window.blocks.clear();
                window.reorgs = state.reorgs;
            }
            window.head = heads.latest.number;
            window.blocks = window.blocks.split_off(&origin);
        }
        for number in origin..=heads.latest.number.min(origin.saturating_add(AHEAD)) {
            if !self.window.lock().blocks.contains_key(&number) {
                self.fetch(number).await?;
            }
        }
        Ok(())
    }

    async fn fetch(&mut self, number: u64) -> Result<(), DriverError> {
        let Some(block) = self.l1.block_by_number(number).await? else { return Ok(()) };
        let block = self.extractor.extract(&block).await?;
        let mut window = self.window.lock();
        let parent = number.checked_sub(1).and_then(|parent| window.blocks.get(&parent));
        if parent.is_some_and(|parent| parent.hash != block.parent_hash) {
            // Reorganised since: everything is read again.
            window.blocks.clear();
            return Ok(());
        }
        window.blocks.insert(number, block);
        Ok(())
    }
}
