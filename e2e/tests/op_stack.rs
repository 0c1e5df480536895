//! viem's op-stack actions, unmodified, against a whole chain: the scripts of
//! `e2e/clients/op-stack`, on one devnet, each with an account of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use cairn_e2e::devnet::{Devnet, DevnetOptions, PortChoice, Progress};
use cairn_e2e::process::{clients_dir, run_script};
use eyre::{WrapErr, ensure};
use futures::future::join_all;

/// Longer than the deadline that a script gives itself, which names the script.
const DEADLINE: Duration = Duration::from_secs(420);
const SCRIPT_DEADLINE_MS: u64 = 400_000;

/// Run beside one another: most of their time is waiting.
const SCRIPTS: [&str; 5] = [
    "op-stack/deposits",
    "op-stack/elements",
    "op-stack/fees",
    "op-stack/tokens",
    "op-stack/withdrawals",
];
/// Run against a sequencer that takes no transaction.
const FORCED: &str = "op-stack/forced";
/// More than anybody has.
const CENSORING_TIP: &str = "100000000000000000000000";

async fn run(devnet: &Devnet, script: &str) -> eyre::Result<()> {
    let manifest = devnet.manifest();
    let env = [
        ("DEVNET_JSON", devnet.dir().manifest().display().to_string()),
        ("RPC_URL", manifest.l2.rpc.clone()),
        ("WS_URL", manifest.l2.ws.clone()),
        ("SCRIPT_DEADLINE_MS", SCRIPT_DEADLINE_MS.to_string()),
    ];
    let printed = run_script(script, &env, DEADLINE).await?;
    println!("{printed}");
    Ok(())
}

#[test]
fn every_script_is_run() {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(clients_dir().join("op-stack")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        found.insert(format!("op-stack/{name}"));
    }
    let run: BTreeSet<String> = SCRIPTS.into_iter().chain([FORCED]).map(str::to_owned).collect();
    assert_eq!(found, run);
}

#[tokio::test]
async fn viem_deposits_withdraws_bridges_and_forces() -> eyre::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = DevnetOptions {
        data_dir: folder.path().to_owned(),
        ports: Some(PortChoice::Auto),
        ..DevnetOptions::default()
    };
    let mut devnet = Devnet::start(&options, &Progress::silent()).await?;
    let outcomes = join_all(SCRIPTS.iter().map(|script| run(&devnet, script))).await;
    let failed: Vec<String> =
        outcomes.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    devnet.restart_with("sequencer", &["--pool.min-tip", CENSORING_TIP]).await?;
    run(&devnet, FORCED).await.wrap_err("a censoring sequencer")?;
    let deaths = devnet.deaths()?;
    ensure!(deaths.is_empty(), "{deaths:?}");
    devnet.stop().await
}
