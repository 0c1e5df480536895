//! `run`: a node until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use cairn_chain::SequencerStatus;
use cairn_rpc::{Backend, PortConfig, RpcConfig, RpcServer};
use eyre::WrapErr;

use crate::config::RunArgs;
use crate::dev::DevChain;
use crate::node::{Node, read_genesis, stored_genesis};
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
    let node = Node::start(&args, &datadir, &genesis)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let service = Service::start(args.metrics.socket(), &node, recorder).await?;
        let listen = args.http.socket();
        let rpc = RpcServer::start(backend(&args, &node))
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
        let reason = until_stopped(&node).await?;
        tracing::info!(target: "node", reason, "stopping");
        rpc.stop().await;
        service.stop().await;
        eyre::Ok(())
    })?;
    let ended = node.sequencer.as_ref().map(|sequencer| sequencer.status());
    node.stop()?;
    match ended {
        Some(SequencerStatus::Ended(reason)) => eyre::bail!("the sequencer ended: {reason}"),
        _ => Ok(()),
    }
}

fn backend(args: &RunArgs, node: &Node) -> Backend {
    Backend::new(
        node.chain.clone(),
        node.pool.clone(),
        Arc::clone(&node.recovery),
        rpc_config(args),
    )
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

/// Waits for a signal, or for the sequencer to end.
async fn until_stopped(node: &Node) -> eyre::Result<&'static str> {
    let mut told = std::pin::pin!(cairn_node_setup::told_to_stop());
    let mut look = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            signal = &mut told => return Ok(signal?),
            _ = look.tick() => {
                let status = node.sequencer.as_ref().map(|sequencer| sequencer.status());
                if matches!(status, Some(SequencerStatus::Ended(_))) {
                    return Ok("the sequencer ended");
                }
            }
        }
    }
}
