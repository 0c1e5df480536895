//! Prints what a recovery costs, one by one and in lanes, on one core.
//!
//! `recovery_costs [millions]`: with a number, so many million signatures are recovered by both and compared.

use std::time::Instant;

use alloy_primitives::{B256, Signature, U256};
use cairn_recovery::{Engine, Signed};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Half of the group order.
const HALF: U256 = U256::from_limbs([
    0xdfe9_2f46_681b_20a0,
    0x5d57_6e73_57a4_501d,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
]);
/// Signatures of a measurement.
const COUNT: usize = 4096;

fn random(rng: &mut StdRng) -> Signed {
    let s: U256 = U256::from_limbs(rng.random()) % HALF;
    let signature = Signature::new(U256::from_limbs(rng.random()), s, rng.random());
    Signed { digest: B256::from(rng.random::<[u8; 32]>()), signature }
}

/// Signatures that have a sender.
fn valid(rng: &mut StdRng, count: usize) -> Vec<Signed> {
    std::iter::repeat_with(|| random(rng))
        .filter(|signed| Engine::ONE_BY_ONE.recover_all(&[*signed])[0].is_ok())
        .take(count)
        .collect()
}

/// The least microseconds for each signature of five runs.
fn microseconds(engine: Engine, signatures: &[Signed], group: usize) -> f64 {
    let run = || {
        let start = Instant::now();
        let senders: usize =
            signatures.chunks(group).map(|group| engine.recover_all(group).len()).sum();
        assert_eq!(senders, signatures.len(), "every signature has its result");
        start.elapsed().as_secs_f64() * 1e6 / signatures.len() as f64
    };
    (0..5).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// Counts the differences among so many random signatures, about half of which have a sender.
fn compare(lanes: Engine, rng: &mut StdRng, millions: usize) -> (usize, usize) {
    let (mut recovered, mut different) = (0, 0);
    for _ in 0..millions * 1000 {
        let signatures: Vec<Signed> = (0..1000).map(|_| random(rng)).collect();
        let expected = Engine::ONE_BY_ONE.recover_all(&signatures);
        for (found, expected) in lanes.recover_all(&signatures).into_iter().zip(expected) {
            let (found, expected) = (found.ok(), expected.ok());
            recovered += usize::from(expected.is_some());
            different += usize::from(found != expected);
        }
    }
    (recovered, different)
}

fn main() {
    let Some(lanes) = Engine::lanes() else {
        println!("this processor has no AVX-512 IFMA: recovery is one by one");
        return;
    };
    let millions = std::env::args().nth(1).and_then(|word| word.parse().ok());
    let seed = rand::rng().random();
    let mut rng = StdRng::seed_from_u64(seed);
    if let Some(millions) = millions {
        let (recovered, different) = compare(lanes, &mut rng, millions);
        println!(
            "{millions} million compared, seed {seed}: {recovered} senders, {different} different"
        );
        assert_eq!(different, 0, "lanes and libsecp256k1 agree");
        return;
    }
    let signatures = valid(&mut rng, COUNT);
    let start = Instant::now();
    lanes.recover_all(&signatures[..8]);
    println!("first group, with the tables of the generator: {:?}", start.elapsed());
    println!("{} against {lanes}", Engine::ONE_BY_ONE);
    println!("group  one by one  lanes  (microseconds for each signature)");
    for group in [1, 2, 3, 4, 8, 16, 64, 256] {
        let one_by_one = microseconds(Engine::ONE_BY_ONE, &signatures[..COUNT / 4], group);
        let lanes = microseconds(lanes, &signatures, group);
        println!("{group:5}  {one_by_one:10.2}  {lanes:5.2}");
    }
}
