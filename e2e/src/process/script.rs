//! The scripts of `e2e/clients`: real clients from npm, run by Node.js.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use eyre::{WrapErr, bail, ensure};
use tokio::process::Command;
use tokio::time::timeout;

/// The folder of the scripts.
#[must_use]
pub fn clients_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Fails when what `make setup` installs is not there: a test that was skipped
/// for it would look like one that passed.
fn check_installed() -> eyre::Result<()> {
    let clients = clients_dir();
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let places =
        [clients.join("node_modules"), contracts.join("node_modules"), contracts.join("out")];
    for place in places {
        ensure!(place.is_dir(), "{} is missing: run `make setup`", place.display());
    }
    Ok(())
}

/// Runs `e2e/clients/<script>.mjs` to its end; gives what it printed.
///
/// # Errors
/// When it fails or runs longer than `limit`; what it printed is in the error.
pub async fn run_script(
    script: &str,
    env: &[(&str, String)],
    limit: Duration,
) -> eyre::Result<String> {
    check_installed()?;
    let folder = tempfile::tempdir().wrap_err("no temporary folder")?;
    let output = folder.path().join("output");
    let log = File::create(&output)?;
    let mut child = Command::new("node")
        .arg(format!("{script}.mjs"))
        .current_dir(clients_dir())
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .wrap_err("cannot start node: run `make setup`")?;
    let ended = timeout(limit, child.wait()).await;
    let printed = std::fs::read_to_string(&output).wrap_err("the script's output is unreadable")?;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(printed),
        Ok(Ok(status)) => bail!("{script} ended with {status}\n{printed}"),
        Ok(Err(error)) => Err(error).wrap_err_with(|| format!("cannot wait for {script}")),
        Err(_) => bail!("{script} ran for {limit:?}\n{printed}"),
    }
}
