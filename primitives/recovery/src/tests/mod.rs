//! What the tests of all modules draw from.

mod crafted;
mod recovery;

use alloy_primitives::{Address, U256};
use proptest::prelude::*;

use crate::lanes::Words;
use crate::scalars::ORDER;
use crate::{Engine, Signed, in_lanes, lanes};

/// The modulus of the coordinates.
pub(crate) const MODULUS: U256 =
    U256::from_limbs([0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX]);

/// Numbers of 256 bits, many of them next to where carries and reductions happen.
pub(crate) fn numbers() -> impl Strategy<Value = U256> {
    let near = |center: U256| {
        (-20_i64..20).prop_map(move |offset| {
            let distance = U256::from(offset.unsigned_abs());
            if offset < 0 { center.wrapping_sub(distance) } else { center.wrapping_add(distance) }
        })
    };
    prop_oneof![
        4 => any::<[u64; 4]>().prop_map(U256::from_limbs),
        1 => near(U256::ZERO),
        1 => near(MODULUS),
        1 => near(ORDER),
        1 => near(ORDER >> 1),
        1 => (0..256_usize).prop_map(|bit| U256::ONE << bit),
        1 => (0..256_usize).prop_map(|bit| U256::MAX >> bit),
        1 => (0..256_usize).prop_map(|bit| U256::MAX << bit),
        1 => any::<[bool; 8]>().prop_map(|halves| U256::from_limbs(std::array::from_fn(|word| {
            let half = |full| if full { u64::from(u32::MAX) } else { 0 };
            half(halves[2 * word]) | half(halves[2 * word + 1]) << 32
        }))),
    ]
}

/// What each kind of lanes finds by itself.
fn found(signatures: &[Signed]) -> Vec<Vec<Option<Address>>> {
    let mut found = vec![in_lanes::find(lanes::recover::<Words>, signatures)];
    #[cfg(target_arch = "x86_64")]
    if let Some(ifma) = lanes::Ifma::detect() {
        found.push(in_lanes::find(|groups| ifma.recover(groups), signatures));
    }
    found
}

/// Checks every kind of lanes against libsecp256k1, and gives how many senders there are.
fn compare(signatures: &[Signed]) -> usize {
    let senders = |results: Vec<Result<Address, _>>| -> Vec<Option<Address>> {
        results.into_iter().map(Result::ok).collect()
    };
    let expected = senders(Engine::ONE_BY_ONE.recover_all(signatures));
    let words = in_lanes::recover_all(lanes::recover::<Words>, signatures);
    assert_eq!(senders(words), expected, "words: {signatures:?}");
    if let Some(engine) = Engine::lanes() {
        assert_eq!(senders(engine.recover_all(signatures)), expected, "lanes: {signatures:?}");
    }
    expected.iter().flatten().count()
}
