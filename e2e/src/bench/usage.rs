//! Processor time and memory of the generator and of the node, from the kernel.

use std::time::Duration;

use eyre::{WrapErr, eyre};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Ticks per second of `/proc/<pid>/stat`: USER_HZ, 100 on every Linux platform.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessUsage {
    /// User and system time of all its threads; counted in steps of 10 ms.
    pub(super) cpu: Duration,
    pub(super) memory: Memory,
}

/// Resident set of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// Now.
    pub(super) rss: u64,
    /// At most since it started.
    pub(super) peak_rss: u64,
}

impl Memory {
    /// Reads the text of `/proc/<pid>/status`.
    pub(super) fn parse(status: &str) -> eyre::Result<Self> {
        let size = |field: &str| {
            parse_size(status, field).ok_or_else(|| eyre!("no {field} in a process status"))
        };
        Ok(Self { rss: size("VmRSS:")?, peak_rss: size("VmHWM:")? })
    }
}

/// Processor time of this process, user and system.
pub(super) fn own_cpu() -> eyre::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).wrap_err("getrusage")?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(time.tv_usec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

impl ProcessUsage {
    /// Reads the usage of process `pid` of this machine.
    pub(super) fn of(pid: u32) -> eyre::Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).wrap_err(path)
        };
        let cpu = parse_cpu(&read("stat")?).ok_or_else(|| eyre!("/proc/{pid}/stat: no times"))?;
        Ok(Self { cpu, memory: Memory::parse(&read("status")?)? })
    }
}

/// Fields 14 and 15 of `stat`. The name in field 2 may hold spaces and brackets,
/// so counting starts behind its last bracket.
fn parse_cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let millis = user.checked_add(system)?.checked_mul(1_000 / TICKS_PER_SECOND)?;
    Some(Duration::from_millis(millis))
}

/// A field of `status`, in bytes.
fn parse_size(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_behind_a_name_with_brackets() {
        let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        assert_eq!(parse_cpu(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn reads_sizes_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t1 kB\n";
        let memory = Memory::parse(status).expect("both sizes");
        assert_eq!(memory, Memory { rss: 1 << 10, peak_rss: 2 << 20 });
        assert!(Memory::parse("Name:\tx\n").is_err());
    }

    #[test]
    fn this_process_has_used_something() {
        let mut sum = 0u64;
        let before = own_cpu().expect("the kernel answers");
        while own_cpu().expect("the kernel answers") == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let usage = ProcessUsage::of(std::process::id()).expect("own files");
        assert!(usage.memory.peak_rss > 1 << 20, "{usage:?}");
    }
}
