//! Proxies between the parts of the chain.

use cairn_test_setup::free_port;
use eyre::{ContextCompat, WrapErr};
use reqwest::Url;

use super::{Chain, Proxy};

impl Chain {
    /// Starts a node of the rollup again with all that it sees of L1 behind a proxy.
    ///
    /// # Errors
    /// When there is no such node, or it does not come to answer.
    pub async fn interpose_l1(&mut self, node: &str) -> eyre::Result<Proxy> {
        let proxy = Proxy::start(&self.devnet.manifest().l1.rpc, 0).await?;
        self.devnet.set_option(node, "--l1.rpc", proxy.url())?;
        self.devnet.set_option(node, "--l1.beacon", proxy.url())?;
        self.devnet.restart(node).await?;
        Ok(proxy)
    }

    /// Starts a DA node again behind a proxy that has its registered endpoint.
    ///
    /// # Errors
    /// When there is no such node, or it does not come to answer.
    pub async fn interpose_da(&mut self, number: usize) -> eyre::Result<Proxy> {
        let node = format!("da-{number}");
        let endpoint = self.devnet.manifest().da.get(number);
        let endpoint: Url = endpoint.wrap_err_with(|| format!("no {node}"))?.url.parse()?;
        let registered = endpoint.port().wrap_err("an endpoint without a port")?;
        let behind = free_port()?;
        self.devnet.kill9(&node)?;
        self.devnet.set_option(&node, "--http.port", &behind.to_string())?;
        let target = format!("http://127.0.0.1:{behind}");
        let proxy = Proxy::start(&target, registered).await.wrap_err(node.clone())?;
        self.devnet.restart(&node).await?;
        Ok(proxy)
    }
}
