//! `cairn-sequencer` as a child process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::time::Duration;

use cairn_test_setup::free_port;
use eyre::WrapErr;

use super::run_dir::RunDir;
use super::{ChildProcess, sequencer_binary};
use crate::rpc::RpcClient;

/// How to start the node. The default is `run --dev` on a fresh temporary data
/// directory with the node's own defaults.
#[derive(Clone, Debug)]
pub struct SequencerOptions {
    /// Data directory to use and keep. `None` makes one that is deleted with the
    /// handle.
    pub datadir: Option<PathBuf>,
    /// Genesis file to run. Without one the node runs its development chain
    /// (`--dev`), the only one that the next three options apply to.
    pub genesis: Option<PathBuf>,
    /// Gas limit of a block.
    pub gas_limit: Option<u64>,
    /// Prefunded accounts of the test mnemonic.
    pub accounts: Option<usize>,
    /// Chain id.
    pub chain_id: Option<u64>,
    /// Interval at which blocks are sealed.
    pub block_time: Option<Duration>,
    /// Environment of the process, for example `FAILPOINTS` or `RUST_LOG`.
    pub env: Vec<(String, String)>,
    /// Appended to the command line as they are.
    pub extra_args: Vec<String>,
    /// How long the node may take to answer its first request. Recovery of a
    /// large data directory counts too.
    pub ready_limit: Duration,
}

impl Default for SequencerOptions {
    fn default() -> Self {
        Self {
            datadir: None,
            genesis: None,
            block_time: None,
            gas_limit: None,
            accounts: None,
            chain_id: None,
            env: Vec::new(),
            extra_args: Vec::new(),
            ready_limit: Duration::from_secs(60),
        }
    }
}

impl SequencerOptions {
    fn args(&self, datadir: &Path, port: u16, metrics_port: u16) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["run".into()];
        if self.genesis.is_none() {
            args.push("--dev".into());
        }
        let mut flag = |name: &str, value: Option<OsString>| {
            args.extend(value.into_iter().flat_map(|value| [name.into(), value]));
        };
        let decimal = |value: u64| OsString::from(value.to_string());
        flag("--datadir", Some(datadir.into()));
        flag("--http.addr", Some("127.0.0.1".into()));
        flag("--http.port", Some(decimal(port.into())));
        flag("--metrics.port", Some(decimal(metrics_port.into())));
        flag("--genesis", self.genesis.as_ref().map(OsString::from));
        let block_time = self.block_time.map(|time| OsString::from(time.as_millis().to_string()));
        flag("--block-time-ms", block_time);
        flag("--gas-limit", self.gas_limit.map(decimal));
        flag("--accounts", self.accounts.map(|count| OsString::from(count.to_string())));
        flag("--chain-id", self.chain_id.map(decimal));
        args.extend(self.extra_args.iter().map(OsString::from));
        args
    }
}

/// A `cairn-sequencer` on its own data directory. Killed on drop; the data
/// directory outlives the process as long as this handle lives.
#[derive(Debug)]
pub struct Sequencer {
    options: SequencerOptions,
    child: ChildProcess,
    rpc: RpcClient,
    port: u16,
    metrics_port: u16,
    datadir: PathBuf,
    run_dir: RunDir,
}

impl Sequencer {
    /// Starts the node and waits until it answers.
    ///
    /// # Errors
    /// When it is not built, ends early or is not ready in time; the error shows
    /// the tail of the log.
    pub async fn start(options: SequencerOptions) -> eyre::Result<Self> {
        let run_dir = RunDir::create("cairn-sequencer")?;
        let datadir = options.datadir.clone().unwrap_or_else(|| run_dir.path().join("data"));
        let port = free_port()?;
        let metrics_port = free_port()?;
        let args = options.args(&datadir, port, metrics_port);
        let mut child = Self::spawn(&args, &options, &run_dir)?;
        let rpc = RpcClient::new(&format!("http://127.0.0.1:{port}"))?;
        child.wait_ready(&rpc, options.ready_limit).await?;
        Ok(Self { options, child, rpc, port, metrics_port, datadir, run_dir })
    }

