//! Executing a target for a while.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alloy_primitives::keccak256;
use eyre::{WrapErr, ensure};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::watch::Watch;
use super::{Corpus, Mutator, Target};

/// Failing inputs after which a target is left.
const FAILURES: usize = 10;
/// Executions between looks at the clock.
const STEP: u64 = 32;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// After so long.
    pub time: Duration,
    /// After so many executions.
    pub executions: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Findings {
    /// Executions, the seeds among them.
    pub executions: u64,
    /// Executions whose input was accepted.
    pub accepted: u64,
    /// How long it took.
    pub time: Duration,
    /// Longest execution.
    pub slowest: Duration,
    /// The corpus at the end.
    pub corpus: Corpus,
    /// Files with inputs that failed.
    pub failures: Vec<PathBuf>,
}

/// One run of one target.
#[derive(Debug)]
pub struct Campaign {
    target: Target,
    seed: u64,
    folder: PathBuf,
    findings: Findings,
}

impl Campaign {
    /// A run whose random choices follow from `seed`; failing inputs go to `folder`.
    #[must_use]
    pub fn new(target: Target, seed: u64, folder: &Path) -> Self {
        let findings = Findings {
            executions: 0,
            accepted: 0,
            time: Duration::ZERO,
            slowest: Duration::ZERO,
            corpus: Corpus::new(target.seeds.clone()),
            failures: Vec::new(),
        };
        Self { target, seed, folder: folder.to_path_buf(), findings }
    }

    /// Executes the seeds, then changed inputs until a limit. `tick` is called every few executions.
    ///
    /// # Errors
    /// A seed is not accepted, or a file cannot be written.
    pub fn run(
        mut self,
        limits: Limits,
        mut tick: impl FnMut(&Findings),
    ) -> eyre::Result<Findings> {
        std::fs::create_dir_all(&self.folder)
            .wrap_err_with(|| self.folder.display().to_string())?;
        let name = self.target.name;
        let watch = Watch::start(&self.folder.join(format!("{name}.running")))?;
        let started = Instant::now();
        for seed in self.target.seeds.clone() {
            let accepted = self.execute(&watch, &seed)?;
            ensure!(
                accepted,
                "{name}: a valid input is refused: {}",
                alloy_primitives::hex::encode(seed)
            );
        }
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mutator = Mutator::new(self.target.tokens.clone(), self.target.max_bytes);
        while self.findings.executions < limits.executions
            && self.findings.failures.len() < FAILURES
        {
            if self.findings.executions.is_multiple_of(STEP) {
                self.findings.time = started.elapsed();
                tick(&self.findings);
                if self.findings.time >= limits.time {
                    break;
                }
            }
            let corpus = &self.findings.corpus;
            let (input, other) = (corpus.pick(&mut rng), corpus.pick(&mut rng));
            let input = mutator.mutate(input, other, &mut rng);
            self.execute(&watch, &input)?;
        }
        self.findings.time = started.elapsed();
        watch.finish()?;
        Ok(self.findings)
    }

    /// Executes an input; whether it was accepted.
    fn execute(&mut self, watch: &Watch, input: &[u8]) -> eyre::Result<bool> {
        watch.begin(input)?;
        let started = Instant::now();
        let execute = &mut self.target.execute;
        let outcome = catch_unwind(AssertUnwindSafe(|| execute(input)));
        let findings = &mut self.findings;
        findings.slowest = findings.slowest.max(started.elapsed());
        watch.end();
        findings.executions += 1;
        if let Ok(outcome) = outcome {
            let accepted = outcome.is_accepted();
            findings.accepted += u64::from(accepted);
            findings.corpus.count(outcome, input);
            return Ok(accepted);
        }
        let file =
            format!("{}-{:.16}", self.target.name, alloy_primitives::hex::encode(keccak256(input)));
        let path = self.folder.join(file);
        std::fs::write(&path, input).wrap_err_with(|| path.display().to_string())?;
        findings.failures.push(path);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Outcome;

    /// Panics on what begins with `ab` and holds a `c`, tells `a` and `b` apart before.
    fn fragile() -> Target {
        let execute = |input: &[u8]| match input {
            [b'a', b'b', rest @ ..] => {
                assert!(!rest.contains(&b'c'), "found");
                Outcome::accepted("ab")
            }
            [b'a', ..] => Outcome::accepted("a"),
            _ => Outcome::refused("other"),
        };
        let (seeds, tokens) = (vec![b"a....".to_vec()], Vec::new());
        Target { name: "fragile", seeds, tokens, max_bytes: 64, execute: Box::new(execute) }
    }

    #[test]
    fn outcomes_lead_to_a_failure_whose_input_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { time: Duration::from_secs(60), executions: 1_000_000 };
        let findings = Campaign::new(fragile(), 1, folder.path()).run(limits, |_| {}).unwrap();
        assert_eq!(findings.failures.len(), FAILURES);
        for path in &findings.failures {
            let input = std::fs::read(path).unwrap();
            assert!(input.starts_with(b"ab") && input[2..].contains(&b'c'));
        }
        let names: Vec<_> = findings.corpus.outcomes().keys().map(Outcome::name).collect();
        assert_eq!(names, ["other", "a", "ab"]);
        assert!(!folder.path().join("fragile.running").exists());
    }

    #[test]
    fn a_run_repeats_with_its_seed_and_ends_with_its_limit() {
        let run = |seed| {
            let folder = tempfile::tempdir().unwrap();
            let limits = Limits { time: Duration::from_secs(60), executions: 5000 };
            let findings =
                Campaign::new(fragile(), seed, folder.path()).run(limits, |_| {}).unwrap();
            (findings.executions, findings.accepted, findings.failures.len())
        };
        assert_eq!(run(3), run(3));
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { time: Duration::ZERO, executions: u64::MAX };
        let findings = Campaign::new(fragile(), 1, folder.path()).run(limits, |_| {}).unwrap();
        assert!(findings.executions <= STEP);
    }

    #[test]
    fn a_seed_that_is_refused_ends_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target { seeds: vec![b"x".to_vec()], ..fragile() };
        let limits = Limits { time: Duration::ZERO, executions: 1 };
        let error = Campaign::new(target, 1, folder.path()).run(limits, |_| {}).unwrap_err();
        assert!(error.to_string().contains("refused"), "{error}");
    }
}
