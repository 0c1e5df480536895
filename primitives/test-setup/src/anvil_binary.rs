//! Where anvil is.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// The `anvil` to run: `ANVIL_BIN` if set, else the one installed below `contracts/node_modules`,
/// else the first on `PATH`.
///
/// The npm entry `.bin/anvil` is a script that starts the real program as its child. Killing or
/// measuring the script would miss anvil, so the platform package's own executable is taken.
///
/// # Errors
/// When none is installed.
pub fn anvil_binary() -> std::io::Result<PathBuf> {
    let missing = |what: String| Error::new(ErrorKind::NotFound, what);
    if let Some(named) = std::env::var_os("ANVIL_BIN") {
        let named = PathBuf::from(named);
        let real = native_anvil(&named).unwrap_or(named);
        let absent = || missing(format!("ANVIL_BIN is {} and no such file exists", real.display()));
        return real.is_file().then(|| real.clone()).ok_or_else(absent);
    }
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
    let on_path = on_path.filter(|place| place.is_file());
    native_anvil(&contracts.join("node_modules/.bin/anvil"))
        .or_else(|| on_path.map(|place| native_anvil(&place).unwrap_or(place)).next())
        .ok_or_else(|| missing("anvil is missing: run `make setup` or set ANVIL_BIN".into()))
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
    fn a_script_without_its_platform_package_is_not_taken_for_anvil() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(native_anvil(&folder.path().join("node_modules/.bin/anvil")), None);
    }
}
