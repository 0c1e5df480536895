use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolValue;
use proptest::prelude::*;

use super::{domain, header, secret};
use crate::da::Domain;
use crate::da::bls::{BlsError, PossessionProof, PublicKey, SecretKey, Signature};

/// `x ‖ y` of a point of the curve y² = x³ + 4 that is outside the subgroup: x = 4 in Montgomery's
/// absence, found by trying small x; the test below checks that it is on the curve.
fn outside_the_subgroup() -> [u8; 96] {
    use blst::*;
    (1_u8..=255)
        .find_map(|x| {
            let mut compressed = [0; 48];
            compressed[0] = 0x80;
            compressed[47] = x;
            let mut point = blst_p1_affine::default();
            // SAFETY: both arguments point to values of the size that blst expects.
            #[allow(unsafe_code)]
            let (ok, inside) = unsafe {
                let error = blst_p1_uncompress(&raw mut point, compressed.as_ptr());
                (error == BLST_ERROR::BLST_SUCCESS, blst_p1_affine_in_g1(&raw const point))
            };
            let mut bytes = [0; 96];
            // SAFETY: as above; 96 bytes are written.
            #[allow(unsafe_code)]
            unsafe {
                blst_p1_affine_serialize(bytes.as_mut_ptr(), &raw const point);
            }
            (ok && !inside).then_some(bytes)
        })
        .expect("one of 255 points is outside: the subgroup is a 2^-125 part of the curve")
}

const SEED: B256 = B256::repeat_byte(0x33);

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn keys_and_signatures_survive_the_round_trip(number in any::<u64>()) {
        let secret = secret(number);
        let key = secret.public_key();
        let signature = secret.sign(keccak256(b"x"));
        prop_assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Ok(key));
        prop_assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
        let again = SecretKey::from_bytes(&secret.to_bytes()).unwrap();
        prop_assert_eq!(again.public_key(), key);
    }

    #[test]
    fn a_sum_of_signatures_verifies_under_the_sum_of_keys(
        numbers in prop::collection::btree_set(0_u64..1000, 1..12),
    ) {
        let digest = domain().attestation(&header(), SEED);
        let secrets: Vec<_> = numbers.iter().map(|number| secret(*number)).collect();
        let signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(digest)).collect();
        let keys: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
        let (signature, key) =
            (Signature::sum(&signatures).unwrap(), PublicKey::sum(&keys).unwrap());
        prop_assert!(key.verify(digest, &signature));
        // One signature or key less, or one twice, and it does not.
        if let Some(fewer) = Signature::sum(&signatures[1..]) {
            prop_assert!(!key.verify(digest, &fewer));
        }
        if let Some(fewer) = PublicKey::sum(&keys[1..]) {
            prop_assert!(!fewer.verify(digest, &signature));
        }
        let twice = Signature::sum(signatures.iter().chain(&signatures[..1])).unwrap();
        prop_assert!(!key.verify(digest, &twice));
    }

    #[test]
    fn arbitrary_bytes_are_no_points(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(PublicKey::from_bytes(&bytes).is_err());
        prop_assert!(Signature::from_bytes(&bytes).is_err());
    }
}

#[test]
fn digests_are_those_of_abi_encode() {
    let (header, domain) = (header(), domain());
    let tag = keccak256("cairn.da.attestation.v1");
    let (chain, registry) = (alloy_primitives::U256::from(domain.chain_id), domain.registry);
    let hash = header.hash();
    let (epoch, expiry) = (header.epoch.0, header.expiry.0);
    let encoded = (tag, chain, registry, epoch, 0_u64, hash, expiry, SEED).abi_encode();
    assert_eq!(domain.attestation(&header, SEED), keccak256(encoded));
    let key = secret(1).public_key();
    let operator = Address::repeat_byte(3);
    let tag = keccak256("cairn.da.possession.v1");
    let key_bytes = alloy_primitives::Bytes::from(key.to_bytes());
    let encoded = (tag, chain, registry, operator, key_bytes).abi_encode_params();
    assert_eq!(domain.possession(operator, &key), keccak256(encoded));
}

#[test]
fn a_signature_holds_in_its_own_domain_only() {
    let (header, domain) = (header(), domain());
    let secret = secret(1);
    let signature = secret.sign(domain.attestation(&header, SEED));
    let key = secret.public_key();
    assert!(key.verify(domain.attestation(&header, SEED), &signature));
    assert!(!key.verify(domain.attestation(&header, B256::ZERO), &signature));
    let with = |change: &dyn Fn(&mut crate::da::Header, &mut Domain)| {
        let (mut header, mut domain) = (header, domain);
        change(&mut header, &mut domain);
        key.verify(domain.attestation(&header, SEED), &signature)
    };
    assert!(!with(&|_, domain| domain.chain_id += 1));
    assert!(!with(&|_, domain| domain.registry = Address::ZERO));
    assert!(!with(&|header, _| header.epoch.0 += 1));
    assert!(!with(&|header, _| header.quorum.0 += 1));
    assert!(!with(&|header, _| header.hashes_root = B256::ZERO));
    assert!(!with(&|header, _| header.expiry.0 += 1));
}

