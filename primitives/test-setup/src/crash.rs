//! Crashes at failpoints.
//!
//! A test binary starts itself as a child, in which one test alone runs: [`kill_at`]. That test asks
//! [`armed`] for its folder, works, and the process dies without unwinding anything when it comes to the
//! failpoint for the n-th time.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const TASK: &str = "CAIRN_CRASH_CHILD";
const SIGABRT: i32 = 6;

/// In the child: arms its failpoint, and gives the folder to work in. `None` in any other process.
pub fn armed() -> Option<PathBuf> {
    let task = std::env::var(TASK).ok()?;
    let mut words = task.splitn(3, ' ');
    let mut word = || words.next().expect("failpoint, visits and folder");
    let (point, visits, dir) = (word(), word(), word());
    let left = AtomicUsize::new(visits.parse().expect("a number"));
    let visit = move || {
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    };
    fail::cfg_callback(point, visit).expect("a failpoint");
    Some(dir.into())
}

/// Runs a test of this binary in a child until it dies at the `visits`-th visit of the failpoint;
/// `false` if it never came to it.
pub fn kill_at(test: &str, point: &str, visits: usize, dir: &Path) -> bool {
    let child = Command::new(std::env::current_exe().expect("own executable"))
        .args(["--exact", test, "--nocapture"])
        .env(TASK, format!("{point} {visits} {}", dir.display()))
        .output()
        .expect("a child");
    let died = child.status.signal() == Some(SIGABRT);
    let stderr = String::from_utf8_lossy(&child.stderr);
    assert!(died || child.status.success(), "{point} {visits}: {}\n{stderr}", child.status);
    died
}

/// Notes an acknowledged step where the parent finds it.
pub fn acknowledge(dir: &Path, what: &str, number: u64) {
    std::fs::write(dir.join(what), number.to_string()).expect("written");
}

/// The step that was acknowledged last; 0 if none was.
pub fn acknowledged(dir: &Path, what: &str) -> u64 {
    let text = std::fs::read_to_string(dir.join(what));
    text.map_or(0, |text| text.parse().expect("a number"))
}
