//! Certificates: what the contract on L1 answers, off chain.

use std::collections::{BTreeMap, HashSet};

use alloy_primitives::hex;
use cairn_primitives::da::{Certificate, CertificateStatus, Epoch, Timestamp, check_certificate};

use crate::da::{Parcel, domain, snapshot};
use crate::fuzz::{Outcome, Target};

const NOW: Timestamp = Timestamp(1_900_000_000);
const EXPIRY: Timestamp = Timestamp(2_000_000_000);
/// Modulus of the base field: coordinates below it are canonical.
const MODULUS: [u8; 48] = hex!(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
);

pub(super) fn target() -> eyre::Result<Target> {
    let mut quorums = BTreeMap::new();
    let mut seeds = Vec::new();
    for (epoch, operators) in [(5, 4), (6, 12), (7, 64)] {
        let stakes: Vec<_> = (0..operators as u128).map(|number| number % 3 + 1).collect();
        let quorum = snapshot(Epoch(epoch), &stakes)?;
        for (length, missing) in [(1, 0), (5000, operators / 6)] {
            seeds.push(Parcel::new(&quorum, length, EXPIRY)?.certificate(missing)?);
        }
        quorums.insert(Epoch(epoch), quorum);
    }
    let valid: HashSet<_> = seeds.iter().cloned().collect();
    let execute = move |bytes: &[u8]| {
        let named = Certificate::snapshot_of(bytes);
        assert_eq!(named.is_none(), bytes.len() < 186);
        let quorum = named.and_then(|(epoch, _)| quorums.get(&epoch));
        let status = check_certificate(bytes, &domain(), quorum, NOW);
        let operators = quorum.map_or(12, |quorum| quorum.operators().len());
        match Certificate::decode(bytes, operators) {
            Ok(read) => assert_eq!(read.encode(), bytes, "another certificate has the same bytes"),
            Err(error) => assert_ne!(status, CertificateStatus::Valid, "{error:?}"),
        }
        if status == CertificateStatus::Valid {
            assert!(valid.contains(bytes), "nobody signed this");
            return Outcome::accepted("Valid");
        }
        Outcome::refused(format!("{status:?}"))
    };
    let epochs = (4_u64..9).map(|epoch| epoch.to_be_bytes().to_vec());
    let tokens = epochs.chain([MODULUS.to_vec(), vec![0; 96], vec![0xff; 8]]).collect();
    Ok(Target { name: "certificate", seeds, tokens, max_bytes: 300, execute: Box::new(execute) })
}
