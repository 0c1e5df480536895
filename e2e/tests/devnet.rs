//! `cairn-devnet` as a user runs it: up, status, logs, kill -9 of everything, up again, down.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use cairn_e2e::devnet::{DataDir, Devnet, DevnetOptions, Manifest, PortChoice, Progress};
use cairn_e2e::rpc::RpcClient;
use eyre::{ContextCompat, WrapErr, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Time for what the binary does in the background.
const PATIENCE: Duration = Duration::from_secs(60);

/// A devnet of the binary. Whatever happens, its processes end with it.
struct Binary {
    folder: tempfile::TempDir,
}

impl Binary {
    fn new() -> eyre::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    fn dir(&self) -> DataDir {
        DataDir::new(&self.data_dir())
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    fn run(&self, args: &[&str]) -> eyre::Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn-devnet"));
        command.args(args).arg("--data-dir").arg(self.data_dir()).stdin(Stdio::null());
        command.output().wrap_err("cairn-devnet does not run")
    }

    /// Standard output of a command that must succeed.
    fn succeed(&self, args: &[&str]) -> eyre::Result<String> {
        let Output { status, stdout, stderr } = self.run(args)?;
        let (stdout, stderr) = (String::from_utf8(stdout)?, String::from_utf8_lossy(&stderr));
        ensure!(status.success(), "{args:?}: {status}\n{stdout}\n{stderr}");
        Ok(stdout)
    }

    fn up(&self, args: &[&str]) -> eyre::Result<Manifest> {
        let said = self.succeed(&[&["up", "--detach"], args].concat())?;
        ensure!(said.lines().any(|line| line == "devnet ready"), "not said to be ready:\n{said}");
        Manifest::read(&self.dir().manifest())
    }

    /// The process that looks after the others.
    fn holder(&self) -> eyre::Result<i32> {
        Ok(std::fs::read_to_string(self.data_dir().join("lock"))?.trim().parse()?)
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        if let Err(error) = self.run(&["down"]) {
            eprintln!("processes may be left: {error:#}");
        }
    }
}

fn signal(pid: i32, signal: Signal) -> eyre::Result<()> {
    kill(Pid::from_raw(pid), signal).wrap_err_with(|| format!("process {pid}"))
}

/// Gone, or a zombie that nobody has waited for yet.
fn is_gone(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

async fn eventually(what: &str, mut holds: impl FnMut() -> eyre::Result<bool>) -> eyre::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds()? {
        ensure!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn block(rpc: &str, number: &str) -> eyre::Result<Value> {
    let rpc = RpcClient::new(rpc)?;
    let block: Option<Value> = rpc.call("eth_getBlockByNumber", json!([number, false])).await?;
    block.wrap_err_with(|| format!("no block {number}"))
}

/// `devnet.json` has the members that everybody relies on, and what it names answers.
async fn check_manifest(path: &Path) -> eyre::Result<()> {
    let raw: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    for pointer in [
        "/l1/rpc",
        "/l1/beacon",
        "/l1/chainId",
        "/l2/rpc",
        "/l2/ws",
        "/l2/chainId",
        "/da/0/url",
        "/gateway/url",
        "/storage",
        "/contracts/l1/OptimismPortal",
        "/contracts/l1/BatchInbox",
        "/contracts/l2/L1Block",
        "/accounts/0/address",
        "/accounts/0/privateKey",
        "/metrics/da-0",
        "/pids/l1",
    ] {
        ensure!(raw.pointer(pointer).is_some(), "{pointer} is missing in {raw:#}");
    }
    let manifest = Manifest::read(path)?;
    ensure!(RpcClient::new(&manifest.l1.rpc)?.chain_id().await? == manifest.l1.chain_id);
    let http = reqwest_client()?;
    let blobs = format!("{}/eth/v1/beacon/genesis", manifest.l1.beacon);
    for url in manifest.metrics.values().chain([&blobs]) {
        let answer = http.get(url).send().await?;
        ensure!(answer.status().is_success(), "{url}: {}", answer.status());
    }
    Ok(())
}

fn reqwest_client() -> eyre::Result<reqwest::Client> {
    cairn_node_setup::install_tls();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

#[tokio::test]
async fn a_devnet_outlives_the_death_of_all_its_processes() -> eyre::Result<()> {
    let net = Binary::new()?;
    let before = net.up(&["--ports", "auto", "--da-nodes", "2", "--no-rollup"])?;
    check_manifest(&net.dir().manifest()).await?;
    let status = net.succeed(&["status"])?;
    for name in ["l1", "da-0", "da-1", "gateway"] {
        ensure!(status.lines().any(|l| l.starts_with("ok") && l.contains(name)), "{status}");
    }
    ensure!(net.succeed(&["logs", "da-0"])?.contains("started"), "an empty log");
    let twice = net.run(&["up", "--no-rollup"])?;
    ensure!(!twice.status.success(), "two of them in one folder");

    // One part dies: it is told with what it said, and seen in the status.
    signal(i32::try_from(before.pids["da-1"])?, Signal::SIGKILL)?;
    let log = net.data_dir().join("devnet.log");
    eventually("its death is told", || {
        let text = std::fs::read_to_string(&log)?;
        Ok(text.contains("da-1 ended: signal: 9") && text.contains("da-1.log"))
    })
    .await?;
    ensure!(!net.run(&["status"])?.status.success(), "all is well without da-1");

    // All of them, the one that looks after them first.
    let set_up = block(&before.l1.rpc, "0x3").await?;
    let holder = net.holder()?;
    signal(holder, Signal::SIGKILL)?;
    for pid in before.pids.values() {
        // That of da-1 is gone already.
        let _ = signal(i32::try_from(*pid)?, Signal::SIGKILL);
    }
    eventually("its lock is free", || Ok(is_gone(holder))).await?;
    let other = net.run(&["up", "--da-nodes", "3", "--no-rollup"])?;
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    ensure!(said.contains("--fresh"), "it takes other settings: {said}");
    let after = net.up(&["--no-rollup"])?;
    ensure!(block(&after.l1.rpc, "0x3").await? == set_up, "L1 is another one");
    ensure!(after.contracts == before.contracts && after.l1 == before.l1, "other contracts");
    net.succeed(&["status"])?;

    net.succeed(&["down"])?;
    for pid in after.pids.values() {
        ensure!(is_gone(i32::try_from(*pid)?), "process {pid} is left");
    }
    ensure!(net.succeed(&["down"])?.contains("no devnet runs"));
    Ok(())
}

#[tokio::test]
async fn what_a_killed_devnet_leaves_is_ended() -> eyre::Result<()> {
    let net = Binary::new()?;
    let manifest = net.up(&["--ports", "auto", "--da-nodes", "1", "--no-rollup"])?;
    signal(net.holder()?, Signal::SIGKILL)?;
    ensure!(manifest.pids.values().all(|pid| !is_gone(*pid as i32)), "they live on");
    ensure!(net.succeed(&["down"])?.contains("what was left"));
    ensure!(manifest.pids.values().all(|pid| is_gone(*pid as i32)), "they are ended");
    Ok(())
}

#[tokio::test]
async fn a_set_up_that_was_cut_off_begins_anew_and_two_run_side_by_side() -> eyre::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = |name: &str| DevnetOptions {
        data_dir: folder.path().join(name),
        ports: Some(PortChoice::Auto),
        da_nodes: Some(1),
        no_rollup: true,
        ..DevnetOptions::default()
    };
    let (one, two) = (options("one"), options("two"));
    // Cut off once L1 is there.
    let silent = Progress::silent();
    {
        let start = Devnet::start(&one, &silent);
        tokio::pin!(start);
        let log = DataDir::new(&one.data_dir).of("pids/l1.json");
        let mut look = tokio::time::interval(Duration::from_millis(20));
        loop {
            tokio::select! {
                started = &mut start => eyre::bail!("ready too soon: {:?}", started.map(drop)),
                _ = look.tick() => if log.exists() { break },
            }
        }
    }
    let first = Devnet::start(&one, &silent).await?;
    let second = Devnet::start(&two, &silent).await?;
    ensure!(first.manifest().l1.rpc != second.manifest().l1.rpc);
    let heads = [first.manifest(), second.manifest()].map(|manifest| manifest.l1.rpc.clone());
    for rpc in &heads {
        RpcClient::new(rpc)?.block_number().await?;
    }
    first.stop().await?;
    ensure!(RpcClient::new(&heads[0])?.block_number().await.is_err(), "it is stopped");
    RpcClient::new(&heads[1])?.block_number().await.wrap_err("the other one runs on")?;
    second.stop().await
}
