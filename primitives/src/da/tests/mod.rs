//! Tests of the DA network's formats.

mod bls;
mod certificate;
mod hashes;
mod header;
mod slots;
mod submission;

use alloy_primitives::{Address, B256, keccak256};
use proptest::prelude::*;

use super::bls::SecretKey;
use super::{
    Domain, Epoch, Header, Operator, PayloadLength, QuorumId, Reservation, Shape, Snapshot, Stake,
    Timestamp,
};

pub(super) fn secret(number: u64) -> SecretKey {
    SecretKey::derive(keccak256(number.to_be_bytes()).as_slice()).unwrap()
}

pub(super) fn domain() -> Domain {
    Domain { chain_id: 31337, registry: Address::repeat_byte(0x5a) }
}

pub(super) fn header() -> Header {
    Header {
        shape: Shape::new(16, 100).unwrap(),
        payload_length: PayloadLength(40_000),
        hashes_root: B256::repeat_byte(7),
        payer: Address::repeat_byte(9),
        reservation: Reservation(11),
        epoch: Epoch(3),
        quorum: QuorumId(0),
        expiry: Timestamp(1_000_000),
    }
}

/// Operators with these stakes and the keys `secret(0)`, `secret(1)`, …
pub(super) fn snapshot(seed: B256, stakes: &[u128]) -> Snapshot {
    let operators = stakes.iter().enumerate().map(|(i, stake)| Operator {
        address: Address::with_last_byte(i as u8),
        stake: Stake(*stake),
        key: secret(i as u64).public_key(),
    });
    let end = Timestamp(2_000_000);
    Snapshot::new(Epoch(3), QuorumId(0), seed, end, operators.collect()).unwrap()
}

pub(super) fn any_shape() -> impl Strategy<Value = Shape> {
    (0_u32..=8, 1_u16..=4096).prop_map(|(log, columns)| Shape::new(1 << log, columns).unwrap())
}

pub(super) fn any_header() -> impl Strategy<Value = Header> {
    let rest = (any::<[u8; 32]>(), any::<[u8; 20]>(), any::<[u64; 3]>(), any::<u32>());
    (any_shape(), rest).prop_map(|(shape, (root, payer, [reservation, epoch, expiry], length))| {
        Header {
            shape,
            payload_length: PayloadLength(length % shape.capacity() + 1),
            hashes_root: B256::new(root),
            payer: Address::new(payer),
            reservation: Reservation(reservation),
            epoch: Epoch(epoch),
            quorum: QuorumId(0),
            expiry: Timestamp(expiry),
        }
    })
}