    fn spawn(
        args: &[OsString],
        options: &SequencerOptions,
        run_dir: &RunDir,
    ) -> eyre::Result<ChildProcess> {
        let program = sequencer_binary()?;
        ChildProcess::spawn("cairn-sequencer", &program, args, &options.env, run_dir.log())
    }

    /// Starts the node again on the same data directory and ports, after
    /// [`kill9`](Self::kill9), [`terminate`](Self::terminate) or a crash. A node
    /// that still runs is killed first. The log is continued.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(&mut self) -> eyre::Result<()> {
        self.child.kill9()?;
        let args = self.options.args(&self.datadir, self.port, self.metrics_port);
        self.child = Self::spawn(&args, &self.options, &self.run_dir)?;
        self.rpc.disconnect().await;
        self.child.wait_ready(&self.rpc, self.options.ready_limit).await
    }

    /// SIGKILL; returns when the process is gone.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn kill9(&mut self) -> eyre::Result<()> {
        self.child.kill9()
    }

    /// SIGTERM; returns how the node ended.
    ///
    /// # Errors
    /// When it has not ended within `limit`; it is then killed.
    pub async fn terminate(&mut self, limit: Duration) -> eyre::Result<ExitStatus> {
        self.child.terminate(limit).await
    }

    /// Runs `cairn-sequencer <command> --datadir <this node's>` to its end, for
    /// example `["db", "verify"]`. The node must not be running: the store is
    /// locked by its process.
    ///
    /// # Errors
    /// When the program cannot be started; a failing exit status is in the output.
    pub async fn run_command(&self, command: &[&str]) -> eyre::Result<Output> {
        let program = sequencer_binary()?;
        tokio::process::Command::new(&program)
            .args(command)
            .arg("--datadir")
            .arg(&self.datadir)
            .envs(self.options.env.iter().map(|(key, value)| (key, value)))
            .kill_on_drop(true)
            .output()
            .await
            .wrap_err_with(|| format!("cannot run {} {command:?}", program.display()))
    }

    /// The options of the next [`restart`](Self::restart), for example to change
    /// the failpoints between two lives of one data directory.
    pub const fn options_mut(&mut self) -> &mut SequencerOptions {
        &mut self.options
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `ws://127.0.0.1:<port>`; the node serves both on one port.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Where the node serves Prometheus metrics.
    #[must_use]
    pub fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.metrics_port)
    }

    /// Where the node says whether it is well.
    #[must_use]
    pub fn health_url(&self) -> String {
        format!("http://127.0.0.1:{}/health", self.metrics_port)
    }

    /// A client of this node. Survives a restart.
    #[must_use]
    pub const fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// The data directory.
    #[must_use]
    pub fn datadir(&self) -> &Path {
        &self.datadir
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
    fn spells_every_option_as_the_node_reads_it() {
        let options = SequencerOptions {
            block_time: Some(Duration::from_millis(250)),
            gas_limit: Some(30),
            accounts: Some(7),
            chain_id: Some(901),
            extra_args: vec!["--log".to_owned()],
            ..SequencerOptions::default()
        };
        assert_eq!(
            line(&options),
            "run --dev --datadir /d --http.addr 127.0.0.1 --http.port 1 --metrics.port 2 \
             --block-time-ms 250 --gas-limit 30 --accounts 7 --chain-id 901 --log"
        );
    }

    #[test]
    fn a_genesis_file_replaces_the_development_chain() {
        let options =
            SequencerOptions { genesis: Some("g.json".into()), ..SequencerOptions::default() };
        assert_eq!(
            line(&options),
            "run --datadir /d --http.addr 127.0.0.1 --http.port 1 --metrics.port 2 \
             --genesis g.json"
        );
    }

    fn line(options: &SequencerOptions) -> String {
        let args = options.args(Path::new("/d"), 1, 2);
        let words: Vec<String> = args.iter().map(|a| a.to_string_lossy().into_owned()).collect();
        words.join(" ")
    }
}
