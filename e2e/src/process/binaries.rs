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
}
