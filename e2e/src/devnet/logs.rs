//! `logs`: what a part says.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use eyre::{WrapErr, bail};

use super::data_dir::DataDir;

/// How often a log is looked at for more.
pub(super) const POLL: Duration = Duration::from_millis(100);
/// Most bytes taken in at a time.
const CHUNK: u64 = 1 << 20;

/// A log as it grows.
#[derive(Debug)]
pub(super) struct Follow {
    file: File,
    /// What came so far of the first lines, up to a bound.
    seen: String,
}

impl Follow {
    pub(super) fn new(path: &Path) -> eyre::Result<Self> {
        let file = File::open(path).wrap_err_with(|| path.display().to_string())?;
        Ok(Self { file, seen: String::new() })
    }

    /// What was written since the last call.
    pub(super) fn more(&mut self) -> eyre::Result<String> {
        let mut bytes = Vec::new();
        (&self.file).take(CHUNK).read_to_end(&mut bytes).wrap_err("the log is unreadable")?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if (self.seen.len() as u64) < CHUNK {
            self.seen.push_str(&text);
        }
        Ok(text)
    }

    /// Whether one of the lines so far is this one.
    pub(super) fn has_line(&self, wanted: &str) -> bool {
        self.seen.lines().any(|line| line == wanted)
    }
}

/// Prints the log of a part.
pub(super) async fn run(dir: &DataDir, name: &str, follow: bool) -> eyre::Result<()> {
    let path = dir.log(name);
    if !path.is_file() {
        bail!("no log of {name}; there are: {}", names(dir).join(", "));
    }
    let mut log = Follow::new(&path)?;
    let mut out = std::io::stdout();
    loop {
        let text = log.more()?;
        // A closed pipe, as of `head`, is an end and no error.
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
        if text.is_empty() {
            if !follow {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn names(dir: &DataDir) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.logs()) else { return Vec::new() };
    let stems = entries.flatten().filter_map(|entry| {
        entry.path().file_stem().map(|stem| stem.to_string_lossy().into_owned())
    });
    let mut names: Vec<String> = stems.collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_given_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        let mut file = File::create(&path).expect("created");
        let mut follow = Follow::new(&path).expect("there");
        writeln!(file, "devnet").expect("written");
        assert_eq!(follow.more().expect("readable"), "devnet\n");
        assert!(!follow.has_line("devnet ready"));
        write!(file, "devnet rea").expect("written");
        assert_eq!(follow.more().expect("readable"), "devnet rea");
        writeln!(file, "dy").expect("written");
        assert_eq!(follow.more().expect("readable"), "dy\n");
        assert!(follow.has_line("devnet ready"));
        assert_eq!(follow.more().expect("readable"), "");
    }

    #[tokio::test]
    async fn the_log_of_an_unknown_part_is_refused_with_the_known_ones() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = DataDir::new(folder.path());
        dir.create().expect("folders");
        std::fs::write(dir.log("da-0"), "text").expect("written");
        let error = run(&dir, "da-9", false).await.expect_err("no such part");
        assert!(error.to_string().contains("da-0"), "{error}");
    }
}
