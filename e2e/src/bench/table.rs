//! Reports as text in columns.

use std::fmt::Write;

use super::derive::DeriveReport;
use super::import::ImportReport;
use super::latency::Percentiles;
use super::report::{Comparison, LoadReport, Rounds, SyncComparison, SyncReport};
use super::root::{RootFigures, RootReport};

const LABEL_WIDTH: usize = 34;
const COLUMN_WIDTH: usize = 16;

/// A table with one column per node.
struct Table {
    text: String,
}

impl Table {
    fn row<'a, T: 'a>(
        &mut self,
        label: &str,
        columns: &[&'a T],
        cell: impl Fn(&'a T) -> Option<String>,
    ) {
        let cells: Vec<Option<String>> = columns.iter().map(|column| cell(column)).collect();
        if cells.iter().all(Option::is_none) {
            return;
        }
        let _ = write!(self.text, "{label:<LABEL_WIDTH$}");
        for cell in cells {
            let _ = write!(self.text, "{:>COLUMN_WIDTH$}", cell.unwrap_or_else(|| "-".to_owned()));
        }
        self.text.push('\n');
    }
}

/// The round whose figures stand for the others: the one nearest to the median.
fn typical(rounds: &Rounds) -> Option<&LoadReport> {
    let distance = |round: &LoadReport| (round.tps - rounds.tps).abs();
    rounds.rounds.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The table of `cairn-bench tps`.
pub(super) fn load(comparison: &Comparison) -> String {
    let sides: Vec<&Rounds> =
        [Some(&comparison.ours), comparison.theirs.as_ref()].into_iter().flatten().collect();
    let columns: Vec<&LoadReport> = sides.iter().filter_map(|side| typical(side)).collect();
    let mut table = Table { text: String::new() };
    let Comparison { workload, senders, batch, connections, .. } = comparison;
    let _ = writeln!(
        table.text,
        "{workload:?}: {senders} senders, batches of {batch} over {connections} connections, {} cores",
        comparison.cores
    );
    table.row("", &columns, |round| Some(round.node.clone()));
    table.row("transactions per second (median)", &sides, |side| Some(count(side.tps)));
    table.row("  of each round", &sides, |side| {
        let all: Vec<String> = side.rounds.iter().map(|round| count(round.tps)).collect();
        (all.len() > 1).then(|| format!(" {}", all.join(" ")))
    });
    load_rows(&mut table, &columns);
    if let Some(ratio) = comparison.ratio {
        let _ = writeln!(table.text, "ratio {ratio:.2} (ours / theirs)");
    }
    table.text
}

fn load_rows(table: &mut Table, columns: &[&LoadReport]) {
    let optional = |value: Option<f64>, digits| value.map(|value| fixed(value, digits));
    table.row("  between first and last block", columns, |r| r.steady_tps.map(count));
    table.row("  limit by sender recovery alone", columns, |r| Some(count(r.recovery_limit_tps)));
    table.row("million gas per second", columns, |r| Some(fixed(r.mgas_per_second, 1)));
    table.row("included", columns, |r| Some(r.included.to_string()));
    table.row("refused", columns, |r| Some(r.rejected.to_string()));
    table.row("reverted", columns, |r| Some(r.reverted.to_string()));
    table.row("missing", columns, |r| Some(r.missing.to_string()));
    table.row("seconds", columns, |r| Some(fixed(r.seconds, 2)));
    table.row("blocks", columns, |r| Some(r.blocks.to_string()));
    table.row("submitted per second", columns, |r| Some(count(r.submit_tps)));
    table.row("node: µs of processor per tx", columns, |r| optional(r.node_cpu_us_per_tx, 1));
    table.row("node: peak memory, MiB", columns, |r| optional(r.node_peak_rss_mib, 0));
    table.row("generator: µs of processor per tx", columns, |r| {
        Some(fixed(r.generator_cpu_us_per_tx, 1))
    });
    table.row("generator: share of all cores", columns, |r| Some(percent(r.generator_share)));
    for round in columns {
        for (reason, count) in &round.rejected_by_reason {
            let _ = writeln!(table.text, "{} refused {count}: {reason}", round.node);
        }
    }
}

/// The table of `cairn-bench tps --sync`.
pub(super) fn sync(comparison: &SyncComparison) -> String {
    let columns: Vec<&SyncReport> =
        [Some(&comparison.ours), comparison.theirs.as_ref()].into_iter().flatten().collect();
    let mut table = Table { text: String::new() };
    let SyncComparison { workload, senders, connections, transport, .. } = comparison;
    let _ = writeln!(
        table.text,
        "{workload:?}, eth_sendRawTransactionSync: {senders} senders over {connections} {transport:?} connections"
    );
    table.row("", &columns, |r| Some(r.node.clone()));
    table.row("due per second", &columns, |r| Some(count(r.rate)));
    table.row("transactions", &columns, |r| Some(r.txs.to_string()));
    table.row("without receipt of success", &columns, |r| Some(r.rejected.to_string()));
    table.row("missing from the chain", &columns, |r| Some(r.missing.to_string()));
    percentile_rows(&mut table, "latency, ms", &columns, |r| &r.latency);
    percentile_rows(&mut table, "  of it before sending, ms", &columns, |r| &r.send_lag);
    table.row("node: µs of processor per tx", &columns, |r| {
        r.node_cpu_us_per_tx.map(|value| fixed(value, 1))
    });
    table.row("generator: share of all cores", &columns, |r| Some(percent(r.generator_share)));
    for round in &columns {
        for (reason, count) in &round.rejected_by_reason {
            let _ = writeln!(table.text, "{} refused {count}: {reason}", round.node);
        }
    }
    if let Some(ratio) = comparison.ratio {
        let _ = writeln!(table.text, "ratio {ratio:.4} (p50, ours / theirs)");
    }
    table.text
}

/// The table of `cairn-bench root`.
pub(super) fn root(report: &RootReport) -> String {
    let columns: Vec<&RootFigures> =
        [Some(&report.ours), report.theirs.as_ref()].into_iter().flatten().collect();
    let mut table = Table { text: String::new() };
    let RootReport { accounts, updates, .. } = report;
    let _ = writeln!(table.text, "State root of {updates} updates among {accounts} accounts");
    table.row("", &columns, |side| Some(side.name.to_owned()));
    table.row("root, ms (median)", &columns, |side| Some(fixed(side.root_ms, 2)));
    table.row("  fastest round", &columns, |side| {
        side.rounds_ms.iter().copied().reduce(f64::min).map(|ms| fixed(ms, 2))
    });
    table.row("  slowest round", &columns, |side| {
        side.rounds_ms.iter().copied().reduce(f64::max).map(|ms| fixed(ms, 2))
    });
    table.row("updates per second", &columns, |side| Some(count(side.updates_per_second)));
    table.row("commit, ms (median)", &columns, |side| Some(fixed(side.commit_ms, 2)));
    table.row("proof at round 1, ms", &columns, |side| side.old_proof_ms.map(|ms| fixed(ms, 1)));
    table.row("  the next one", &columns, |side| side.next_old_proof_ms.map(|ms| fixed(ms, 3)));
    table.row("loading, seconds", &columns, |side| Some(fixed(side.load_seconds, 1)));
    table.row("resident memory, MiB", &columns, |side| Some(count(side.rss_mib)));
    table.row("  at most so far", &columns, |side| Some(count(side.peak_rss_mib)));
    table.row("on disk, MiB", &columns, |side| side.disk_mib.map(count));
    if let Some(ratio) = report.ratio {
        let _ = writeln!(table.text, "ratio {ratio:.2} (updates per second, ours / theirs)");
    }
    table.text
}

/// The table of `cairn-bench import`.
pub(super) fn import(report: &ImportReport) -> String {
    let columns = [report];
    let mut table = Table { text: String::new() };
    let ImportReport { workload, blocks, txs, .. } = report;
    let _ = writeln!(table.text, "{workload:?}: import of {blocks} blocks, {txs} transactions");
    table.row("seconds (median)", &columns, |r| Some(fixed(r.seconds, 2)));
    table.row("transactions per second", &columns, |r| Some(count(r.tps)));
    table.row("million gas per second", &columns, |r| Some(fixed(r.mgas_per_second, 1)));
    table.row("µs of processor per tx", &columns, |r| Some(fixed(r.cpu_us_per_tx, 1)));
    table.row("peak memory, MiB", &columns, |r| Some(count(r.peak_rss_mib)));
    table.row("chain file, MiB", &columns, |r| {
        Some(fixed(r.file_bytes as f64 / f64::from(1 << 20), 1))
    });
    table.text
}

/// The table of `cairn-bench derive`.
pub(super) fn derive(report: &DeriveReport) -> String {
    let columns = [report];
    let mut table = Table { text: String::new() };
    let DeriveReport { workload, blocks, txs, ahead, cores, .. } = report;
    let _ = writeln!(
        table.text,
        "{workload:?}: {blocks} derived blocks, {txs} transactions, {ahead} recovered ahead, {cores} cores"
    );
    table.row("seconds (median)", &columns, |r| Some(fixed(r.seconds, 2)));
    table.row("transactions per second", &columns, |r| Some(count(r.tps)));
    table.row("million gas per second", &columns, |r| Some(fixed(r.mgas_per_second, 1)));
    table.row("µs of processor per tx", &columns, |r| Some(fixed(r.cpu_us_per_tx, 1)));
    table.row("serial revm: transactions per s", &columns, |r| Some(count(r.serial_tps)));
    table.row("ratio", &columns, |r| Some(fixed(r.ratio, 2)));
    table.text
}

fn percentile_rows<'a>(
    table: &mut Table,
    label: &str,
    columns: &[&'a SyncReport],
    figures: impl Fn(&'a SyncReport) -> &'a Percentiles,
) {
    table.row(&format!("{label}: p50"), columns, |r| Some(fixed(figures(r).p50_ms, 2)));
    table.row(&format!("{label}: p90"), columns, |r| Some(fixed(figures(r).p90_ms, 2)));
    table.row(&format!("{label}: p99"), columns, |r| Some(fixed(figures(r).p99_ms, 2)));
    table.row(&format!("{label}: max"), columns, |r| Some(fixed(figures(r).max_ms, 2)));
}

fn count(value: f64) -> String {
    fixed(value, 0)
}

fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::{comparison, load_report};

    #[test]
    fn a_comparison_has_a_column_for_each_node_and_the_ratio() {
        let theirs = Rounds::new(vec![load_report("anvil", 5.0)]);
        let text = load(&comparison(theirs, Some(4.0)));
        let median = text.lines().find(|line| line.starts_with("transactions per second"));
        let cells: Vec<&str> = median.expect("the row").split_whitespace().rev().take(2).collect();
        assert_eq!(cells, ["5", "20"]);
        assert!(text.ends_with("ratio 4.00 (ours / theirs)\n"), "{text}");
    }

    #[test]
    fn a_row_nobody_has_figures_for_is_left_out() {
        let text = load(&comparison(None, None));
        assert!(!text.contains("between first and last block"), "{text}");
        assert!(text.contains("peak memory"), "{text}");
    }
}
