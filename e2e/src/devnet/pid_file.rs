//! Which process a part is, for later commands and for the start after a crash.
//!
//! `pids/NAME.json` is `{"pid", "started"}`. Process ids are used again, so a process counts as
//! ours only if it also began at the noted time, which the kernel counts in ticks since boot
//! (`/proc/PID/stat`, field 22). Where that cannot be read nothing is ever signalled.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eyre::{WrapErr, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::data_dir::{DataDir, write_json};

/// Time for a process to end after SIGTERM.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How often an end is looked for.
const POLL: Duration = Duration::from_millis(20);

/// A process as it was when it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub(super) pid: i32,
    started: u64,
}

impl Process {
    /// The running process of that id.
    pub(super) fn running(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok()?;
        Some(Self { pid, started: started(pid)? })
    }

    /// Whether it still runs.
    pub(super) fn is_running(self) -> bool {
        started(self.pid) == Some(self.started)
    }

    fn signal(self, signal: Signal) -> eyre::Result<()> {
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error).wrap_err_with(|| format!("cannot signal {}", self.pid)),
        }
    }

    /// SIGTERM, and SIGKILL after `limit`. Returns when it is gone.
    pub(super) async fn stop(self, limit: Duration) -> eyre::Result<()> {
        for (signal, limit) in [(Signal::SIGTERM, limit), (Signal::SIGKILL, STOP_LIMIT)] {
            if !self.is_running() {
                return Ok(());
            }
            self.signal(signal)?;
            let deadline = Instant::now() + limit;
            while self.is_running() && Instant::now() < deadline {
                tokio::time::sleep(POLL).await;
            }
        }
        if self.is_running() {
            bail!("process {} does not end", self.pid);
        }
        Ok(())
    }
}

/// When a process began; `None` when it is gone, or a zombie, which is as good as gone.
fn started(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses with anything in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    // That was field 3; the wanted one is 22.
    fields.nth(18)?.parse().ok()
}

fn path(dir: &DataDir, name: &str) -> PathBuf {
    dir.pids().join(format!("{name}.json"))
}

/// Notes the process of a part.
pub(super) fn write(dir: &DataDir, name: &str, pid: u32) -> eyre::Result<()> {
    match Process::running(pid) {
        Some(process) => write_json(&path(dir, name), &process),
        // Ended already, which whoever waits for it will say.
        None => Ok(()),
    }
}

/// Forgets the process of a part.
pub(super) fn remove(dir: &DataDir, name: &str) {
    if let Err(error) = std::fs::remove_file(path(dir, name)) {
        tracing::debug!(target: "e2e::devnet", name, %error, "no process file");
    }
}

/// The noted process of a part, if it still runs.
pub(super) fn read(dir: &DataDir, name: &str) -> Option<Process> {
    let text = std::fs::read_to_string(path(dir, name)).ok()?;
    let process: Process = serde_json::from_str(&text).ok()?;
    process.is_running().then_some(process)
}

/// All parts whose processes still run, whoever started them.
pub(super) fn running(dir: &DataDir) -> Vec<(String, Process)> {
    let Ok(entries) = std::fs::read_dir(dir.pids()) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| {
        let path = entry.path();
        let json = path.extension().is_some_and(|extension| extension == "json");
        json.then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).flatten()
    });
    let mut found: Vec<_> =
        names.filter_map(|name| Some((name.clone(), read(dir, &name)?))).collect();
    found.sort_by_key(|(name, _)| stop_order(name));
    found
}

/// Ends what an earlier run left behind; says what that was.
pub(super) async fn stop_all(dir: &DataDir) -> eyre::Result<Vec<String>> {
    let mut stopped = Vec::new();
    for (name, process) in running(dir) {
        process.stop(STOP_LIMIT).await?;
        remove(dir, &name);
        stopped.push(name);
    }
    Ok(stopped)
}

/// Users of a part stop before it.
fn stop_order(name: &str) -> (u8, String) {
    let rank = match Path::new(name).to_string_lossy().as_ref() {
        name if name.starts_with("verifier") => 0,
        "sequencer" => 1,
        "gateway" => 2,
        name if name.starts_with("da-") => 3,
        _ => 4,
    };
    (rank, name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn dir() -> (tempfile::TempDir, DataDir) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DataDir::new(folder.path());
        dir.create().expect("folders");
        (folder, dir)
    }

    #[tokio::test]
    async fn what_was_left_behind_is_ended() {
        let (_folder, dir) = dir();
        let mut child =
            Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("runs");
        write(&dir, "da-0", child.id()).expect("written");
        assert_eq!(running(&dir).len(), 1);
        assert_eq!(stop_all(&dir).await.expect("stopped"), ["da-0"]);
        assert!(!child.wait().expect("reaped").success());
        assert_eq!(running(&dir).len(), 0);
    }

    #[tokio::test]
    async fn another_process_of_the_same_id_is_left_alone() {
        let (_folder, dir) = dir();
        let own = Process::running(std::process::id()).expect("this process runs");
        let other = Process { started: own.started + 1, ..own };
        write_json(&path(&dir, "sequencer"), &other).expect("written");
        assert_eq!(stop_all(&dir).await.expect("nothing to stop"), Vec::<String>::new());
    }

    #[test]
    fn users_stop_before_what_they_use() {
        let mut names = ["l1", "da-1", "sequencer", "verifier-2", "gateway", "da-0"];
        names.sort_by_key(|name| stop_order(name));
        assert_eq!(names, ["verifier-2", "sequencer", "gateway", "da-0", "da-1", "l1"]);
    }
}
