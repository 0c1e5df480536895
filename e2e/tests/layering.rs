//! The direction of dependencies, read from `cargo metadata`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use eyre::{ContextCompat, WrapErr, ensure};
use serde_json::Value;

/// Folders of one role each; crates of different roles meet in `primitives`, in contracts, and in
/// each other's `client` crate.
const ROLES: [&str; 3] = ["sequencer", "da-node", "storage-node"];
/// Crates tied to one version of revm, which only `cairn-evm` names.
const TIED_TO_REVM: [&str; 5] = ["revm", "alloy-evm", "alloy-op-evm", "op-revm", "revm-inspectors"];

/// What protocol types do without.
const IO: [&str; 4] = ["tokio", "axum", "reqwest", "cairn-node-setup"];

struct Package {
    name: String,
    folder: String,
    /// Name and whether only tests need it.
    dependencies: Vec<(String, bool)>,
    has_binary: bool,
}

fn workspace() -> eyre::Result<Vec<Package>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(&root)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().wrap_err("no packages")?;
    packages.iter().map(|package| read(&root, package)).collect()
}

fn read(root: &Path, package: &Value) -> eyre::Result<Package> {
    let text = |value: &Value| value.as_str().map(str::to_owned).wrap_err("not a text");
    let manifest = PathBuf::from(text(&package["manifest_path"])?);
    let folder = manifest.strip_prefix(root)?.components().next().wrap_err("no folder")?;
    let dependencies = package["dependencies"].as_array().wrap_err("no dependencies")?;
    let dependencies = dependencies
        .iter()
        .map(|dependency| Ok((text(&dependency["name"])?, dependency["kind"] == "dev")))
        .collect::<eyre::Result<_>>()?;
    let targets = package["targets"].as_array().wrap_err("no targets")?;
    let has_binary = targets.iter().any(|target| target["kind"][0] == "bin");
    Ok(Package {
        has_binary,
        name: text(&package["name"])?,
        folder: folder.as_os_str().to_string_lossy().into_owned(),
        dependencies,
    })
}

#[test]
fn only_the_evm_crate_names_revm() -> eyre::Result<()> {
    for package in workspace()?.iter().filter(|package| package.name != "cairn-evm") {
        for (dependency, _) in &package.dependencies {
            let tied = TIED_TO_REVM.contains(&dependency.as_str())
                || dependency.starts_with("revm-")
                || dependency.starts_with("reth-");
            ensure!(!tied, "{} depends on {dependency}", package.name);
        }
    }
    Ok(())
}

#[test]
fn primitives_stand_alone_and_roles_do_not_reach_into_each_other() -> eyre::Result<()> {
    let packages = workspace()?;
    let folder_of = |name: &str| packages.iter().find(|p| p.name == name).map(|p| &p.folder);
    let mut seen = BTreeSet::new();
    for package in &packages {
        seen.insert(package.folder.as_str());
        for (dependency, dev) in &package.dependencies {
            let Some(other) = folder_of(dependency) else { continue };
            let what =
                || format!("{} ({}) on {dependency} ({other})", package.name, package.folder);
            let inward = package.folder != "primitives" || other == "primitives";
            ensure!(inward, "primitives depend on a role: {}", what());
            ensure!(other != "e2e", "a dependency on e2e: {}", what());
            let crosses = package.folder != *other
                && ROLES.contains(&package.folder.as_str())
                && ROLES.contains(&other.as_str());
            let allowed = *dev || dependency.ends_with("-client");
            ensure!(!crosses || allowed, "roles meet: {}", what());
        }
    }
    for folder in ["primitives", "sequencer", "da-node", "e2e"] {
        ensure!(seen.contains(folder), "no crate in {folder}: the test reads the wrong workspace");
    }
    Ok(())
}

#[test]
fn protocol_types_have_no_io_and_only_binaries_set_up_nodes() -> eyre::Result<()> {
    let packages = workspace()?;
    let find = |name: &str| packages.iter().find(|p| p.name == name).wrap_err(name.to_owned());
    for name in ["cairn-primitives", "cairn-recovery"] {
        for (dependency, dev) in &find(name)?.dependencies {
            let io = IO.contains(&dependency.as_str());
            ensure!(*dev || !io, "{name} depends on {dependency}");
        }
    }
    for name in ["cairn-node-setup", "cairn-test-setup"] {
        for (dependency, _) in &find(name)?.dependencies {
            ensure!(!dependency.starts_with("cairn-"), "{name} depends on {dependency}");
        }
    }
    for package in packages.iter().filter(|package| !package.has_binary) {
        let sets_up = package.dependencies.iter().any(|(name, _)| name == "cairn-node-setup");
        ensure!(!sets_up, "{} sets up nodes and has no binary", package.name);
    }
    for package in packages.iter().filter(|package| package.folder != "e2e") {
        let ships = package.dependencies.contains(&("cairn-test-setup".to_owned(), false));
        ensure!(!ships, "{} ships what tests set up", package.name);
    }
    ensure!(find("cairn-da-node")?.has_binary, "no binary is seen");
    Ok(())
}

#[test]
fn every_dependency_comes_from_a_registry() -> eyre::Result<()> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let text = std::fs::read_to_string(&lock).wrap_err("Cargo.lock")?;
    let git = text.lines().find(|line| line.starts_with("source = \"git+"));
    ensure!(git.is_none(), "a git dependency: {git:?}");
    Ok(())
}
