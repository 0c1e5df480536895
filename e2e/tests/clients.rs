//! The scripts of `e2e/clients`, each run against a node of its own: forge,
//! cast, viem and ethers as npm ships them.

use std::collections::BTreeSet;
use std::time::Duration;

use cairn_e2e::process::{Sequencer, SequencerOptions, clients_dir, run_script};
use eyre::WrapErr;

/// Longer than the deadline that a script gives itself, which names the script.
const DEADLINE: Duration = Duration::from_secs(240);

const SCRIPTS: [&str; 14] = [
    "forge/create",
    "forge/script",
    "cast/ledger",
    "cast/traces",
    "viem/contracts",
    "viem/errors",
    "viem/events",
    "viem/proofs",
    "viem/rollup",
    "viem/simulation",
    "viem/transactions",
    "ethers/contracts",
    "ethers/events",
    "ethers/transactions",
];

/// Runs one script to its end against a development node.
async fn run(script: &str) -> eyre::Result<()> {
    run_on(SequencerOptions::default(), script).await
}

/// Runs one script to its end; its output and the node's are in the error.
async fn run_on(options: SequencerOptions, script: &str) -> eyre::Result<()> {
    let mut node = Sequencer::start(options).await?;
    let env =
        [("RPC_URL", node.rpc_url()), ("WS_URL", node.ws_url()), ("TARGET", "cairn".to_owned())];
    let printed = run_script(script, &env, DEADLINE).await;
    println!("{}", printed.wrap_err_with(|| node.child().log_tail())?);
    Ok(())
}

#[test]
fn every_script_has_a_test() {
    let mut found = BTreeSet::new();
    for client in ["forge", "cast", "viem", "ethers"] {
        for entry in std::fs::read_dir(clients_dir().join(client)).expect("the client's folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            found.insert(format!("{client}/{name}"));
        }
    }
    assert_eq!(found, SCRIPTS.map(str::to_owned).into());
}

#[tokio::test]
async fn forge_creates_an_openzeppelin_token() -> eyre::Result<()> {
    run("forge/create").await
}

#[tokio::test]
async fn forge_scripts_a_deployment_of_several_contracts() -> eyre::Result<()> {
    run("forge/script").await
}

#[tokio::test]
async fn cast_reads_and_writes_the_ledger() -> eyre::Result<()> {
    run("cast/ledger").await
}

#[tokio::test]
async fn cast_traces_transactions_and_calls() -> eyre::Result<()> {
    // cast 1.7.1 replays OP blocks only on chains that it knows by id; this is OP Sepolia's.
    let options = SequencerOptions { chain_id: Some(11_155_420), ..SequencerOptions::default() };
    run_on(options, "cast/traces").await
}

#[tokio::test]
async fn viem_deploys_calls_and_decodes_reverts() -> eyre::Result<()> {
    run("viem/contracts").await
}

#[tokio::test]
async fn viem_recognises_every_refusal() -> eyre::Result<()> {
    run("viem/errors").await
}

#[tokio::test]
async fn viem_finds_and_watches_events() -> eyre::Result<()> {
    run("viem/events").await
}

#[tokio::test]
async fn viem_proofs_verify_against_the_state_root() -> eyre::Result<()> {
    run("viem/proofs").await
}

#[tokio::test]
async fn viem_sees_an_op_chain() -> eyre::Result<()> {
    run("viem/rollup").await
}

#[tokio::test]
async fn viem_simulates_blocks_and_overrides_state() -> eyre::Result<()> {
    run("viem/simulation").await
}

#[tokio::test]
async fn viem_sends_every_transaction_type() -> eyre::Result<()> {
    run("viem/transactions").await
}

#[tokio::test]
async fn ethers_deploys_calls_and_decodes_reverts() -> eyre::Result<()> {
    run("ethers/contracts").await
}

#[tokio::test]
async fn ethers_finds_and_hears_events() -> eyre::Result<()> {
    run("ethers/events").await
}

#[tokio::test]
async fn ethers_sends_every_transaction_type() -> eyre::Result<()> {
    run("ethers/transactions").await
}
