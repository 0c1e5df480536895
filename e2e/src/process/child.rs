//! One child process with its log.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use eyre::{WrapErr, bail, eyre};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::rpc::RpcClient;

/// How often a state change of the child is looked for.
const POLL: Duration = Duration::from_millis(10);
/// How much of the log an error shows.
const TAIL_BYTES: u64 = 8 * 1024;
const TAIL_LINES: usize = 40;

/// A running child whose output goes to a log file. Dropping it kills the child
/// with SIGKILL and reaps it.
#[derive(Debug)]
pub struct ChildProcess {
    name: String,
    child: Child,
    log: PathBuf,
}

impl ChildProcess {
    /// Starts `program`; both output streams are appended to the file `log`.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn spawn(
        name: &str,
        program: &Path,
        args: &[OsString],
        env: &[(String, String)],
        log: &Path,
    ) -> eyre::Result<Self> {
        Self::start(name, Command::new(program).args(args), env, log)
    }

    /// As [`spawn`](Self::spawn), but in a process group of its own, so that a Ctrl-C on
    /// the terminal does not reach the child before its parent says so.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn spawn_apart(
        name: &str,
        program: &Path,
        args: &[OsString],
        env: &[(String, String)],
        log: &Path,
    ) -> eyre::Result<Self> {
        Self::start(name, Command::new(program).args(args).process_group(0), env, log)
    }

    fn start(
        name: &str,
        command: &mut Command,
        env: &[(String, String)],
        log: &Path,
    ) -> eyre::Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .wrap_err_with(|| format!("cannot open log {}", log.display()))?;
        let child = command
            .envs(env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone().wrap_err("cannot share the log")?)
            .stderr(output)
            .spawn()
            .wrap_err_with(|| format!("cannot start {}", command.get_program().display()))?;
        tracing::debug!(target: "e2e::process", name, pid = child.id(), ?command, "started");
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Process id. Stays the id of the last run after the child has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the child ended, or `None` while it runs.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn exit_status(&mut self) -> eyre::Result<Option<ExitStatus>> {
        self.child.try_wait().wrap_err_with(|| format!("cannot wait for {}", self.name))
    }

    /// SIGKILL, then reaps. Returns when the process is gone; harmless if it
    /// already was.
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub fn kill9(&mut self) -> eyre::Result<()> {
        self.child.kill().wrap_err_with(|| format!("cannot kill {}", self.name))?;
        self.child.wait().wrap_err_with(|| format!("cannot reap {}", self.name))?;
        Ok(())
    }

    /// SIGTERM, then waits for the process to end by itself.
    ///
    /// # Errors
    /// When it has not ended within `limit`; it is then killed, and the error
    /// shows the log.
    pub async fn terminate(&mut self, limit: Duration) -> eyre::Result<ExitStatus> {
        if let Some(status) = self.exit_status()? {
            return Ok(status);
        }
        let pid = i32::try_from(self.child.id()).wrap_err("process id out of range")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)
            .wrap_err_with(|| format!("cannot signal {}", self.name))?;
        match self.wait_exit(limit).await {
            Ok(status) => Ok(status),
            Err(error) => {
                self.kill9()?;
                Err(error.wrap_err("SIGTERM was not obeyed"))
            }
        }
    }

    /// Waits for the process to end without sending it anything.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub async fn wait_exit(&mut self, limit: Duration) -> eyre::Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("{} still runs after {limit:?}\n{}", self.name, self.log_tail());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until `eth_blockNumber` is answered over `rpc`.
    ///
    /// # Errors
    /// When the process ends first or `limit` passes; both show the log's tail.
    pub async fn wait_ready(&mut self, rpc: &RpcClient, limit: Duration) -> eyre::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.exit_status()? {
                bail!("{} ended before it was ready: {status}\n{}", self.name, self.log_tail());
            }
            let last = match rpc.block_number().await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if Instant::now() >= deadline {
                return Err(eyre!(last)).wrap_err_with(|| {
                    format!("{} not ready after {limit:?}\n{}", self.name, self.log_tail())
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The file both output streams go to.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of the log, for people.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let shown = self.log.display();
        match read_tail(&self.log) {
            Ok(tail) => format!("--- last lines of {shown}\n{tail}\n---"),
            Err(error) => format!("--- {shown} is unreadable: {error}"),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        if let Err(error) = self.kill9() {
            tracing::warn!(target: "e2e::process", %error, "child may be left behind");
        }
    }
}

/// The last lines of a log.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read_tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> ChildProcess {
        let args = [OsString::from("-c"), OsString::from(script)];
        ChildProcess::spawn("shell", Path::new("/bin/sh"), &args, &[], log).expect("a shell runs")
    }

    #[tokio::test]
    async fn an_early_end_shows_what_the_process_said() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut child = shell("echo the reason; exit 3", &folder.path().join("log"));
        let rpc = RpcClient::new("http://127.0.0.1:1").expect("a url");
        let error = child.wait_ready(&rpc, Duration::from_secs(20)).await.expect_err("it ended");
        assert!(format!("{error:?}").contains("the reason"), "{error:?}");
    }

    #[tokio::test]
    async fn a_process_that_ignores_sigterm_is_killed_and_reported() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let mut child = shell("trap '' TERM; echo armed; while :; do sleep 0.01; done", &log);
        let armed = Instant::now() + Duration::from_secs(20);
        while !child.log_tail().contains("armed") {
            assert!(Instant::now() < armed, "the shell never set its trap");
            tokio::task::yield_now().await;
        }
        let error = child.terminate(Duration::from_millis(100)).await.expect_err("the trap holds");
        assert!(format!("{error:?}").contains("armed"), "{error:?}");
        assert!(child.exit_status().expect("reaped").is_some());
    }

    #[tokio::test]
    async fn sigterm_ends_an_ordinary_process() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut child = shell("exec sleep 600", &folder.path().join("log"));
        let status = child.terminate(Duration::from_secs(20)).await.expect("it obeys");
        assert!(!status.success());
    }

    #[test]
    fn the_tail_is_bounded_in_lines() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        let text: String = (0..5_000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&path, text).expect("written");
        let tail = read_tail(&path).expect("read");
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("line 4999"));
    }
}
