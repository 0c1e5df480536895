//! The shared committer is first asked for from inside a busy pool: a process of its own.

use cairn_da_codec::{CodecError, Commitment, Committer};
use rayon::prelude::*;

#[test]
fn the_threads_of_a_pool_may_all_ask_first() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
    let commit = |_| Committer::shared()?.commit(&[0; 32]);
    let commitments: Result<Vec<Commitment>, CodecError> =
        pool.install(|| (0..64).into_par_iter().map(commit).collect());
    assert_eq!(commitments, Ok(vec![Commitment::INFINITY; 64]));
}
