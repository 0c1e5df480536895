//! The state machine, driven step by step.

mod order;
mod property;
mod refusals;
mod room;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, keccak256};
use cairn_primitives::da::bls::SecretKey;
use cairn_primitives::da::{
    Domain, Epoch, Header, OperatorIndex, PayloadLength, QuorumId, Refusal, RefusalCode,
    Reservation, RowIndex, Shape, Snapshot, Stake, Submission, Timestamp,
};

use super::*;

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const ME: OperatorIndex = OperatorIndex(1);

pub(super) fn secret(number: u16) -> SecretKey {
    SecretKey::derive(keccak256(number.to_be_bytes()).as_slice()).unwrap()
}

fn address(number: u16) -> Address {
    Address::with_last_byte(number as u8 + 1)
}

pub(super) fn snapshot(epoch: u64, seed: u8, operators: u16) -> Snapshot {
    let operator = |i| cairn_primitives::da::Operator {
        address: address(i),
        stake: Stake(1),
        key: secret(i).public_key(),
    };
    let operators = (0..operators).map(operator).collect();
    let end = Timestamp(NOW + 100 * 86_400);
    let seed = B256::repeat_byte(seed);
    Snapshot::new(Epoch(epoch), QuorumId(0), seed, end, operators).unwrap()
}

pub(super) fn quorums(epochs: &[(u64, u8)]) -> Quorums {
    let snapshots = epochs.iter().map(|(epoch, seed)| (Epoch(*epoch), snapshot(*epoch, *seed, 4)));
    let snapshots: BTreeMap<_, _> =
        snapshots.map(|(e, snapshot)| (e, Arc::new(snapshot))).collect();
    let head = L1Head { number: 10, hash: B256::ZERO, time: Timestamp(NOW) };
    Quorums { head, current: Epoch(5), snapshots }
}

/// An admission of operator 1, whose clock says `NOW`.
pub(super) struct Rig {
    pub(super) admission: Admission,
    pub(super) now: Duration,
    pub(super) payer: PrivateKeySigner,
    tickets: u64,
}

impl Rig {
    pub(super) fn new(limits: Limits) -> Self {
        let domain = Domain { chain_id: 1, registry: Address::repeat_byte(7) };
        let key = secret(ME.0).public_key();
        let operator = Operator { domain, address: address(ME.0), key };
        let mut rig = Self {
            admission: Admission::new(operator, limits),
            now: Duration::from_secs(NOW),
            payer: PrivateKeySigner::from_bytes(&B256::repeat_byte(3)).unwrap(),
            tickets: 0,
        };
        rig.step(Event::Quorums(quorums(&[(4, 1), (5, 2)])));
        rig
    }

    pub(super) fn step(&mut self, event: Event) -> Option<Effect> {
        self.admission.step(event, self.now)
    }

    /// L1 moves on to the time here.
    pub(super) fn tell_time(&mut self) {
        let mut newer = quorums(&[(4, 1), (5, 2)]);
        newer.head.time = Timestamp(self.now.as_secs());
        self.step(Event::Quorums(newer));
    }

    pub(super) fn header(&self, reservation: u64) -> Header {
        Header {
            shape: Shape::new(4, 10).unwrap(),
            payload_length: PayloadLength(1000),
            hashes_root: B256::repeat_byte(1),
            payer: self.payer.address(),
            reservation: Reservation(reservation),
            epoch: Epoch(5),
            quorum: QuorumId(0),
            expiry: Timestamp(NOW + 3600),
        }
    }

    pub(super) fn offer(&self, header: Header) -> Offer {
        let signature = self.payer.sign_message_sync(header.hash().as_slice()).unwrap();
        Offer { header, payer_signature: signature.into(), announced_length: None }
    }

    pub(super) fn rows(&self, header: &Header) -> Vec<RowIndex> {
        let quorums = self.admission.quorums().unwrap();
        quorums.snapshots[&header.epoch].rows_of(ME, header)
    }

    /// What is signed of a header under the quorum of now.
    pub(super) fn digest(&self, header: &Header) -> B256 {
        let seed = self.admission.quorums().unwrap().snapshots[&header.epoch].seed();
        self.admission.operator().domain.attestation(header, seed)
    }

    pub(super) fn length(&self, header: &Header) -> usize {
        Submission::length(header, &self.rows(header))
    }

    /// Offers a header, signed by the payer.
    pub(super) fn offered(&mut self, header: Header) -> (Ticket, Effect) {
        let offer = self.offer(header);
        self.offered_as(offer)
    }

    pub(super) fn offered_as(&mut self, offer: Offer) -> (Ticket, Effect) {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        (ticket, self.step(Event::Offered(ticket, Box::new(offer))).unwrap())
    }

    /// Goes on until the body is to be read.
    pub(super) fn until_body(&mut self, header: Header) -> Ticket {
        let (ticket, effect) = self.offered(header);
        assert_eq!(effect, Effect::LookUp(ticket, Box::new(header)));
        let effect = self.step(Event::Found(ticket, Found::default()));
        assert!(matches!(effect, Some(Effect::ReadBody { .. })), "{effect:?}");
        ticket
    }

    /// Goes on until the rows are to be stored.
    pub(super) fn until_store(&mut self, header: Header) -> Ticket {
        let ticket = self.until_body(header);
        let rows = self.rows(&header);
        let effect = self.step(Event::BodyRead(ticket));
        assert_eq!(effect, Some(Effect::Verify(ticket, rows.clone())));
        let effect = self.step(Event::Verified(ticket, Ok(())));
        assert_eq!(effect, Some(Effect::Store(ticket, rows)));
        ticket
    }
}

pub(super) fn refused(effect: Option<Effect>) -> Refusal {
    match effect {
        Some(Effect::Refuse(_, refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) fn code(effect: Effect) -> RefusalCode {
    refused(Some(effect)).code
}
