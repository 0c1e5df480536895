//! One part of a devnet as a process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use eyre::{WrapErr, bail, ensure};
use reqwest::Client;

use super::data_dir::DataDir;
use super::pid_file;
use crate::process::ChildProcess;
use crate::rpc::RpcClient;

/// How often an answer is looked for.
const POLL: Duration = Duration::from_millis(50);
/// Time for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How a part says that it works.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    /// It answers `eth_blockNumber` with a block at least this high.
    Block { url: String, at_least: u64 },
    /// It answers a GET with 200.
    Health { url: String },
}

/// A process to run.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) probes: Vec<Probe>,
}

/// A part that runs, or did.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) service: Service,
    pub(super) child: ChildProcess,
    /// Its end was told already.
    pub(super) told: bool,
}

/// Arguments that are text and paths in turn.
pub(super) fn args<const N: usize>(words: [&dyn AsArg; N]) -> Vec<OsString> {
    words.iter().map(|word| word.as_arg()).collect()
}

/// What can stand on a command line.
pub(super) trait AsArg {
    fn as_arg(&self) -> OsString;
}

impl AsArg for &str {
    fn as_arg(&self) -> OsString {
        self.into()
    }
}

impl AsArg for String {
    fn as_arg(&self) -> OsString {
        self.into()
    }
}

impl AsArg for PathBuf {
    fn as_arg(&self) -> OsString {
        self.into()
    }
}

impl AsArg for u16 {
    fn as_arg(&self) -> OsString {
        self.to_string().into()
    }
}

impl AsArg for u64 {
    fn as_arg(&self) -> OsString {
        self.to_string().into()
    }
}

impl Probe {
    /// Whether the part works.
    pub(super) async fn check(&self) -> eyre::Result<()> {
        match self {
            Self::Block { url, at_least } => {
                let number =
                    tokio::time::timeout(ANSWER_LIMIT, RpcClient::new(url)?.block_number())
                        .await
                        .wrap_err_with(|| format!("{url} does not answer"))??;
                ensure!(number >= *at_least, "{url} is at block {number}, not {at_least} yet");
                Ok(())
            }
            Self::Health { url } => {
                let answer = http()?.get(url).send().await?;
                let status = answer.status();
                if status.is_success() {
                    return Ok(());
                }
                let text = answer.text().await.unwrap_or_default();
                bail!("{url} says {status}: {}", text.trim())
            }
        }
    }
}

/// A client of plain HTTP.
pub(super) fn http() -> eyre::Result<Client> {
    cairn_node_setup::install_tls();
    Ok(Client::builder().timeout(ANSWER_LIMIT).no_proxy().build()?)
}

impl Service {
    /// Starts the process, apart from the terminal's group if a person may press Ctrl-C there.
    pub(super) fn start(self, dir: &DataDir, apart: bool) -> eyre::Result<Running> {
        let spawn = if apart { ChildProcess::spawn_apart } else { ChildProcess::spawn };
        // The backtrace of an error would push the error itself out of the log's tail.
        let env = [("RUST_LIB_BACKTRACE".to_owned(), "0".to_owned())];
        let child = spawn(&self.name, &self.program, &self.args, &env, &dir.log(&self.name))?;
        pid_file::write(dir, &self.name, child.pid())?;
        Ok(Running { service: self, child, told: false })
    }
}

impl Running {
    /// Waits until every probe is satisfied.
    ///
    /// # Errors
    /// When the process ends first or `limit` passes; both show the log's tail.
    pub(super) async fn wait_ready(&mut self, limit: Duration) -> eyre::Result<()> {
        let deadline = Instant::now() + limit;
        for probe in self.service.probes.clone() {
            while let Err(error) = probe.check().await {
                self.check_running()?;
                if Instant::now() >= deadline {
                    let tail = self.child.log_tail();
                    let name = &self.service.name;
                    return Err(error.wrap_err(format!("{name} not ready after {limit:?}\n{tail}")));
                }
                tokio::time::sleep(POLL).await;
            }
        }
        self.check_running()
    }

    /// # Errors
    /// When the process has ended; shows the log's tail.
    fn check_running(&mut self) -> eyre::Result<()> {
        if let Some(status) = self.child.exit_status()? {
            bail!("{} ended: {status}\n{}", self.service.name, self.child.log_tail());
        }
        Ok(())
    }

    /// SIGTERM, and SIGKILL for one that does not obey.
    pub(super) async fn stop(&mut self, dir: &DataDir, limit: Duration) -> eyre::Result<()> {
        let ended = self.child.terminate(limit).await;
        pid_file::remove(dir, &self.service.name);
        ended.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(script: &str, probes: Vec<Probe>) -> Service {
        let args = vec!["-c".into(), script.into()];
        Service { name: "part".to_owned(), program: "/bin/sh".into(), args, probes }
    }

    fn dir() -> (tempfile::TempDir, DataDir) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DataDir::new(folder.path());
        dir.create().expect("folders");
        (folder, dir)
    }

    #[tokio::test]
    async fn a_part_that_ends_before_it_answers_is_told_with_its_log() {
        let (_folder, dir) = dir();
        let probe = Probe::Block { url: "http://127.0.0.1:1".to_owned(), at_least: 0 };
        let service = service("echo the reason; exit 3", vec![probe]);
        let mut part = service.start(&dir, false).expect("a shell runs");
        let error = part.wait_ready(Duration::from_secs(20)).await.expect_err("it ended");
        assert!(format!("{error:?}").contains("the reason"), "{error:?}");
    }

    #[tokio::test]
    async fn a_part_that_does_not_answer_in_time_is_told_with_its_log() {
        let (_folder, dir) = dir();
        let probe = Probe::Health { url: "http://127.0.0.1:1/health".to_owned() };
        let mut part = service("echo waiting; exec sleep 600", vec![probe])
            .start(&dir, true)
            .expect("a shell runs");
        let error = part.wait_ready(Duration::from_millis(300)).await.expect_err("nobody listens");
        assert!(format!("{error:?}").contains("waiting"), "{error:?}");
        assert!(pid_file::read(&dir, "part").is_some());
        part.stop(&dir, Duration::from_secs(20)).await.expect("it obeys");
        assert!(pid_file::read(&dir, "part").is_none());
    }
}
