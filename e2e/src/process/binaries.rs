//! Where the binaries are.

use std::path::{Path, PathBuf};

use eyre::{WrapErr, bail, eyre};

/// The `cairn-sequencer` to run: `CAIRN_BIN` if set, else the one built.
///
/// # Errors
/// As [`built_binary`].
pub fn sequencer_binary() -> eyre::Result<PathBuf> {
    built_binary("cairn-sequencer", "CAIRN_BIN")
}

/// The `cairn-da-node` to run: `CAIRN_DA_BIN` if set, else the one built.
///
/// # Errors
/// As [`built_binary`].
pub fn da_node_binary() -> eyre::Result<PathBuf> {
    built_binary("cairn-da-node", "CAIRN_DA_BIN")
}

/// One of the workspace's binaries: the file that the environment variable names if
/// it is set, else the one built into the target directory this executable itself
/// was built into, else the one below `CARGO_TARGET_DIR`.
///
/// # Errors
/// When none of the places holds the file; the error lists them.
fn built_binary(name: &str, variable: &str) -> eyre::Result<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        let named = PathBuf::from(named);
        if named.is_file() {
            return Ok(named);
        }
        bail!("{variable} is {} and no such file exists", named.display());
    }
    let executable = std::env::current_exe().wrap_err("own executable is unknown")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let places = candidates(name, &executable, target.as_deref());
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        eyre!("{name} is not built; looked for {places:?}; set {variable} to choose one")
    })
}

/// Cargo puts binaries into `<profile>/` and test executables into
/// `<profile>/deps/`, so both folders above the executable are candidates.
fn candidates(name: &str, executable: &Path, target: Option<&Path>) -> Vec<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let own = executable.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    own.chain(target.map(|folder| folder.join("release").join(&name))).collect()
}

/// The `anvil` to run: `ANVIL_BIN` if set, else the one installed below
/// `contracts/node_modules`, else the first on `PATH`.
///
/// The npm entry `.bin/anvil` is a script that starts the real program as its
/// child. Killing or measuring the script would miss anvil, so the platform
/// package's own executable is taken.
///
/// # Errors
/// When none is installed.
pub fn anvil_binary() -> eyre::Result<PathBuf> {
    if let Some(named) = std::env::var_os("ANVIL_BIN") {
        let named = PathBuf::from(named);
        let real = native_anvil(&named).unwrap_or(named);
        if real.is_file() {
            return Ok(real);
        }
        bail!("ANVIL_BIN is {} and no such file exists", real.display());
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["contracts", "e2e"] {
        let script = workspace.join(folder).join("node_modules/.bin/anvil");
        if let Some(native) = native_anvil(&script) {
            return Ok(native);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
    on_path
        .filter(|place| place.is_file())
        .map(|place| native_anvil(&place).unwrap_or(place))
        .next()
        .ok_or_else(|| eyre!("anvil is not installed; run `make setup` or set ANVIL_BIN"))
}

/// The executable behind an npm `.bin/anvil` entry, if `script` is one.
fn native_anvil(script: &Path) -> Option<PathBuf> {
    let modules = script.parent()?.parent()?;
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let native = modules.join(format!("@foundry-rs/anvil-{os}-{arch}/bin/anvil"));
    native.is_file().then_some(native)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_node_beside_a_binary_and_above_a_test_executable() {
        let name = format!("cairn-sequencer{}", std::env::consts::EXE_SUFFIX);
        let places = candidates(
            "cairn-sequencer",
            Path::new("/t/release/deps/it-123"),
            Some(Path::new("/x")),
        );
        assert!(places.contains(&Path::new("/t/release").join(&name)));
        assert!(places.contains(&Path::new("/x/release").join(&name)));
        let places = candidates("cairn-sequencer", Path::new("/t/release/cairn-bench"), None);
        assert_eq!(places[0], Path::new("/t/release").join(&name));
    }

    #[test]
    fn a_script_without_its_platform_package_is_not_taken_for_anvil() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(native_anvil(&folder.path().join("node_modules/.bin/anvil")), None);
    }
}
