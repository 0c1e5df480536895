//! Whole recoveries held against libsecp256k1.

use alloy_consensus::crypto::SECP256K1N_HALF;
use alloy_primitives::{B256, Signature, U256, address, b256, uint};
use k256::Scalar;
use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{ORDER, compare, crafted, found, numbers};
use crate::{Engine, Signed, recover_all};

fn scalar(rng: &mut StdRng) -> Scalar {
    let words: [u64; 4] = rng.random();
    <Scalar as k256::elliptic_curve::ops::Reduce<k256::U256>>::reduce(k256::U256::from_words(words))
}

/// Signatures that have a sender.
fn valid(seed: u64, count: usize) -> Vec<Signed> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count)
        .map(|_| crafted::signature(scalar(&mut rng), scalar(&mut rng), scalar(&mut rng)))
        .collect()
}

/// Signatures that have none, each for another reason.
fn invalid() -> Vec<Signed> {
    let good = valid(5, 1)[0];
    let (r, s) = (good.signature.r(), good.signature.s());
    let of = |r, s| Signed { signature: Signature::new(r, s, false), ..good };
    let no_point =
        (1..).map(U256::from).find(|r| Engine::ONE_BY_ONE.recover_all(&[of(*r, s)])[0].is_err());
    vec![
        of(U256::ZERO, s),
        of(r, U256::ZERO),
        of(ORDER, s),
        of(U256::MAX, s),
        of(r, ORDER),
        of(r, ORDER - s),
        of(r, SECP256K1N_HALF + U256::ONE),
        of(no_point.expect("half of all numbers are coordinates"), s),
    ]
}

#[test]
fn example_of_eip_155_is_recovered() {
    let signed = Signed {
        digest: b256!("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"),
        signature: Signature::new(
            uint!(0x28EF61340BD939BC2195FE537567866003E1A15D3C71FF63E1590620AA636276_U256),
            uint!(0x67CBE9D8997F761AECB703304B3800CCF555C9F3DC64214B297FB1966A3B6D83_U256),
            false,
        ),
    };
    let sender = address!("9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
    for found in found(&[signed; 8]) {
        assert_eq!(found, [Some(sender); 8]);
    }
    assert!(recover_all(&[signed; 3]).into_iter().all(|found| found.ok() == Some(sender)));
}

#[test]
fn lanes_find_every_sender_of_ordinary_signatures() {
    let signatures = valid(1, 800);
    for found in found(&signatures) {
        assert!(found.iter().all(Option::is_some));
    }
    assert_eq!(compare(&signatures), signatures.len());
}

#[test]
fn every_size_of_group_keeps_the_order() {
    let signatures = valid(2, 140);
    for size in (0..=17).chain([63, 64, 65, 66, 127, 128, 129, 130]) {
        assert_eq!(compare(&signatures[..size]), size);
    }
}

#[test]
fn signatures_without_sender_spoil_no_other_lane() {
    let signatures = valid(3, 17);
    for bad in invalid() {
        assert_eq!(compare(&[bad; 9]), 0, "{bad:?}");
        for size in 1..=signatures.len() {
            for position in 0..size {
                let mut mixed = signatures[..size].to_vec();
                mixed[position] = bad;
                assert_eq!(compare(&mixed), size - 1, "{bad:?} at {position} of {size}");
            }
        }
    }
}

#[test]
fn refusals_are_those_of_libsecp256k1() {
    for bad in invalid() {
        let of = |engine: Engine| {
            let result = engine.recover_all(&[bad; 8]).pop().expect("eight results");
            format!("{:?}", result.expect_err("no sender"))
        };
        assert_eq!(of(Engine::detect()), of(Engine::ONE_BY_ONE));
    }
}

#[test]
fn multiples_of_the_generator_recover_in_every_lane() {
    for k in 1..=40_u64 {
        let signatures: Vec<Signed> = (1..=8_u64)
            .flat_map(|u2| (1..=4_u64).map(move |u1| (u1, u2)))
            .map(|(u1, u2)| crafted::signature(Scalar::from(k), Scalar::from(u1), Scalar::from(u2)))
            .collect();
        for start in 0..8 {
            assert_eq!(compare(&signatures[start..]), signatures.len() - start);
        }
    }
}

fn signatures() -> impl Strategy<Value = Signed> {
    let low = numbers().prop_map(|s| if s > SECP256K1N_HALF { ORDER.wrapping_sub(s) } else { s });
    let s = prop_oneof![4 => low, 1 => numbers()];
    (numbers(), s, numbers(), any::<bool>()).prop_map(|(r, s, digest, is_odd)| Signed {
        digest: B256::from(digest),
        signature: Signature::new(r, s, is_odd),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_numbers_give_what_libsecp256k1_gives(
        signatures in proptest::collection::vec(signatures(), 0..40),
    ) {
        compare(&signatures);
    }
}
