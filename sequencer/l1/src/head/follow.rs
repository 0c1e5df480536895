//! The task that follows the heads.

use std::sync::Arc;
use std::time::Duration;

use alloy_eips::BlockNumberOrTag;
use cairn_rollup::L1BlockRef;
use reqwest::Url;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::subscribe::subscribe;
use super::{HeadChange, HeadTracker};
use crate::{L1Client, L1Error, NextStep};

/// How heads are followed.
#[derive(Debug, Clone)]
pub struct HeadConfig {
    /// Time between two looks when no subscription says that there is something to see.
    pub interval: Duration,
    /// WebSocket endpoint, if there is one.
    pub websocket: Option<Url>,
    /// A subscription that says nothing for so long is made anew.
    pub silence: Duration,
    /// Blocks remembered to find where a branch parts.
    pub depth: usize,
}

impl Default for HeadConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(2),
            websocket: None,
            silence: Duration::from_secs(60),
            depth: 256,
        }
    }
}

/// The heads of L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    /// The newest block.
    pub latest: L1BlockRef,
    /// The newest safe block, where L1 has that notion.
    pub safe: Option<L1BlockRef>,
    /// The newest finalized block, likewise.
    pub finalized: Option<L1BlockRef>,
}

/// Heads, and how often the chain has changed its branch. A reader that misses states still sees
/// from the count that there was a reorganisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadState {
    /// The heads; none before the first answer.
    pub heads: Option<Heads>,
    /// Reorganisations seen.
    pub reorgs: u64,
}

/// Follows the heads until dropped.
#[derive(Debug)]
pub struct HeadFollower {
    states: watch::Receiver<HeadState>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for HeadFollower {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl HeadFollower {
    /// Starts following. Must be called within a tokio runtime.
    pub fn spawn(client: Arc<L1Client>, config: HeadConfig) -> Self {
        let (sender, states) = watch::channel(HeadState::default());
        let wake = Arc::new(Notify::new());
        let mut tasks = Vec::new();
        if let Some(url) = config.websocket.clone() {
            tasks.push(tokio::spawn(subscribe(url, config.silence, Arc::clone(&wake))));
        }
        tasks.push(tokio::spawn(follow(client, config, wake, sender)));
        Self { states, tasks }
    }

    /// The states, always the newest.
    pub fn states(&self) -> watch::Receiver<HeadState> {
        self.states.clone()
    }

    /// The heads, as soon as L1 has said something.
    ///
    /// # Errors
    /// [`L1Error::Unavailable`] when the follower has ended.
    pub async fn heads(&self) -> Result<Heads, L1Error> {
        let mut states = self.states();
        let state = states.wait_for(|state| state.heads.is_some()).await;
        state.ok().and_then(|state| state.heads).ok_or_else(ended)
    }
}

/// What readers say when nobody follows any more.
pub(crate) fn ended() -> L1Error {
    L1Error::Unavailable {
        what: "the heads".to_owned(),
        reason: "nobody follows them any more".to_owned(),
        after: Duration::from_secs(1),
    }
}

async fn follow(
    client: Arc<L1Client>,
    config: HeadConfig,
    wake: Arc<Notify>,
    states: watch::Sender<HeadState>,
) {
    let mut tracker = HeadTracker::new(config.depth);
    loop {
        let pause = match look(&client, &mut tracker).await {
            Ok((heads, reorg)) => {
                publish(&states, heads, reorg);
                config.interval
            }
            Err(error) => {
                tracing::warn!(target: "l1::head", %error, "the heads are unknown");
                match error.next_step() {
                    NextStep::Retry(after) => after.max(Duration::from_millis(100)),
                    NextStep::Reset | NextStep::Stop => config.interval,
                }
            }
        };
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn publish(states: &watch::Sender<HeadState>, heads: Heads, reorg: bool) {
    states.send_if_modified(|state| {
        let before = *state;
        state.heads = Some(heads);
        state.reorgs = state.reorgs.saturating_add(u64::from(reorg));
        before != *state
    });
}

/// Reads all heads; says whether there was a reorganisation.
async fn look(client: &L1Client, tracker: &mut HeadTracker) -> Result<(Heads, bool), L1Error> {
    let Some(latest) = client.block_ref(BlockNumberOrTag::Latest).await? else {
        return Err(ended_without("latest block"));
    };
    let mut change = tracker.step(latest);
    while let HeadChange::Fetch(hash) = change {
        let Some(parent) = client.block_ref_by_hash(hash).await? else {
            return Err(ended_without("parent of the latest block"));
        };
        change = tracker.parent(parent);
    }
    let reorg = matches!(change, HeadChange::Reorg { .. });
    if let HeadChange::Reorg { common } = change {
        tracing::warn!(target: "l1::head", head = latest.number, ?common, "L1 was reorganised");
    }
    let safe = older(client, BlockNumberOrTag::Safe, &latest).await?;
    let finalized = older(client, BlockNumberOrTag::Finalized, &latest).await?;
    Ok((Heads { latest, safe, finalized }, reorg))
}

/// The block of a tag; none if L1 has none or an endpoint is ahead of the other.
async fn older(
    client: &L1Client,
    tag: BlockNumberOrTag,
    latest: &L1BlockRef,
) -> Result<Option<L1BlockRef>, L1Error> {
    let block = client.block_ref(tag).await?;
    Ok(block.filter(|block| block.number <= latest.number))
}

fn ended_without(what: &str) -> L1Error {
    L1Error::Unavailable {
        what: what.to_owned(),
        reason: "there is none".to_owned(),
        after: Duration::from_millis(500),
    }
}
