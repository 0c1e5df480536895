//! The public test suites.

use std::path::{Path, PathBuf};

use crate::skip;

/// The directory of a part of the fixtures, such as `execution-apis`: below `CAIRN_FIXTURES`, else beside the
/// checkout in `shared/fixtures`. `None`, said on standard output, where there is none; with `CI` set that fails.
pub fn fixtures(part: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let root = std::env::var_os("CAIRN_FIXTURES").map_or_else(beside, PathBuf::from);
    let directory = root.join(part);
    if directory.is_dir() {
        return Some(directory);
    }
    skip(&format!("no fixtures at {}", directory.display()));
    None
}
