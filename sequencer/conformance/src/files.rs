//! Finding test files.

use std::path::{Path, PathBuf};

use crate::RunError;

/// Environment variable that names the directory of all fixtures.
const FIXTURES_VARIABLE: &str = "CAIRN_FIXTURES";

/// Where the fixtures are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fixtures {
    /// In this directory.
    At(PathBuf),
    /// Nowhere, and nobody demands them.
    Absent,
}

/// The directory `part` of the fixtures, such as `ethereum-tests/RLPTests`.
///
/// They are looked for in `CAIRN_FIXTURES`, else beside the checkout in `shared/fixtures`.
///
/// # Errors
/// [`RunError::NoFixtures`] where they are absent although `CI=true` demands them.
pub fn fixtures(part: &str) -> Result<Fixtures, RunError> {
    let named = std::env::var_os(FIXTURES_VARIABLE);
    let demanded = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    let root = named.map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures"),
        PathBuf::from,
    );
    let path = root.join(part);
    match (path.exists(), demanded) {
        (true, _) => Ok(Fixtures::At(path)),
        (false, true) => Err(RunError::NoFixtures(path)),
        (false, false) => Ok(Fixtures::Absent),
    }
}

/// All `.json` files under a directory in the order of their paths, or the file itself. Hidden
/// directories hold indices of the suites, not tests.
pub(crate) fn test_files(root: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut found = Vec::new();
    if root.is_file() {
        found.push(root.to_path_buf());
    } else {
        collect(root, &mut found)?;
    }
    found.sort();
    if found.is_empty() { Err(RunError::Empty(root.to_path_buf())) } else { Ok(found) }
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), RunError> {
    let failed = |source| RunError::Directory { path: directory.to_path_buf(), source };
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() && !hidden {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") && !hidden {
            found.push(path);
        }
    }
    Ok(())
}
