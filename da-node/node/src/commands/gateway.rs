//! `gateway`: payloads for users, until it is told to stop.

use std::time::Duration;

use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::registry::Registry;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{Disperser, Nodes, Retriever};
use cairn_da_node::Clock;
use cairn_da_node::gateway::{AssemblerLimits, Gateway, GatewayConfig, router};
use cairn_node_setup::{Server, ServerLimits, install_recorder, metrics_router, told_to_stop};
use eyre::WrapErr;

use super::{account, domain, provider};
use crate::cli::GatewayArgs;

/// Runs a gateway. Returns after SIGTERM or SIGINT.
pub(crate) fn run(args: &GatewayArgs) -> eyre::Result<()> {
    // Before anything that records.
    let recorder = install_recorder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let gateway = start(args).await?;
        let limits = args.http.limits();
        let server = Server::start(args.http.socket(), router(gateway, limits), limits).await;
        let server = server.wrap_err("http")?;
        let metrics = args.metrics.socket();
        let metrics = Server::start(metrics, metrics_router(recorder), ServerLimits::default());
        let metrics = metrics.await.wrap_err("metrics")?;
        println!("listening on http://{}", server.local_addr());
        let signal = told_to_stop().await?;
        tracing::info!(target: "da::gateway", signal, "stopping");
        server.stop().await;
        metrics.stop().await;
        Ok(())
    })
}

async fn start(args: &GatewayArgs) -> eyre::Result<Gateway> {
    let domain = domain(&args.l1)?;
    let registry = Registry::new(provider(&args.l1, None)?, domain).await?;
    let nodes = Nodes::new()?;
    let payer = account(&args.payer_key)?;
    let disperser = Disperser::new(nodes.clone(), domain, payer, CollectPolicy::default());
    let retriever = Retriever::new(nodes, RetrievalPolicy::default());
    let window = Duration::from_millis(args.window_ms);
    let config = GatewayConfig {
        lifetime: Duration::from_secs(args.lifetime),
        assembler: AssemblerLimits { window, ..AssemblerLimits::default() },
        ..GatewayConfig::default()
    };
    Ok(Gateway::start(registry, disperser, retriever, config, Clock::default()))
}
