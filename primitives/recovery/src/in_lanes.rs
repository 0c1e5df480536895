//! Recovery eight at a time.

use alloy_consensus::crypto::{RecoveryError, SECP256K1N_HALF};
use alloy_primitives::{Address, U256, keccak256};

use crate::lanes::{LANES, Recovered, Row};
use crate::scalars::{ORDER, Task, tasks};
use crate::{Signed, one_by_one};

/// Groups that share their inversions.
const BATCH: usize = 8;
/// Signatures for which a group is cheaper than libsecp256k1.
const WORTHWHILE: usize = 2;

/// The senders by a function that recovers groups.
pub(crate) fn recover_all(
    recover: impl Fn(&[[Task; LANES]]) -> Vec<Recovered>,
    signatures: &[Signed],
) -> Vec<Result<Address, RecoveryError>> {
    let found = find(recover, signatures);
    let decide = |(signed, sender): (&Signed, Option<Address>)| {
        sender.map_or_else(|| one_by_one::recover(signed), Ok)
    };
    signatures.iter().zip(found).map(decide).collect()
}

/// The senders that the lanes find. What they do not find is for libsecp256k1 to find or to refuse.
pub(crate) fn find(
    recover: impl Fn(&[[Task; LANES]]) -> Vec<Recovered>,
    signatures: &[Signed],
) -> Vec<Option<Address>> {
    let mut senders = vec![None; signatures.len()];
    let able: Vec<usize> =
        (0..signatures.len()).filter(|index| is_in_range(&signatures[*index])).collect();
    for batch in able.chunks(BATCH * LANES) {
        find_batch(&recover, signatures, batch, &mut senders);
    }
    senders
}

/// Whether the numbers are such that recovery may succeed.
fn is_in_range(signed: &Signed) -> bool {
    let (r, s) = (signed.signature.r(), signed.signature.s());
    r != U256::ZERO && r < ORDER && s != U256::ZERO && s <= SECP256K1N_HALF
}

/// Writes the senders that the lanes find.
fn find_batch(
    recover: impl Fn(&[[Task; LANES]]) -> Vec<Recovered>,
    signatures: &[Signed],
    batch: &[usize],
    senders: &mut [Option<Address>],
) {
    let rest = batch.len() % LANES;
    let batch = if rest < WORTHWHILE { &batch[..batch.len() - rest] } else { batch };
    if batch.is_empty() {
        return;
    }
    let chosen: Vec<&Signed> = batch.iter().map(|index| &signatures[*index]).collect();
    let (indices, tasks): (Vec<usize>, Vec<Task>) =
        batch.iter().zip(tasks(&chosen)).filter_map(|(index, task)| Some((*index, task?))).unzip();
    let groups: Vec<[Task; LANES]> = tasks.chunks(LANES).map(fill).collect();
    for (indices, group) in indices.chunks(LANES).zip(recover(&groups)) {
        for (lane, index) in indices.iter().enumerate() {
            if group.valid >> lane & 1 == 1 {
                senders[*index] = Some(to_address(&group.keys[lane]));
            }
        }
    }
}

/// A group; the lanes that are left over repeat the first.
fn fill(tasks: &[Task]) -> [Task; LANES] {
    std::array::from_fn(|lane| *tasks.get(lane).unwrap_or(&tasks[0]))
}

/// The address of a public key in words, `x` and then `y`, least significant first.
fn to_address(key: &Row) -> Address {
    let mut bytes = [0; 64];
    let (chunks, _) = bytes.as_chunks_mut::<8>();
    for (index, chunk) in chunks.iter_mut().enumerate() {
        *chunk = key.0[index / 4 * 4 + 3 - index % 4].to_be_bytes();
    }
    Address::from_slice(&keccak256(bytes)[12..])
}
