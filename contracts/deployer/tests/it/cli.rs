//! The binary.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use alloy_primitives::hex;
use cairn_deploy::{Contracts, KEY_VARIABLE};
use cairn_rollup::RollupConfig;

use crate::anvil::{L1, key};

fn command(url: &str, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn-deploy"));
    command.args(["--l1-rpc", url, "--out"]).arg(out).env_remove(KEY_VARIABLE);
    command
}

fn secret() -> String {
    hex::encode_prefixed(key(0).to_bytes())
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn writes_the_three_files_and_leaves_them_when_it_runs_again() {
    let Some(l1) = L1::start(&[]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (out, config) = (folder.path().join("out"), folder.path().join("deploy.toml"));
    std::fs::write(&config, "[l2]\nchain_id = 903\nblock_time = 2\n").unwrap();
    let run = || {
        let mut command = command(&l1.url, &out);
        command.arg("--config").arg(&config).args(["--set", "l2.block_time=3"]);
        let output = command.env(KEY_VARIABLE, secret()).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains(&secret()[2..]));
        ["genesis.json", "addresses.json", "rollup.json"].map(|name| {
            let path = out.join(name);
            let written = std::fs::metadata(&path).unwrap().modified().unwrap();
            (std::fs::read_to_string(path).unwrap(), written)
        })
    };
    let first = run();
    let rollup: RollupConfig = serde_json::from_str(&first[2].0).unwrap();
    let contracts: Contracts = serde_json::from_str(&first[1].0).unwrap();
    assert_eq!((rollup.l2_chain_id, rollup.block_time), (903, 3));
    assert_eq!(rollup.deposit_contract_address, contracts.optimism_portal);
    let genesis: alloy_genesis::Genesis = serde_json::from_str(&first[0].0).unwrap();
    assert_eq!(genesis.config.chain_id, 903);
    assert_eq!(run(), first);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
}

/// Killed at several places of the run, between two transactions or within one.
#[tokio::test]
async fn goes_on_after_kill_9() {
    let Some(l1) = L1::start(&["--block-time", "1"]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for lines in [2, 4, 3] {
        let mut command = command(&l1.url, &out);
        command.env(KEY_VARIABLE, secret()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let reader = BufReader::new(child.stderr.take().unwrap());
        assert_eq!(reader.lines().take(lines).count(), lines);
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!out.exists());
    }
    let output = command(&l1.url, &out).env(KEY_VARIABLE, secret()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let addresses = std::fs::read_to_string(out.join("addresses.json")).unwrap();
    let contracts: Contracts = serde_json::from_str(&addresses).unwrap();
    assert!(l1.codes(&contracts).await.iter().all(|(_, _, code)| !code.is_empty()));
    let Some(whole) = L1::start(&[]).await else { return };
    let expected = whole.deploy(cairn_deploy::DeployConfig::default()).await.unwrap();
    assert_eq!(contracts, expected.contracts);
    assert_eq!(l1.nonce().await, whole.nonce().await);
}

#[test]
fn key_comes_from_a_private_file_or_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let run = |file: Option<&Path>, variable: Option<&str>| {
        let mut command = command("http://127.0.0.1:1", folder.path());
        if let Some(file) = file {
            command.arg("--key-file").arg(file);
        }
        if let Some(key) = variable {
            command.env(KEY_VARIABLE, key);
        }
        let output = command.output().unwrap();
        assert!(!output.status.success());
        said(&output)
    };
    assert!(run(None, None).contains("no key"));
    assert!(run(Some(&file), None).contains("No such file"));
    std::fs::write(&file, secret()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(run(Some(&file), None).contains("mode 0644"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(run(Some(&file), None).contains("eth_chainId"));
    assert!(run(None, Some(&secret())).contains("eth_chainId"));
    let wrong = "0x00000000000000000000000000000000000000000000000000000000000zzzz1";
    let said = run(None, Some(wrong));
    assert!(said.contains(KEY_VARIABLE) && !said.contains("zzzz1"), "{said}");
    std::fs::write(&file, &wrong[..40]).unwrap();
    assert!(run(Some(&file), None).contains("does not hold a key"));
}
