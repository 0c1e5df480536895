//! `down`: ends a devnet, whoever started it.

use std::time::{Duration, Instant};

use eyre::{WrapErr, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::data_dir::DataDir;
use super::pid_file;

/// Time for all parts to stop one after another.
const LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);

/// Stops the devnet of a folder. What a killed `up` left behind is stopped too.
pub(super) async fn run(dir: &DataDir) -> eyre::Result<()> {
    let mut stopped = false;
    let deadline = Instant::now() + LIMIT;
    let mut told = None;
    while let Some(pid) = dir.holder()? {
        // The id is written a moment after the lock is taken.
        if pid > 0 && told != Some(pid) {
            kill(Pid::from_raw(pid), Signal::SIGTERM)
                .wrap_err_with(|| format!("cannot signal process {pid}"))?;
            told = Some(pid);
        }
        if Instant::now() >= deadline {
            bail!("process {pid} does not end");
        }
        tokio::time::sleep(POLL).await;
        stopped = true;
    }
    let left = pid_file::stop_all(dir).await?;
    match (stopped, left.as_slice()) {
        (true, []) => println!("stopped"),
        (false, []) => println!("no devnet runs in {}", dir.root().display()),
        (_, left) => println!("stopped what was left: {}", left.join(", ")),
    }
    Ok(())
}
