//! What the parts say of themselves.

use std::time::{Duration, Instant};

use cairn_rollup::SyncStatus;
use eyre::ensure;
use serde_json::json;

use super::Chain;
use crate::devnet::Metrics;
use crate::rpc::RpcClient;

/// Time for a part to come to what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

impl Chain {
    /// What derivation says of a node.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn sync_status(&self, node: &RpcClient) -> eyre::Result<SyncStatus> {
        Ok(node.call("optimism_syncStatus", json!([])).await?)
    }

    /// Waits until sequencer and verifier have derived an L1 block to its end.
    ///
    /// # Errors
    /// When one does not.
    pub async fn wait_derived(&self, l1_block: u64) -> eyre::Result<()> {
        self.wait_derived_by(&self.sequencer()?, l1_block).await?;
        self.wait_derived_by(&self.verifier()?, l1_block).await.map(drop)
    }

    /// Waits until a node has derived an L1 block to its end; gives what it says then.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_derived_by(
        &self,
        node: &RpcClient,
        l1_block: u64,
    ) -> eyre::Result<SyncStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.sync_status(node).await?;
            let derived = status.current_l1.number;
            if derived >= l1_block {
                return Ok(status);
            }
            let endpoint = node.endpoint();
            ensure!(Instant::now() < deadline, "{endpoint} has derived {derived}, not {l1_block}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until a counter of a part is above a value.
    ///
    /// # Errors
    /// When it does not get there.
    pub async fn wait_metric(&self, part: &str, name: &str, above: f64) -> eyre::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.metric(part, name).await? <= above {
            ensure!(Instant::now() < deadline, "{name} of {part} stays at {above}");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// A counter or gauge of a part, summed over its labels; zero if it was never touched.
    ///
    /// # Errors
    /// When the part has no metrics or does not give them.
    pub async fn metric(&self, part: &str, name: &str) -> eyre::Result<f64> {
        Metrics::read(self.devnet.manifest(), part).await?.sum(name)
    }
}
