//! The report as text.

use std::fmt::Write;

use super::{DaFigures, DaReport, DispersalReport};

const HEAD: &str = "\
     bytes   rows x columns  stored   encode, ms  core-s/MiB  verify, ms   MiB/s  recover, ms  commitments, ms\n";

pub(super) fn da(report: &DaReport) -> String {
    let DaReport { engine, operators, tables_ms, peak_rss_mib, .. } = report;
    let mut text = format!("DA codec on one core ({engine}), {operators} operators\n{HEAD}");
    for size in &report.sizes {
        line(&mut text, size);
    }
    let _ = writeln!(text, "tables {tables_ms:.0} ms, peak memory {peak_rss_mib:.0} MiB");
    if let Some(ratios) = &report.ratios {
        let _ = writeln!(
            text,
            "commitment of a full row {:.2} ms, c-kzg {:.2} ms: ratio {:.2}",
            ratios.commit_ms, ratios.their_commit_ms, ratios.commit_ratio
        );
        let _ = writeln!(
            text,
            "c-kzg cells and proofs {:.2} core-s/MiB: ratio to our encoding {:.1}",
            ratios.their_cells_core_seconds_per_mib, ratios.cells_ratio
        );
    }
    if let Some(report) = &report.dispersal {
        dispersal(&mut text, report);
    }
    text
}

fn dispersal(text: &mut String, report: &DispersalReport) {
    let DispersalReport { nodes, one_way_delay_ms, sizes } = report;
    let _ = writeln!(text, "dispersal to {nodes} nodes, {one_way_delay_ms} ms one way");
    let _ = writeln!(
        text,
        "     bytes  payloads  carried  certified p50, ms       p99       max  encoding p50, ms"
    );
    for size in sizes {
        let _ = writeln!(
            text,
            "{:>10} {:>9} {:>7.2}x {:>18.0} {:>9.0} {:>9.0} {:>17.0}",
            size.bytes,
            size.dispersals,
            size.carried_ratio,
            size.certified.p50_ms,
            size.certified.p99_ms,
            size.certified.max_ms,
            size.encoding.p50_ms,
        );
    }
}

fn line(text: &mut String, size: &DaFigures) {
    let matrix = format!("{} x {}", size.rows, size.columns);
    let _ = writeln!(
        text,
        "{:>10} {matrix:>16} {:>6.2}x {:>12.2} {:>11.3} {:>11.2} {:>7.0} {:>12.2} {:>16.2}",
        size.bytes,
        size.expansion,
        size.encode_ms,
        size.encode_core_seconds_per_mib,
        size.verify_ms,
        size.verify_mib_per_core_second,
        size.recover_ms,
        size.commitments_ms,
    );
}
