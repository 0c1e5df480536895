//! The targets.

mod batches;
mod blobs;
mod certificate;
mod channels;
mod derivation;
mod frames;
mod header;
mod recovery;
mod rest;
mod rollup;
mod rows;

use super::Target;

/// Makes a target with its seeds.
pub type Build = fn() -> eyre::Result<Target>;

/// Every target by its name. A new one is a line here.
#[must_use]
pub fn all() -> Vec<(&'static str, Build)> {
    vec![
        ("header", header::target),
        ("certificate", certificate::target),
        ("rows", rows::target),
        ("recovery", recovery::target),
        ("rest", rest::target),
        ("frames", frames::target),
        ("blobs", blobs::target),
        ("channels", channels::target),
        ("batches", batches::target),
        ("derivation", derivation::target),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::fuzz::{Campaign, Limits};

    #[test]
    fn every_target_accepts_its_seeds_and_stands_some_changes() {
        for (name, target) in all() {
            let folder = tempfile::tempdir().unwrap();
            let target = target().unwrap();
            assert_eq!(target.name, name);
            let limits = Limits { time: Duration::from_secs(20), executions: 2000 };
            let findings = Campaign::new(target, 1, folder.path()).run(limits, |_| {}).unwrap();
            assert!(findings.failures.is_empty(), "{name}: {:?}", findings.failures);
            assert!(
                findings.corpus.outcomes().len() > 2,
                "{name}: {:?}",
                findings.corpus.outcomes()
            );
        }
    }

    /// Inputs that once failed, one file each under the name of their target.
    #[test]
    fn inputs_that_failed_once_do_not_fail_again() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let Ok(targets) = std::fs::read_dir(folder) else { return };
        for entry in targets {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let build = all().into_iter().find(|(known, _)| *known == name);
            let (_, build) = build.unwrap_or_else(|| panic!("no target {name}"));
            let mut target = build().unwrap();
            for file in std::fs::read_dir(entry.path()).unwrap() {
                (target.execute)(&std::fs::read(file.unwrap().path()).unwrap());
            }
        }
    }
}