#[test]
fn possession_is_not_an_attestation_and_names_its_operator() {
    let secret = secret(1);
    let (operator, key) = (Address::repeat_byte(3), secret.public_key());
    let digest = domain().possession(operator, &key);
    let proof = secret.prove_possession(digest);
    assert!(key.verify_possession(digest, &proof));
    assert!(!key.verify(digest, &Signature::from_bytes(&proof.to_bytes()).unwrap()));
    let attestation = PossessionProof::from_bytes(&secret.sign(digest).to_bytes()).unwrap();
    assert!(!key.verify_possession(digest, &attestation));
    let elsewhere = Domain { chain_id: 1, ..domain() };
    for other in [
        domain().possession(Address::ZERO, &key),
        domain().possession(operator, &super::secret(2).public_key()),
        elsewhere.possession(operator, &key),
    ] {
        assert!(!key.verify_possession(other, &proof));
    }
}

#[test]
fn a_rogue_key_signs_for_others_but_has_no_possession() {
    let (victim, attacker) = (secret(1), secret(2));
    // rogue = attacker − victim, so that victim + rogue is a key the attacker has the secret of.
    let rogue = difference(&attacker.public_key(), &victim.public_key());
    let sum = PublicKey::sum([&victim.public_key(), &rogue]).unwrap();
    let digest = domain().attestation(&header(), SEED);
    assert!(sum.verify(digest, &attacker.sign(digest)), "the attack works on bare sums");
    let possession = domain().possession(Address::ZERO, &rogue);
    for proof in [attacker.prove_possession(possession), victim.prove_possession(possession)] {
        assert!(!rogue.verify_possession(possession, &proof));
    }
}

fn difference(a: &PublicKey, b: &PublicKey) -> PublicKey {
    PublicKey::sum([a, &negated(b)]).unwrap()
}

fn negated(key: &PublicKey) -> PublicKey {
    let mut bytes = key.to_bytes();
    for half in bytes[96..].chunks_exact_mut(48) {
        let negative = modulus_minus(half);
        half.copy_from_slice(&negative);
    }
    PublicKey::from_bytes(&bytes).unwrap()
}

fn modulus_minus(coordinate: &[u8]) -> Vec<u8> {
    let modulus = alloy_primitives::hex!(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
    );
    let mut borrow = 0_i16;
    let mut out = vec![0; 48];
    for i in (0..48).rev() {
        let digit = i16::from(modulus[i]) - i16::from(coordinate[i]) - borrow;
        borrow = i16::from(digit < 0);
        out[i] = (digit + 256 * borrow) as u8;
    }
    out
}

#[test]
fn keys_that_cancel_have_no_sum() {
    let key = secret(1).public_key();
    assert_eq!(PublicKey::sum([&key, &negated(&key)]), None);
    assert_eq!(PublicKey::sum([]), None);
    assert_eq!(Signature::sum([]), None);
}

#[test]
fn the_identity_is_refused() {
    assert_eq!(PublicKey::from_bytes(&[0; 192]), Err(BlsError::Identity));
    assert_eq!(Signature::from_bytes(&[0; 96]), Err(BlsError::Identity));
    let mut flagged = [0; 96];
    flagged[0] = 0x40;
    assert_eq!(Signature::from_bytes(&flagged), Err(BlsError::NotOnCurve));
}

#[test]
fn points_off_the_curve_outside_the_subgroup_or_compressed_are_refused() {
    assert_eq!(Signature::from_bytes(&outside_the_subgroup()), Err(BlsError::NotInSubgroup));
    let mut bytes = secret(1).sign(B256::ZERO).to_bytes();
    bytes[95] ^= 1;
    assert_eq!(Signature::from_bytes(&bytes), Err(BlsError::NotOnCurve));
    bytes[95] ^= 1;
    bytes[0] |= 0x80;
    assert_eq!(Signature::from_bytes(&bytes), Err(BlsError::NotOnCurve));
    for length in (0..96).chain([97, 192]) {
        assert_eq!(Signature::from_bytes(&vec![1; length]), Err(BlsError::Length(length)));
    }
    for length in (0..192).chain([193]) {
        assert_eq!(PublicKey::from_bytes(&vec![1; length]), Err(BlsError::Length(length)));
    }
}

#[test]
fn secret_keys_are_below_the_order_and_not_zero() {
    for bytes in [[0; 32], [0xff; 32]] {
        assert!(matches!(SecretKey::from_bytes(&bytes), Err(BlsError::SecretKey)));
    }
    assert!(matches!(SecretKey::from_bytes(&[1; 31]), Err(BlsError::SecretKey)));
    assert!(matches!(SecretKey::derive(&[1; 31]), Err(BlsError::SecretKey)));
    assert_eq!(format!("{:?}", secret(1)), "SecretKey(..)");
}
