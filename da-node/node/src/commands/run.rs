//! `run`: a node until it is told to stop.

use std::time::Duration;

use alloy::providers::DynProvider;
use cairn_da_client::registry::{Registry, RegistryError};
use cairn_da_node::admission::{Event, Operator, Quorums};
use cairn_da_node::http::{inject, router};
use cairn_da_node::l1::{Follower, Keeper, Reporter, ReporterConfig};
use cairn_da_node::store::StoreOptions;
use cairn_da_node::{Clock, Node, NodeConfig};
use cairn_node_setup::{Server, ServerLimits, install_recorder, metrics_router, told_to_stop};
use eyre::WrapErr;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{domain, l1_account, operator_key, provider};
use crate::config::RunArgs;

/// Time for one look at L1.
const L1_TIME: Duration = Duration::from_secs(30);
/// Time for the transactions of one round, to be mined.
const TRANSACTION_TIME: Duration = Duration::from_secs(180);
/// Time between looks at the disk.
const DISK_PERIOD: Duration = Duration::from_secs(10);

/// Runs a node. Returns after SIGTERM or SIGINT, when no request is in progress any more.
pub(crate) fn run(args: RunArgs) -> eyre::Result<()> {
    let args = args.resolve()?;
    // Before anything that records.
    let recorder = install_recorder()?;
    let node = open(&args)?;
    node.warm();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(args.clone(), node.clone(), stopped.clone()));
        tasks.spawn(keep_epochs(args.clone(), stopped.clone()));
        tasks.spawn(tend(node.clone(), args.prune_period(), stopped));
        let limits = args.http.limits();
        let router = inject(router(node, limits), args.inject.injection());
        let server = Server::start(args.http.socket(), router, limits).await;
        let server = server.wrap_err("http")?;
        let metrics = args.metrics.socket();
        let metrics = Server::start(metrics, metrics_router(recorder), ServerLimits::default());
        let metrics = metrics.await.wrap_err("metrics")?;
        println!("listening on http://{}", server.local_addr());
        tracing::info!(
            target: "da::node", http = %server.local_addr(), metrics = %metrics.local_addr(),
            "started"
        );
        let failure = wait(&mut tasks).await?;
        tracing::info!(target: "da::node", "stopping");
        server.stop().await;
        metrics.stop().await;
        // Tasks that have ended do not listen.
        let _ = stop.send(());
        tasks.shutdown().await;
        failure.map_or(Ok(()), Err)
    })
}

fn open(args: &RunArgs) -> eyre::Result<Node> {
    let missing = |name: &'static str| move || eyre::eyre!("{name} is missing");
    let datadir = args.datadir.as_ref().ok_or_else(missing("datadir"))?;
    let key = args.key.as_ref().ok_or_else(missing("key"))?;
    let key = operator_key(key, args.key_password_file.as_deref())?;
    let operator = Operator {
        domain: domain(&args.l1)?,
        address: args.operator.ok_or_else(missing("operator"))?,
        key: key.public_key(),
    };
    Ok(Node::open(NodeConfig {
        store_dir: datadir.join("rows"),
        store: StoreOptions::default(),
        operator,
        key,
        limits: args.limits(),
        disk_reserve: args.disk_reserve(),
        clock: Clock::default(),
    })?)
}

/// Waits for a signal, or for a task that failed.
async fn wait(tasks: &mut JoinSet<eyre::Result<()>>) -> eyre::Result<Option<eyre::Report>> {
    tokio::select! {
        told = told_to_stop() => {
            tracing::info!(target: "da::node", signal = told?, "told to stop");
            Ok(None)
        }
        ended = tasks.join_next() => Ok(match ended {
            Some(Ok(Err(error))) => Some(error),
            Some(Err(error)) => Some(error.into()),
            Some(Ok(Ok(()))) | None => None,
        }),
    }
}

