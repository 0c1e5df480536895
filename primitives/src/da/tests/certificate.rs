use alloy_primitives::{Address, B256};
use proptest::prelude::*;

use super::{domain, header, secret, snapshot};
use crate::da::bls::Signature;
use crate::da::{
    Certificate, CertificateStatus, Domain, Header, OperatorIndex, Signers, Snapshot, Timestamp,
    check_certificate,
};

use CertificateStatus::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn certified(snapshot: &Snapshot, header: Header, signers: &[u16]) -> Vec<u8> {
    let digest = domain().attestation(&header, snapshot.seed());
    let signatures: Vec<_> = signers.iter().map(|i| secret(u64::from(*i)).sign(digest)).collect();
    let signers = signers.iter().copied().map(OperatorIndex);
    let signature = Signature::sum(&signatures).unwrap();
    let signers = Signers::new(snapshot.operators().len(), signers);
    Certificate { header, signature, signers }.encode()
}

fn check(bytes: &[u8], snapshot: &Snapshot) -> CertificateStatus {
    check_certificate(bytes, &domain(), Some(snapshot), NOW)
}

fn twelve() -> (Snapshot, Vec<u8>) {
    let snapshot = snapshot(B256::repeat_byte(1), &[1; 12]);
    let bytes = certified(&snapshot, header(), &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    (snapshot, bytes)
}

#[test]
fn a_certificate_is_for_the_assignment_of_its_seed_alone() {
    let (before, after) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let (before, after) = (snapshot(before, &[1; 12]), snapshot(after, &[1; 12]));
    let everyone: Vec<u16> = (0..12).collect();
    let bytes = certified(&before, header(), &everyone);
    assert_eq!(check(&bytes, &before), Valid);
    assert_eq!(check(&bytes, &after), WrongSignature);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn two_thirds_of_the_slots_certify_and_one_less_does_not(
        stakes in prop::collection::vec(1_u128..50, 3..20), seed in any::<[u8; 32]>(),
        mask in any::<u32>(),
    ) {
        let snapshot = snapshot(B256::new(seed), &stakes);
        let header = header();
        let table = snapshot.slot_table(&header);
        let signers: Vec<u16> = (0..stakes.len() as u16).filter(|i| mask >> i & 1 == 1).collect();
        prop_assume!(!signers.is_empty());
        let signed: u32 =
            signers.iter().map(|i| u32::from(table.weight(OperatorIndex(*i)))).sum();
        let enough = 3 * signed >= 2 * u32::from(table.slot_count());
        let bytes = certified(&snapshot, header, &signers);
        let expected = if enough { Valid } else { TooFewSlots };
        prop_assert_eq!(check(&bytes, &snapshot), expected);
        let decoded = Certificate::decode(&bytes, stakes.len()).unwrap();
        prop_assert_eq!(decoded.encode(), bytes);
        let listed: Vec<_> = decoded.signers.iter().map(|operator| operator.0).collect();
        prop_assert_eq!(listed, signers);
    }

    #[test]
    fn no_changed_byte_leaves_a_certificate_valid(at in any::<usize>(), change in 1_u8..) {
        let (snapshot, mut bytes) = twelve();
        let at = at % bytes.len();
        bytes[at] ^= change;
        prop_assert_ne!(check(&bytes, &snapshot), Valid);
    }
}

#[test]
fn the_threshold_lies_exactly_at_two_thirds() {
    // 64 slots for R = 16: 42.67, so 43 slots certify. Equal stakes of 64 operators: one slot each.
    let snapshot = snapshot(B256::ZERO, &[1; 64]);
    let signers: Vec<u16> = (0..64).collect();
    assert_eq!(snapshot.slot_table(&header()).threshold(), 43);
    assert_eq!(check(&certified(&snapshot, header(), &signers[..43]), &snapshot), Valid);
    assert_eq!(check(&certified(&snapshot, header(), &signers[..42]), &snapshot), TooFewSlots);
}

#[test]
fn every_other_length_is_malformed() {
    let (snapshot, bytes) = twelve();
    assert_eq!(check(&bytes, &snapshot), Valid);
    for length in 0..bytes.len() {
        assert_eq!(check(&bytes[..length], &snapshot), Malformed, "{length}");
        assert_eq!(Certificate::decode(&bytes[..length], 12), Err(Malformed), "{length}");
    }
    assert_eq!(check(&[&bytes[..], &[0]].concat(), &snapshot), Malformed);
}

#[test]
fn bits_beyond_the_operators_are_malformed() {
    let (snapshot, mut bytes) = twelve();
    *bytes.last_mut().unwrap() |= 1 << 4;
    assert_eq!(check(&bytes, &snapshot), Malformed);
    assert_eq!(Signers::from_bytes(16, &[0xff, 0xff]).unwrap().iter().count(), 16);
}

#[test]
fn statuses_come_in_the_order_of_their_numbers() {
    let (snapshot, good) = twelve();
    let with = |changes: &[(usize, u8)]| {
        let mut bytes = good.clone();
        for (at, byte) in changes {
            bytes[*at] = *byte;
        }
        bytes
    };
    // Each breaks one thing more than the one after it, from the last status to the first.
    let broken = [
        (WrongSignature, vec![(21, 1)]),
        (SignatureNotAPoint, vec![(21, 1), (185, 1)]),
        (TooFewSlots, vec![(21, 1), (185, 1), (186, 0)]),
        (Expired, vec![(21, 1), (185, 1), (186, 0), (87, 0)]),
        (UnknownEpoch, vec![(21, 1), (185, 1), (186, 0), (87, 0), (80, 9)]),
        (UnknownQuorum, vec![(185, 1), (186, 0), (87, 0), (80, 9), (81, 9)]),
        (ImpossibleShape, vec![(185, 1), (186, 0), (87, 0), (80, 9), (81, 9), (5, 3)]),
        (Unsupported, vec![(186, 0), (87, 0), (80, 9), (81, 9), (5, 3), (0, 9)]),
    ];
    for (status, changes) in broken {
        assert_eq!(check(&with(&changes), &snapshot), status, "{changes:?}");
    }
    let mut malformed = with(&[(0, 9)]);
    malformed.push(0);
    assert_eq!(check(&malformed, &snapshot), Malformed);
}

#[test]
fn a_certificate_is_valid_until_its_expiry_and_in_its_domain() {
    let (snapshot, bytes) = twelve();
    let at = |now, domain: &Domain| check_certificate(&bytes, domain, Some(&snapshot), now);
    assert_eq!(at(header().expiry, &domain()), Valid);
    assert_eq!(at(Timestamp(header().expiry.0 + 1), &domain()), Expired);
    let late = certified(
        &snapshot,
        Header { expiry: Timestamp(u64::MAX), ..header() },
        &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    let end = snapshot.certificates_end();
    let late_at = |now| check_certificate(&late, &domain(), Some(&snapshot), now);
    assert_eq!((late_at(end), late_at(Timestamp(end.0 + 1))), (Valid, Expired));
    assert_eq!(at(NOW, &Domain { chain_id: 1, ..domain() }), WrongSignature);
    assert_eq!(at(NOW, &Domain { registry: Address::ZERO, ..domain() }), WrongSignature);
    assert_eq!(check_certificate(&bytes, &domain(), None, NOW), UnknownEpoch);
    let (epoch, quorum) = Certificate::snapshot_of(&bytes).unwrap();
    assert_eq!((epoch, quorum), (header().epoch, header().quorum));
    assert_eq!(Certificate::snapshot_of(&bytes[..185]), None);
}

#[test]
fn a_signature_at_infinity_is_wrong() {
    let (snapshot, mut bytes) = twelve();
    bytes[90..186].fill(0);
    assert_eq!(check(&bytes, &snapshot), WrongSignature);
}

#[test]
fn equivocating_headers_have_certificates_of_their_own() {
    let (snapshot, bytes) = twelve();
    let mut other = header();
    other.hashes_root = B256::repeat_byte(8);
    let mut swapped = other.encode().to_vec();
    swapped.extend_from_slice(&bytes[90..]);
    assert_eq!(check(&swapped, &snapshot), WrongSignature);
}
