//! `run`: a node until it is told to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_chain::SequencerStatus;
use cairn_rpc::{Backend, PortConfig, RpcConfig, RpcServer, SequencerEndpoint};
use eyre::WrapErr;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::RunArgs;
use crate::dev::DevChain;
use crate::node::{Node, read_genesis, stored_genesis};
use crate::rollup::{Rollup, RollupTasks};
use crate::service::Service;

/// Runs a node. Returns after SIGTERM or SIGINT, when everything is on disk.
pub(crate) fn run(args: RunArgs) -> eyre::Result<()> {
    let args = args.resolve()?;
    let dev = if args.dev { Some(DevChain::new(&args)?) } else { None };
    cairn_node_setup::raise_descriptor_limit();
    let (datadir, _temporary) = datadir(&args)?;
    let genesis = match (&dev, &args.genesis) {
        (Some(dev), _) => dev.genesis.clone(),
        (None, Some(path)) => read_genesis(path)?,
        (None, None) => stored_genesis(&datadir)?
            .ok_or_else(|| eyre::eyre!("run needs --dev, --genesis FILE, or a --datadir in use"))?,
    };
    let recorder = cairn_node_setup::install_recorder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let entered = runtime.enter();
    let rollup = Rollup::open(&args.rollup)?;
    let node = Node::start(&args, &datadir, &genesis, rollup.as_ref())?;
    drop(entered);
    let (node, stopped) = runtime.block_on(serve(&args, &datadir, node, rollup, dev, recorder))?;
    node.stop()?;
    match stopped {
        Stopped::Told => Ok(()),
        Stopped::Ended(reason) => eyre::bail!(reason),
    }
}

/// Why a node stops.
#[derive(Debug)]
enum Stopped {
    /// By a signal.
    Told,
    /// A part of it has ended; the text says which and why.
    Ended(String),
}

/// Serves until the node is told to stop or a part of it ends.
async fn serve(
    args: &RunArgs,
    datadir: &Path,
    node: Node,
    rollup: Option<Rollup>,
    dev: Option<DevChain>,
    recorder: PrometheusHandle,
) -> eyre::Result<(Node, Stopped)> {
    let backend = backend(args, &node, rollup.as_ref())?;
    let tasks = match rollup {
        Some(rollup) => Some(rollup.start(datadir, &node.chain).await?),
        None => None,
    };
    let service = Service::start(args.metrics.socket(), &node, recorder).await?;
    let listen = args.http.socket();
    let rpc = RpcServer::start(backend)
        .await
        .wrap_err_with(|| format!("http.addr, http.port: {listen}"))?;
    if let Some(dev) = &dev {
        dev.print_banner();
    }
    for address in rpc.addresses() {
        println!("rpc http://{address} ws://{address}");
    }
    println!("health http://{}/health", service.local_addr());
    println!("cairn-sequencer ready");
    let stopped = until_stopped(&node, tasks.as_ref()).await?;
    tracing::info!(target: "node", ?stopped, "stopping");
    rpc.stop().await;
    service.stop().await;
    if let Some(tasks) = tasks {
        tasks.stop().await;
    }
    Ok((node, stopped))
}

fn backend(args: &RunArgs, node: &Node, rollup: Option<&Rollup>) -> eyre::Result<Backend> {
    let mut config = rpc_config(args);
    if let Some(rollup) = rollup {
        rollup.configure(&mut config)?;
    }
    let upstream = match &args.rollup.sequencer_http {
        Some(url) => Some(SequencerEndpoint::new(url, &config).map_err(eyre::Report::msg)?),
        None => None,
    };
    let recovery = Arc::clone(&node.recovery);
    let mut backend = Backend::new(node.chain.clone(), node.pool.clone(), recovery, config);
    if let Some(rollup) = rollup {
        backend = backend.with_rollup(rollup.handle().clone());
    }
    if let Some(sequencer) = &node.sequencer {
        backend = backend.with_sequencer(sequencer.clone());
    }
    if let Some(upstream) = upstream {
        backend = backend.with_upstream(upstream);
    }
    Ok(backend)
}

fn rpc_config(args: &RunArgs) -> RpcConfig {
    let mut port = PortConfig { address: args.http.socket(), ..PortConfig::default() };
    if let Some(namespaces) = &args.http.api {
        port.namespaces.clone_from(namespaces);
    }
    match &args.http.cors {
        Some(origins) => port.cors_origins.clone_from(origins),
        // Dapps under development are served from anywhere.
        None if args.dev => port.cors_origins = vec!["*".into()],
        None => {}
    }
    if let Some(hosts) = &args.http.hosts {
        port.allowed_hosts.clone_from(hosts);
    }
    let mut config =
        RpcConfig { ports: vec![port], local_transactions: args.dev, ..RpcConfig::default() };
    if let Some(most) = args.http.max_connections {
        config.limits.connections = most;
    }
    args.rpc.apply(&mut config);
    if let Some(version) = &args.client_version {
        config.client_version.clone_from(version);
    }
    config
}

/// The data directory; that of a development chain may be a temporary one, removed at the end.
fn datadir(args: &RunArgs) -> eyre::Result<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(datadir) = &args.datadir {
        return Ok((datadir.clone(), None));
    }
    eyre::ensure!(args.dev, "run needs --datadir DIR");
    let temporary = tempfile::Builder::new().prefix("cairn-dev-").tempdir()?;
    Ok((temporary.path().to_path_buf(), Some(temporary)))
}

/// Waits for a signal, or for a part of the node to end.
async fn until_stopped(node: &Node, tasks: Option<&RollupTasks>) -> eyre::Result<Stopped> {
    let mut told = std::pin::pin!(cairn_node_setup::told_to_stop());
    let mut look = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            signal = &mut told => {
                signal?;
                return Ok(Stopped::Told);
            }
            _ = look.tick() => {
                let status = node.sequencer.as_ref().map(|sequencer| sequencer.status());
                if let Some(SequencerStatus::Ended(reason)) = status {
                    return Ok(Stopped::Ended(format!("the sequencer ended: {reason}")));
                }
                if let Some(reason) = tasks.and_then(RollupTasks::ended) {
                    return Ok(Stopped::Ended(reason));
                }
            }
        }
    }
}