/// Reads L1 until the node stops. Failures are told and tried again; only another chain than the
/// configured one ends the node.
async fn follow(args: RunArgs, node: Node, mut stopped: watch::Receiver<()>) -> eyre::Result<()> {
    let domain = domain(&args.l1)?;
    let provider = provider(&args.l1, None)?;
    let mut follower = None;
    loop {
        let round = async {
            let follower = match &mut follower {
                Some(follower) => follower,
                None => {
                    let registry = Registry::new(provider.clone(), domain).await?;
                    follower.insert(Follower::new(registry, args.l1.confirmations()))
                }
            };
            follower.poll().await
        };
        match timeout(L1_TIME, round).await {
            Ok(Ok(Some(quorums))) => tell(&node, quorums),
            Ok(Ok(None)) => {}
            Ok(Err(error @ RegistryError::WrongChain { .. })) => return Err(error.into()),
            Ok(Err(error)) => complain(&error),
            Err(error) => complain(&error),
        }
        tokio::select! {
            () = tokio::time::sleep(args.l1.period()) => {}
            _ = stopped.changed() => return Ok(()),
        }
    }
}

fn tell(node: &Node, quorums: Quorums) {
    metrics::gauge!("da_l1_block").set(quorums.head.number as f64);
    metrics::gauge!("da_epoch").set(quorums.current.0 as f64);
    node.step(Event::Quorums(quorums));
}

fn complain(error: &dyn std::fmt::Display) {
    metrics::counter!("da_l1_errors_total").increment(1);
    tracing::warn!(target: "da::l1", %error, "registry not read");
}

/// Takes snapshots, draws seeds, and reports signers of the inbox that is named, until the node stops,
/// if it has an account on L1. All of one account is sent here, one behind the other.
async fn keep_epochs(args: RunArgs, mut stopped: watch::Receiver<()>) -> eyre::Result<()> {
    let Some(account) = l1_account(&args.l1)? else {
        // A dropped sender says the same as a message.
        let _ = stopped.changed().await;
        return Ok(());
    };
    let registry = domain(&args.l1)?.registry;
    let first_block = args.l1.first_block.unwrap_or(0);
    let sender = provider(&args.l1, Some(account))?;
    let mut reporter = reporter(&args, sender.clone())?;
    let mut keeper = Keeper::new(sender, registry, first_block);
    loop {
        keep(&mut keeper).await;
        if let Some(reporter) = &mut reporter {
            report(reporter).await?;
        }
        tokio::select! {
            () = tokio::time::sleep(args.l1.period()) => {}
            _ = stopped.changed() => return Ok(()),
        }
    }
}

async fn keep(keeper: &mut Keeper) {
    match timeout(TRANSACTION_TIME, keeper.poll()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(target: "da::l1", %error, "keeping epochs"),
        Err(error) => tracing::warn!(target: "da::l1", %error, "keeping epochs"),
    }
}

fn reporter(args: &RunArgs, sender: DynProvider) -> eyre::Result<Option<Reporter>> {
    let Some(inbox) = args.l1.inbox else { return Ok(None) };
    let config = ReporterConfig {
        registry: domain(&args.l1)?.registry,
        inbox,
        operator: args.operator.ok_or_else(|| eyre::eyre!("operator is missing"))?,
        first_block: args.l1.first_block.unwrap_or(0),
        confirmations: args.l1.confirmations(),
    };
    Ok(Some(Reporter::new(sender, config)))
}

/// Failures are told and tried again; only an inbox of another registry ends the node.
async fn report(reporter: &mut Reporter) -> eyre::Result<()> {
    match timeout(TRANSACTION_TIME, reporter.poll()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error @ RegistryError::OtherRegistry { .. })) => return Err(error.into()),
        Ok(Err(error)) => tracing::warn!(target: "da::l1", %error, "reporting signers"),
        Err(error) => tracing::warn!(target: "da::l1", %error, "reporting signers"),
    }
    Ok(())
}

/// Looks at the disk and prunes until the node stops.
async fn tend(
    node: Node,
    prune_period: Duration,
    mut stopped: watch::Receiver<()>,
) -> eyre::Result<()> {
    let mut disk = tokio::time::interval(DISK_PERIOD);
    let mut prune = tokio::time::interval(prune_period);
    loop {
        tokio::select! {
            _ = disk.tick() => node.look_at_disk(),
            _ = prune.tick() => {
                let node = node.clone();
                match tokio::task::spawn_blocking(move || node.prune()).await? {
                    Ok(0) => {}
                    Ok(headers) => tracing::info!(target: "da::store", headers, "pruned"),
                    Err(error) => tracing::warn!(target: "da::store", %error, "not pruned"),
                }
            }
            _ = stopped.changed() => return Ok(()),
        }
    }
}
