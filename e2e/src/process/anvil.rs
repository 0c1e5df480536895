//! anvil as a child process.

use std::ffi::OsString;
use std::time::Duration;

use cairn_test_setup::{anvil_binary, free_port};

use super::ChildProcess;
use super::run_dir::RunDir;
use crate::rpc::RpcClient;

const READY_LIMIT: Duration = Duration::from_secs(60);

/// How to start anvil. The default is anvil's own: it mines on demand, prefunds
/// ten accounts and takes the newest fork.
#[derive(Clone, Debug, Default)]
pub struct AnvilOptions {
    /// Seals at this interval instead of on demand.
    pub block_time: Option<Duration>,
    /// Gas limit of a block.
    pub gas_limit: Option<u64>,
    /// Fork name, for example `prague` or `osaka`.
    pub hardfork: Option<String>,
    /// Prefunded accounts of the test mnemonic.
    pub accounts: Option<usize>,
    /// Chain id; anvil's default is 31337.
    pub chain_id: Option<u64>,
    /// Appended to the command line as they are.
    pub extra_args: Vec<String>,
}

impl AnvilOptions {
    fn args(&self, port: u16) -> Vec<OsString> {
        let mut args = vec!["--host".to_owned(), "127.0.0.1".to_owned()];
        let mut flag = |name: &str, value: Option<String>| {
            args.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        };
        flag("--port", Some(port.to_string()));
        flag("--block-time", self.block_time.map(|time| time.as_secs_f64().to_string()));
        flag("--gas-limit", self.gas_limit.map(|limit| limit.to_string()));
        flag("--hardfork", self.hardfork.clone());
        flag("--accounts", self.accounts.map(|count| count.to_string()));
        flag("--chain-id", self.chain_id.map(|id| id.to_string()));
        args.extend(self.extra_args.iter().cloned());
        args.into_iter().map(OsString::from).collect()
    }
}

/// A running anvil. Killed on drop.
#[derive(Debug)]
pub struct Anvil {
    child: ChildProcess,
    rpc: RpcClient,
    port: u16,
    _run_dir: RunDir,
}

impl Anvil {
    /// Starts anvil and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, ends early or does not answer within a minute.
    pub async fn start(options: &AnvilOptions) -> eyre::Result<Self> {
        let program = anvil_binary()?;
        let run_dir = RunDir::create("anvil")?;
        let port = free_port()?;
        let args = options.args(port);
        let mut child = ChildProcess::spawn("anvil", &program, &args, &[], run_dir.log())?;
        let rpc = RpcClient::new(&format!("http://127.0.0.1:{port}"))?;
        child.wait_ready(&rpc, READY_LIMIT).await?;
        Ok(Self { child, rpc, port, _run_dir: run_dir })
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `ws://127.0.0.1:<port>`.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// A client of this node.
    #[must_use]
    pub const fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// The process itself: id, signals, log.
    pub const fn child(&mut self) -> &mut ChildProcess {
        &mut self.child
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_only_the_options_that_are_set() {
        let options = AnvilOptions {
            block_time: Some(Duration::from_millis(500)),
            extra_args: vec!["--quiet".to_owned()],
            ..AnvilOptions::default()
        };
        let expected = ["--host", "127.0.0.1", "--port", "7", "--block-time", "0.5", "--quiet"];
        assert_eq!(options.args(7), expected.map(OsString::from));
    }
}
