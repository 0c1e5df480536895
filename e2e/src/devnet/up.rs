//! `up`: a devnet until it is told to stop.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use eyre::{WrapErr, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::data_dir::DataDir;
use super::logs;
use super::manifest::Manifest;
use super::network::Devnet;
use super::progress::Progress;
use super::settings::DevnetOptions;

/// The line that says so.
const READY: &str = "devnet ready";
/// Name of the log of a devnet in the background.
const LOG: &str = "devnet";
/// How often the parts are looked at, and L1's state.
const WATCH: Duration = Duration::from_millis(250);
const KEEP_L1: Duration = Duration::from_secs(5);

/// SIGINT, SIGTERM or the end of the terminal.
struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    fn new() -> eyre::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [a, b, c] = kinds.map(signal);
        Ok(Self { signals: [a?, b?, c?] })
    }

    async fn told(&mut self) {
        let [a, b, c] = &mut self.signals;
        tokio::select! {
            _ = a.recv() => {}
            _ = b.recv() => {}
            _ = c.recv() => {}
        }
    }
}

/// Runs in the foreground.
pub(super) async fn attached(options: &DevnetOptions) -> eyre::Result<()> {
    let mut stop = Stop::new()?;
    let progress = Progress::begin();
    let started = tokio::select! {
        started = Devnet::start_apart(options, &progress) => started,
        // What was started is killed as it is dropped: nobody uses it yet.
        () = stop.told() => bail!("stopped before it was ready"),
    };
    let mut devnet = started?;
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    println!("{}", summary(devnet.manifest(), devnet.dir())?);
    println!("{READY}");
    println!("in {seconds:.1} s; Ctrl-C or `cairn-devnet down` stops it, `up` goes on from there");
    watch(&mut devnet, &mut stop).await?;
    eprintln!("stopping");
    devnet.stop().await
}

/// Looks after a devnet until it is told to stop.
async fn watch(devnet: &mut Devnet, stop: &mut Stop) -> eyre::Result<()> {
    let mut look = tokio::time::interval(WATCH);
    let mut keep = tokio::time::interval(KEEP_L1);
    loop {
        tokio::select! {
            () = stop.told() => return Ok(()),
            _ = look.tick() => {
                for death in devnet.deaths()? {
                    eprintln!("{} ended: {}", death.name, death.report);
                }
            }
            _ = keep.tick() => {
                if let Err(error) = devnet.keep_l1() {
                    eprintln!("{error:#}");
                }
            }
        }
    }
}

/// Where everything is, in a few lines.
fn summary(manifest: &Manifest, dir: &DataDir) -> eyre::Result<String> {
    let mut text = String::new();
    writeln!(text, "L2        {}  {}", manifest.l2.rpc, manifest.l2.ws)?;
    if let Some(verifier) = &manifest.verifier {
        writeln!(text, "verifier  {}", verifier.rpc)?;
    }
    writeln!(text, "L1        {}", manifest.l1.rpc)?;
    writeln!(text, "gateway   {}", manifest.gateway.url)?;
    if let Some(account) = manifest.accounts.first() {
        writeln!(text, "account   {}, key {}", account.address, account.private_key)?;
    }
    write!(text, "all of it {}", dir.manifest().display())?;
    Ok(text)
}

/// Runs in the background, and returns when the devnet is ready.
pub(super) async fn detached(options: &DevnetOptions) -> eyre::Result<()> {
    let dir = DataDir::new(&options.data_dir);
    if let Some(pid) = dir.holder()? {
        bail!("the devnet in {} runs already, as process {pid}", dir.root().display());
    }
    std::fs::create_dir_all(dir.root())
        .wrap_err_with(|| format!("cannot create {}", dir.root().display()))?;
    // Beside the folders that a fresh start clears.
    let path = dir.root().join(format!("{LOG}.log"));
    let log = File::create(&path).wrap_err_with(|| path.display().to_string())?;
    let mut command = Command::new(std::env::current_exe().wrap_err("own executable is unknown")?);
    let words = std::env::args_os().skip(1).filter(|word| word != "--detach");
    command.args(words).process_group(0).stdin(Stdio::null());
    let mut child = command
        .stdout(log.try_clone().wrap_err("cannot share the log")?)
        .stderr(log)
        .spawn()
        .wrap_err("cannot start in the background")?;
    let mut follow = logs::Follow::new(&path)?;
    loop {
        // In this order: what it said before it ended is shown.
        let ended = child.try_wait().wrap_err("cannot wait")?;
        let text = follow.more()?;
        print!("{text}");
        if follow.has_line(READY) {
            println!("log {}", path.display());
            return Ok(());
        }
        if let Some(status) = ended {
            bail!("it ended: {status}");
        }
        tokio::time::sleep(logs::POLL).await;
    }
}
