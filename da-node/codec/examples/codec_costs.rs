//! What the codec costs on one core of this machine, beside c-kzg in the same run.
//!
//! `cargo run --release -p cairn-da-codec --example codec_costs`

use std::hint::black_box;
use std::time::Instant;

use cairn_da_codec::{
    CheckedCommitments, CodecError, ColumnIndex, Committer, EncodedMatrix, MAX_PAYLOAD_BYTES,
    Opening, RowIndex, recover_payload,
};

const MIB: f64 = 1_048_576.0;

fn main() -> Result<(), CodecError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    pool.install(measure)
}

/// The best of so many times, in seconds.
fn best<T>(times: usize, mut work: impl FnMut() -> T) -> f64 {
    let once = |work: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..times).map(|_| once(&mut work)).fold(f64::INFINITY, f64::min)
}

fn payload(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as u8).collect()
}

/// A line of this process' status, in KiB; zero where there is no such file.
fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What encoding the longest payload holds at its peak, the payload included.
fn memory(committer: &Committer) -> Result<(), CodecError> {
    let before = status("VmHWM:");
    let payload = payload(MAX_PAYLOAD_BYTES);
    drop(EncodedMatrix::encode(committer, &payload, 64)?);
    let grown = (status("VmHWM:") - before) as f64 * 1024.0;
    println!("memory to encode 31 MiB: {:.2} times the payload", grown / payload.len() as f64);
    Ok(())
}

fn measure() -> Result<(), CodecError> {
    let start = Instant::now();
    let committer = Committer::new()?;
    println!("tables ({}): {:.3} s", committer.engine(), start.elapsed().as_secs_f64());
    memory(&committer)?;
    let start = Instant::now();
    let portable = Committer::portable()?;
    println!("tables (portable): {:.3} s", start.elapsed().as_secs_f64());
    let settings = c_kzg::ethereum_kzg_settings(0);

    let full = EncodedMatrix::encode(&committer, &payload(31 * 4096), 1)?;
    let row = full.row(RowIndex(0))?;
    let blob = c_kzg::Blob::from_bytes(row).expect("a full row");
    let theirs = best(10, || settings.blob_to_kzg_commitment(&blob).expect("a commitment"));
    for committer in [&committer, &portable] {
        let ours = best(10, || committer.commit(row));
        let ratio = theirs / ours;
        let engine = committer.engine();
        println!(
            "commit ({engine}): {:.2} ms, c-kzg {:.2} ms, ratio {ratio:.2}",
            ours * 1e3,
            theirs * 1e3
        );
    }
    let opening = best(5, || Opening::of_row(&committer, row, ColumnIndex(5)));
    let proof = Opening::of_row(&committer, row, ColumnIndex(5))?;
    let verify = best(5, || proof.verify(&full.commitments()[0]));
    println!("opening: {:.2} ms, its verification {:.2} ms", opening * 1e3, verify * 1e3);

    for length in [1 << 10, 128 << 10, 1 << 20, 8 << 20, MAX_PAYLOAD_BYTES] {
        sizes(&committer, length)?;
    }
    Ok(())
}

fn sizes(committer: &Committer, length: usize) -> Result<(), CodecError> {
    let payload = payload(length);
    let times = if length > 4 << 20 { 1 } else { 5 };
    let encode = best(times, || EncodedMatrix::encode(committer, &payload, 64));
    let matrix = EncodedMatrix::encode(committer, &payload, 64)?;
    let shape = matrix.shape();
    let root = matrix.hashes_root();
    let parse = best(times, || CheckedCommitments::new(shape, matrix.commitments(), &root));
    let checked = CheckedCommitments::new(shape, matrix.commitments(), &root)?;
    let rows: Vec<_> = (0..).map(RowIndex).zip(matrix.rows()).skip(shape.rows() / 2).collect();
    let some = &rows[..rows.len().min(64)];
    let verify = best(times, || checked.verify(committer, some));
    let mib = some.len() as f64 * shape.row_bytes() as f64 / MIB;
    let parity = &rows[rows.len() - shape.rows()..];
    let recover = best(times, || recover_payload(shape, length, parity));
    println!(
        "{length} bytes, {} x {}: encode {:.1} ms ({:.3} core-s/MiB); commitments {:.2} ms; \
         verify {} rows {:.2} ms ({:.0} MiB/s); recover from parity {:.1} ms",
        shape.rows(),
        shape.columns(),
        encode * 1e3,
        encode / (length as f64 / MIB),
        parse * 1e3,
        some.len(),
        verify * 1e3,
        mib / verify,
        recover * 1e3,
    );
    Ok(())
}
