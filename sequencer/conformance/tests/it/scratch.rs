//! A directory with one test file.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

/// A directory that holds a file `part/test.json`.
pub(crate) fn directory(content: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let part = directory.path().join("part");
    std::fs::create_dir(&part).unwrap();
    std::fs::write(part.join("test.json"), content).unwrap();
    directory
}

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
