//! What the codec costs on one core of this machine, beside c-kzg in the same run.

use std::time::{Duration, Instant};

use cairn_da_codec::{CodecError, Committer};

fn main() -> Result<(), CodecError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    pool.install(measure)
}

fn best(times: usize, mut work: impl FnMut()) -> Duration {
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..times).map(|_| once(&mut work)).min().unwrap_or_default()
}

fn measure() -> Result<(), CodecError> {
    let start = Instant::now();
    let _ = kzg_rs::get_kzg_settings().g1_points;
    println!("kzg-rs setup {:?}", start.elapsed());
    let start = Instant::now();
    let committer = Committer::new()?;
    println!("tables {:?}", start.elapsed());
    let start = Instant::now();
    let settings = c_kzg::ethereum_kzg_settings(0);
    println!("c-kzg settings {:?}", start.elapsed());
    let mut row = [0u8; 131_072];
    for (i, byte) in row.iter_mut().enumerate() {
        if i % 32 != 0 {
            *byte = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
    }
    let blob = c_kzg::Blob::new(row);
    let theirs = best(5, || drop(settings.blob_to_kzg_commitment(&blob).expect("a commitment")));
    let ours = best(5, || drop(committer.commit(&row).expect("a commitment")));
    println!(
        "commit: c-kzg {theirs:?}, ours {ours:?}, ratio {:.2}",
        theirs.as_secs_f64() / ours.as_secs_f64()
    );
    Ok(())
}
