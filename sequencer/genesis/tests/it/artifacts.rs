//! The checked-in artifacts against their sources. Needs the npm packages of `contracts/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use alloy_primitives::{B256, Bytes, b256, hex};
use cairn_genesis::preinstalls::{CREATE2_DEPLOYER, ENTRY_POINT_V07, SENDER_CREATOR_V07};
use cairn_genesis::{DevOptions, dev_accounts, dev_genesis};
use cairn_primitives::L1Attributes;

use crate::chain::Chain;

fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts")
}

/// forge's own binary: the package of the platform.
fn forge() -> PathBuf {
    let packages = contracts().join("node_modules/@foundry-rs");
    let entries = std::fs::read_dir(&packages).unwrap_or_else(|e| {
        panic!("{}: {e}; run `make setup`", packages.display());
    });
    entries
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/forge")))
        .find(|path| path.is_file())
        .expect("no forge among the npm packages; run `make setup`")
}

fn run(command: &mut Command) {
    let output = command.current_dir(contracts()).output().expect("program starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn checked_in_artifacts_are_what_a_fresh_compile_gives() {
    for package in ["solc", "@eth-optimism/contracts-bedrock", "@account-abstraction/contracts"] {
        let path = contracts().join("node_modules").join(package);
        assert!(path.is_dir(), "{package} is not installed; run `make setup`");
    }
    let directory = tempfile::tempdir().unwrap();
    let (out, cache) = (directory.path().join("out"), directory.path().join("cache"));
    run(Command::new(forge())
        .args(["build", "src/rollup", "src/da", "src/sample/ElementReader.sol", "--out"])
        .arg(&out)
        .arg("--cache-path")
        .arg(&cache));
    run(Command::new("node").args(["script/artifacts.mjs", "--check", "--out"]).arg(&out));
}

/// The npm package is trusted for nothing here: the address itself commits to the init code, and
/// the code in the genesis must be what that init code leaves.
#[test]
fn entry_point_is_what_its_canonical_deployment_creates() {
    const SALT: B256 = b256!("0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3");
    let path =
        contracts().join("node_modules/@account-abstraction/contracts/artifacts/EntryPoint.json");
    let artifact = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; run `make setup`", path.display()));
    let artifact: serde_json::Value = serde_json::from_str(&artifact).unwrap();
    let init_code = hex::decode(artifact["bytecode"].as_str().unwrap()).unwrap();

    let mut genesis = dev_genesis(&DevOptions::default()).unwrap();
    let wanted = [ENTRY_POINT_V07, SENDER_CREATOR_V07]
        .map(|address| genesis.alloc.remove(&address).unwrap().code.unwrap());
    let mut chain = Chain::of_genesis(&genesis);
    let data: Bytes = [SALT.as_slice(), &init_code].concat().into();
    let account = dev_accounts(1).unwrap()[0];
    let deployment = chain.sign(&account, CREATE2_DEPLOYER, Default::default(), data);
    chain.block(&L1Attributes::default(), &[deployment]);
    let created = [ENTRY_POINT_V07, SENDER_CREATOR_V07].map(|a| chain.state.code_of(a));
    assert_eq!(created, wanted);
}
