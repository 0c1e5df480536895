//! A node of a rollup: L1 on one side, the chain on the other.

mod agreement;
mod args;
mod awaiting;
mod duties;
mod key;
mod l1;

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy_genesis::Genesis;
use cairn_chain::{AttributesSource, BlockTiming, Chain, DaLimit, Retention};
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_driver::{
    ChainReader, DataReader, DerivationConfig, DerivationTask, FeedClient, FeedConfig, L1Origins,
    OriginsConfig, RollupRetention,
};
use cairn_l1::{HeadFollower, L1Client};
use cairn_rollup::{RollupConfig, RollupHandle};
use cairn_rpc::{PortConfig, RpcConfig};
use eyre::WrapErr;
use tokio::sync::watch;

use self::awaiting::DutiesTask;

pub(crate) use args::{CarrierChoice, Role, RollupArgs};

/// L1 blocks fetched ahead of derivation.
const PREFETCH: NonZeroUsize = NonZeroUsize::new(16).expect("not zero");
/// L1 blocks that must follow an origin before the sequencer builds on it.
const CONFIRMATIONS: u64 = 4;

/// What a rollup's node has beside its chain, before anything derives.
#[derive(Debug)]
pub(crate) struct Rollup {
    args: RollupArgs,
    config: Arc<RollupConfig>,
    l1: Arc<L1Client>,
    follower: HeadFollower,
    data: DataReader,
    handle: RollupHandle,
    /// Between batcher and sequencer.
    da_limit: DaLimit,
}

/// The running parts. Dropping them ends them.
#[derive(Debug)]
pub(crate) struct RollupTasks {
    derivation: DerivationTask,
    duties: DutiesTask,
    feed: Option<FeedClient>,
}

impl Rollup {
    /// Reads `rollup.json`, if the node has one, and starts to follow L1. Must be called within a
    /// tokio runtime.
    pub(crate) fn open(args: &RollupArgs) -> eyre::Result<Option<Self>> {
        let Some(path) = &args.rollup_config else {
            eyre::ensure!(
                args.role != Some(Role::Verifier),
                "--role verifier needs --rollup-config"
            );
            return Ok(None);
        };
        let config = Arc::new(read_config(path)?);
        let l1 = Arc::new(l1::client(args, &config)?);
        let follower = HeadFollower::spawn(l1.clone(), l1::head_config(&args.l1)?);
        let (provider, blobs) = (l1.provider(), l1::blobs(&args.l1)?);
        let data = DataReader::new(&config, provider, blobs, RetrievalPolicy::default())?;
        let handle = RollupHandle::new(config.clone());
        let da_limit = DaLimit::default();
        Ok(Some(Self { args: args.clone(), config, l1, follower, data, handle, da_limit }))
    }

    /// Refuses a genesis file that is not the one of the rollup.
    pub(crate) fn check(&self, chain: &Chain, genesis: &Genesis) -> eyre::Result<()> {
        agreement::check(&self.config, chain, genesis)
    }

    pub(crate) const fn handle(&self) -> &RollupHandle {
        &self.handle
    }

    /// What the batcher allows blocks.
    pub(crate) fn da_limit(&self) -> DaLimit {
        self.da_limit.clone()
    }

    pub(crate) fn role(&self) -> Role {
        self.args.role.unwrap_or_default()
    }

    /// Time between blocks.
    pub(crate) fn block_time(&self) -> eyre::Result<(Duration, BlockTiming)> {
        let seconds = NonZeroU64::new(self.config.block_time)
            .ok_or_else(|| eyre::eyre!("block_time is zero"))?;
        Ok((Duration::from_secs(seconds.get()), BlockTiming::FixedInterval(seconds)))
    }

    /// What must not be pruned.
    pub(crate) fn retention(&self) -> Arc<dyn Retention> {
        Arc::new(RollupRetention::new(self.config.clone()))
    }

    /// What the sequencer builds on.
    pub(crate) fn origins(&self, chain: &Chain) -> Box<dyn AttributesSource> {
        let config = OriginsConfig {
            rollup: self.config.clone(),
            confirmations: self.args.l1.confirmations.unwrap_or(CONFIRMATIONS),
        };
        let reader = ChainReader::new(chain.clone(), self.config.clone());
        Box::new(L1Origins::spawn(config, reader, self.l1.clone(), self.follower.states()))
    }

    /// The feed's key and the admin port.
    pub(crate) fn configure(&self, rpc: &mut RpcConfig) -> eyre::Result<()> {
        if let Some(path) = &self.args.feed.key_file {
            rpc.feed_signer = Some(Arc::new(duties::signer(&self.args, path)?));
        }
        if let Some(port) = self.args.admin.port {
            let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
            let namespaces = vec!["admin".to_owned()];
            rpc.ports.push(PortConfig { address, namespaces, ..PortConfig::default() });
        }
        Ok(())
    }

    /// Starts deriving and everything that goes with it.
    pub(crate) async fn start(self, datadir: &Path, chain: &Chain) -> eyre::Result<RollupTasks> {
        let (feed, blocks) = match self.feed_config()? {
            Some(config) => {
                let (client, blocks) = FeedClient::spawn(config, chain.clone());
                (Some(client), Some(blocks))
            }
            None => (None, None),
        };
        let derivation = DerivationTask::spawn(DerivationConfig {
            chain: chain.clone(),
            rollup: self.config.clone(),
            l1: self.l1.clone(),
            heads: self.follower.states(),
            data: self.data.clone(),
            feed: blocks,
            prefetch: PREFETCH,
            handle: self.handle.clone(),
        })?;
        let duties = DutiesTask::start(Arc::new(self), datadir, chain).await?;
        Ok(RollupTasks { derivation, duties, feed })
    }

    fn feed_config(&self) -> eyre::Result<Option<FeedConfig>> {
        let Some(url) = self.args.feed.url.clone().filter(|_| self.role() == Role::Verifier) else {
            return Ok(None);
        };
        let signer = match self.args.feed.signer {
            Some(signer) => watch::channel(Some(signer)).1,
            None => l1::unsafe_block_signer(&self.l1, &self.config),
        };
        Ok(Some(FeedConfig {
            url,
            signer,
            chain_id: self.config.l2_chain_id,
            pause: Duration::from_secs(1),
            silence: Duration::from_secs(self.config.block_time.saturating_mul(10).max(10)),
        }))
    }
}

impl RollupTasks {
    /// Which part has ended of itself and why, if one has.
    pub(crate) fn ended(&self) -> Option<String> {
        let parts = [
            ("derivation", self.derivation.ended()),
            ("what the node does on L1", self.duties.ended()),
            ("the block feed", self.feed.as_ref().and_then(FeedClient::ended)),
        ];
        let mut ended = parts.into_iter().filter_map(|(part, reason)| Some((part, reason?)));
        ended.next().map(|(part, reason)| format!("{part} has ended: {reason}"))
    }

    /// Ends everything, and waits for it.
    pub(crate) async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || {
            drop(self.duties);
            drop(self.derivation);
        });
        if stopped.await.is_err() {
            tracing::error!(target: "node", "a task did not stop in order");
        }
    }
}

fn read_config(path: &Path) -> eyre::Result<RollupConfig> {
    let name = || format!("rollup configuration {}", path.display());
    let text = std::fs::read_to_string(path).wrap_err_with(name)?;
    let config: RollupConfig = serde_json::from_str(&text).wrap_err_with(name)?;
    config.check().wrap_err_with(name)?;
    Ok(config)
}
