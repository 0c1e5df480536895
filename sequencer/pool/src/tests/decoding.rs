//! Bytes from users.

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::keccak256;
use proptest::prelude::*;

use super::support::*;
use crate::{PoolError, decode_canonical, recover_sender};

#[test]
fn every_type_decodes_with_hash_and_sender() {
    let key = Key(5);
    for envelope in one_of_each_type(key) {
        let raw = envelope.encoded_2718();
        let (decoded, hash) = decode_canonical(&raw).unwrap();
        assert_eq!(hash, keccak256(&raw));
        assert_eq!(decoded, envelope);
        assert_eq!(recover_sender(&decoded).unwrap(), key.address());
    }
}

#[test]
fn what_is_no_transaction_is_refused_as_geth_does() {
    let text = |raw: &[u8]| decode_canonical(raw).unwrap_err().to_string();
    assert_eq!(text(&[]), "typed transaction too short");
    assert_eq!(text(&[2]), "typed transaction too short");
    assert_eq!(text(&[0x7e, 0xc0]), "transaction type not supported");
    assert_eq!(text(&[5, 0xc0]), "transaction type not supported");
    assert_eq!(text(&[0, 0xc0]), "transaction type not supported");
    assert!(text(&[0xc0]).starts_with("rlp: "));
    assert!(text(&[0xff; 40]).starts_with("rlp: "));
    let mut trailing = one_of_each_type(Key(1))[3].encoded_2718();
    trailing.push(0);
    assert!(text(&trailing).starts_with("rlp: "));
}

#[test]
fn a_deposit_is_refused_before_it_is_decoded() {
    let error = decode_canonical(&[0x7e; 300]).unwrap_err();
    assert!(matches!(error, PoolError::TypeNotSupported { ty: 0x7e }));
}

#[test]
fn a_high_s_value_is_no_signature() {
    use alloy_consensus::Signed;
    use alloy_primitives::{Signature, U256, uint};
    use cairn_primitives::TxEnvelope;
    const N: U256 = uint!(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141_U256);
    let TxEnvelope::Eip1559(tx) = Key(3).signed(tx(0, 0).inner) else { unreachable!() };
    let s = tx.signature();
    let high = Signature::new(s.r(), N - s.s(), !s.v());
    let mirrored = TxEnvelope::Eip1559(Signed::new_unhashed(tx.tx().clone(), high));
    let error = recover_sender(&mirrored).unwrap_err();
    assert_eq!(error.to_string(), "invalid sender: invalid transaction v, r, s values");
    let zero = Signature::new(U256::ZERO, U256::ZERO, false);
    let unsigned = TxEnvelope::Eip1559(Signed::new_unhashed(tx.tx().clone(), zero));
    assert!(recover_sender(&unsigned).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever decodes encodes to the same bytes: nobody can give one transaction two hashes.
    #[test]
    fn damaged_transactions_are_refused_or_canonical(
        index in 0usize..6,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        shorten: bool,
    ) {
        let mut raw = one_of_each_type(Key(5))[index].encoded_2718();
        for (at, byte) in flips {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if shorten {
            raw.truncate(cut.index(raw.len()));
        }
        if let Ok((decoded, _)) = decode_canonical(&raw) {
            prop_assert_eq!(decoded.encoded_2718(), raw);
        }
    }
}
