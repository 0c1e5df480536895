//! `run`: a node until it is told to stop.

use std::time::Duration;

use cairn_da_client::registry::Registry;
use cairn_da_node::admission::{Event, Operator};
use cairn_da_node::http::{Server, ServerLimits, render_metrics_with, router};
use cairn_da_node::l1::{Follower, Keeper};
use cairn_da_node::store::StoreOptions;
use cairn_da_node::{Clock, Node, NodeConfig};
use eyre::WrapErr;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{domain, l1_account, operator_key, provider, told_to_stop};
use crate::config::RunArgs;

/// Time between looks at the disk.
const DISK_PERIOD: Duration = Duration::from_secs(10);

/// Runs a node. Returns after SIGTERM or SIGINT, when no request is in progress any more.
pub(crate) fn run(args: RunArgs) -> eyre::Result<()> {
    let args = args.resolve()?;
    // Before anything that records.
    let recorder = PrometheusBuilder::new().install_recorder()?;
    let node = open(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(args.clone(), node.clone(), stopped.clone()));
        tasks.spawn(tend(node.clone(), args.prune_period(), stopped));
        let limits = args.http.limits();
        let server = Server::start(args.http.socket(), router(node, limits), limits).await;
        let server = server.wrap_err_with(|| format!("http: {}", args.http.socket()))?;
        let metrics_router = render_metrics_with(recorder);
        let metrics = args.metrics.socket();
        let metrics = Server::start(metrics, metrics_router, ServerLimits::default())
            .await
            .wrap_err_with(|| format!("metrics: {metrics}"))?;
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
        told = told_to_stop() => told.map(|()| None),
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
    let account = l1_account(&args.l1)?;
    let mut keeper = match account {
        Some(account) => {
            let sender = provider(&args.l1, Some(account))?;
            Some(Keeper::new(sender, domain.registry, args.l1.first_block.unwrap_or(0)))
        }
        None => None,
    };
    let reader = provider(&args.l1, None)?;
    let mut follower = None;
    let period = Duration::from_millis(args.l1.poll_ms.unwrap_or(4000).max(50));
    loop {
        if follower.is_none() {
            follower = match Registry::new(reader.clone(), domain).await {
                Ok(registry) => Some(Follower::new(registry, args.l1.confirmations.unwrap_or(4))),
                Err(error @ cairn_da_client::registry::RegistryError::WrongChain { .. }) => {
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::warn!(target: "da::l1", %error, "L1 does not answer");
                    None
                }
            };
        }
        if let Some(follower) = &mut follower {
            poll(follower, &node).await;
        }
        if let Some(keeper) = &mut keeper
            && let Err(error) = keeper.poll().await
        {
            tracing::warn!(target: "da::l1", %error, "keeping epochs");
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            _ = stopped.changed() => return Ok(()),
        }
    }
}

async fn poll(follower: &mut Follower, node: &Node) {
    match follower.poll().await {
        Ok(Some(quorums)) => {
            metrics::gauge!("da_l1_block").set(quorums.head.number as f64);
            metrics::gauge!("da_epoch").set(quorums.current.0 as f64);
            node.step(Event::Quorums(quorums));
        }
        Ok(None) => {}
        Err(error) => {
            metrics::counter!("da_l1_errors_total").increment(1);
            tracing::warn!(target: "da::l1", %error, "registry not read");
        }
    }
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
