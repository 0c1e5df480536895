//! Our side.

use cairn_da_codec::{CheckedCommitments, Committer, EncodedMatrix, RowIndex, recover_payload};
use eyre::{WrapErr, ensure};

use super::{DaArgs, DaFigures, DaReport, middle, once, rival};
use crate::bench::usage::{Memory, own_cpu};
use crate::da::payload;
use crate::progress::Bar;

const MIB: f64 = 1_048_576.0;
/// Rows that a node verifies at once.
const VERIFIED: usize = 64;
/// From here on a size counts as large.
const LARGE: usize = 1 << 20;

pub(super) fn measure(args: &DaArgs) -> eyre::Result<DaReport> {
    let started = own_cpu()?;
    let committer = if args.portable { Committer::portable()? } else { Committer::new()? };
    let tables_ms = own_cpu()?.saturating_sub(started).as_secs_f64() * 1e3;
    let sizes = args.sizes();
    let bar = Bar::begin("da: measuring sizes", sizes.len() as u64);
    let mut figures = Vec::new();
    for size in sizes {
        figures.push(measure_size(args, &committer, size)?);
        bar.advance(1);
    }
    drop(bar);
    let ratios = match args.vs {
        None => None,
        Some(_) => Some(rival::compare(args, &committer, &figures)?),
    };
    let large: Vec<&DaFigures> = figures.iter().filter(|size| size.bytes >= LARGE).collect();
    let counted = if large.is_empty() { figures.iter().collect() } else { large };
    let status = std::fs::read_to_string("/proc/self/status").wrap_err("own memory")?;
    Ok(DaReport {
        bench: "da",
        engine: committer.engine(),
        operators: args.operators,
        tables_ms,
        encode_core_seconds_per_mib: counted
            .iter()
            .map(|size| size.encode_core_seconds_per_mib)
            .fold(0.0, f64::max),
        verify_mib_per_core_second: counted
            .iter()
            .map(|size| size.verify_mib_per_core_second)
            .fold(f64::INFINITY, f64::min),
        sizes: figures,
        ratios,
        dispersal: None,
        peak_rss_mib: Memory::parse(&status)?.peak_rss as f64 / MIB,
    })
}

fn measure_size(args: &DaArgs, committer: &Committer, bytes: usize) -> eyre::Result<DaFigures> {
    let payload = payload(bytes);
    let operators = args.operators as usize;
    let encode = || Ok(EncodedMatrix::encode(committer, &payload, operators)?);
    let matrix = encode()?;
    let (shape, root) = (matrix.shape(), matrix.hashes_root());
    let check = || Ok(CheckedCommitments::new(shape, matrix.commitments(), &root)?);
    let checked = check()?;
    // Original and parity rows, if there are so many.
    let rows: Vec<_> = (0..).map(RowIndex).zip(matrix.rows()).collect();
    let middle_rows = &rows[shape.rows() / 2..];
    let some = &middle_rows[..middle_rows.len().min(VERIFIED)];
    let parity = &rows[rows.len() - shape.rows()..];
    let recover = || Ok(recover_payload(shape, bytes, parity)?);
    ensure!(recover()? == payload, "the recovered payload differs");
    let mut rounds: [Vec<f64>; 4] = Default::default();
    for _ in 0..args.rounds {
        rounds[0].push(once(encode)?);
        rounds[1].push(once(check)?);
        rounds[2].push(once(|| Ok(checked.verify(committer, some)?))?);
        rounds[3].push(once(recover)?);
    }
    let [encode, check, verify, recover] = &rounds;
    let (encode, verify) = (middle(encode)?, middle(verify)?);
    let mib = bytes as f64 / MIB;
    Ok(DaFigures {
        bytes,
        rows: shape.rows(),
        columns: shape.columns(),
        expansion: (shape.extended_rows() * shape.row_bytes()) as f64 / bytes as f64,
        encode_ms: encode * 1e3,
        encode_core_seconds_per_mib: encode / mib,
        commitments_ms: middle(check)? * 1e3,
        verified_rows: some.len(),
        verify_ms: verify * 1e3,
        verify_mib_per_core_second: (some.len() * shape.row_bytes()) as f64 / MIB / verify,
        recover_ms: middle(recover)? * 1e3,
    })
}
