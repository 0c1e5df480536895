//! What happens on the random chains.

use alloy_consensus::{Signed, TxEip1559};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use cairn_primitives::TxEnvelope;
use proptest::prelude::*;

use super::contracts;

/// Accounts that send.
pub(crate) const SENDERS: u8 = 3;
/// Machines of the genesis block.
pub(crate) const MACHINES: u8 = 2;
/// Salts for the factory.
const SALTS: u8 = 4;

/// The factory of the genesis block.
pub(crate) const FACTORY: Address = Address::repeat_byte(0xfa);

/// One step of a chain's life.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A block with these transactions, those that are invalid left out, and these withdrawals.
    Block(Vec<Action>, Vec<(Place, u8)>),
    /// Takes back this many blocks.
    Unwind(u8),
}

/// A transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    from: u8,
    value: u8,
    gas: Gas,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum Gas {
    /// Enough for a transfer, too little for most else.
    Short,
    Scarce,
    Plenty,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Transfer(Place),
    Store(Place, u8, u8),
    Destroy(Place, Place),
    Create2(u8),
    Create,
}

/// An address that somebody may have something to do with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Sender(u8),
    Machine(u8),
    Created2(u8),
    /// The contract that a sender creates with this nonce.
    Created(u8, u8),
    Factory,
    Coinbase,
    Nobody(u8),
}

pub(crate) fn sender(index: u8) -> Address {
    Address::with_last_byte(0xa0 + index)
}

pub(crate) fn machine(index: u8) -> Address {
    Address::repeat_byte(0xc0 + index)
}

pub(crate) const COINBASE: Address = Address::repeat_byte(0xcb);

impl Place {
    pub(crate) fn address(self) -> Address {
        match self {
            Self::Sender(index) => sender(index),
            Self::Machine(index) => machine(index),
            Self::Created2(salt) => contracts::created(FACTORY, salt),
            Self::Created(from, nonce) => sender(from).create(nonce.into()),
            Self::Factory => FACTORY,
            Self::Coinbase => COINBASE,
            Self::Nobody(index) => Address::repeat_byte(0xd0 + index),
        }
    }
}

impl Action {
    pub(crate) fn sender(&self) -> Address {
        sender(self.from)
    }

    /// The transaction with a signature that nobody will look at.
    pub(crate) fn transaction(&self, nonce: u64) -> TxEnvelope {
        let (to, input) = match self.what {
            What::Transfer(place) => (TxKind::Call(place.address()), Bytes::new()),
            What::Store(place, slot, value) => {
                let words = [0, slot, value].map(U256::from);
                (TxKind::Call(place.address()), contracts::call(words))
            }
            What::Destroy(place, heir) => {
                let heir = U256::from_be_slice(heir.address().as_slice());
                let words = [U256::from(1), heir, U256::ZERO];
                (TxKind::Call(place.address()), contracts::call(words))
            }
            What::Create2(salt) => (TxKind::Call(FACTORY), contracts::create(salt)),
            What::Create => (TxKind::Create, contracts::machine_init().into()),
        };
        let tx = TxEip1559 {
            chain_id: 1,
            nonce,
            gas_limit: match self.gas {
                Gas::Short => 21_000,
                Gas::Scarce => 60_000,
                Gas::Plenty => 400_000,
            },
            max_fee_per_gas: 1 << 40,
            max_priority_fee_per_gas: u128::from(nonce % 2),
            to,
            value: U256::from(self.value),
            access_list: Default::default(),
            input,
        };
        TxEnvelope::Eip1559(Signed::new_unhashed(tx, Signature::test_signature()))
    }
}

/// A transaction of the first sender with gas to spare.
const fn plain(what: What) -> Action {
    Action { from: 0, value: 0, gas: Gas::Plenty, what }
}

pub(crate) const fn create2(salt: u8) -> Action {
    plain(What::Create2(salt))
}

pub(crate) const fn store(place: Place, slot: u8, value: u8) -> Action {
    plain(What::Store(place, slot, value))
}

pub(crate) const fn destroy(place: Place, heir: Place) -> Action {
    plain(What::Destroy(place, heir))
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![
        2 => (0..SENDERS).prop_map(Place::Sender),
        4 => (0..MACHINES).prop_map(Place::Machine),
        6 => (0..SALTS).prop_map(Place::Created2),
        2 => (0..SENDERS, 0..8u8).prop_map(|(from, nonce)| Place::Created(from, nonce)),
        1 => Just(Place::Factory),
        1 => Just(Place::Coinbase),
        2 => (0..2u8).prop_map(Place::Nobody),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    let what = prop_oneof![
        2 => places().prop_map(What::Transfer),
        4 => (places(), 0..6u8, 0..3u8).prop_map(|(place, slot, value)| What::Store(place, slot, value)),
        3 => (places(), places()).prop_map(|(place, heir)| What::Destroy(place, heir)),
        3 => (0..SALTS).prop_map(What::Create2),
        1 => Just(What::Create),
    ];
    let gas = prop_oneof![1 => Just(Gas::Short), 1 => Just(Gas::Scarce), 8 => Just(Gas::Plenty)];
    let value = prop_oneof![3 => Just(0), 1 => 1..4u8];
    (0..SENDERS, value, gas, what).prop_map(|(from, value, gas, what)| Action {
        from,
        value,
        gas,
        what,
    })
}

/// Steps of one chain.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let withdrawals = prop::collection::vec((places(), 0..3u8), 0..3);
    let block = (prop::collection::vec(actions(), 0..8), withdrawals);
    let step = prop_oneof![
        6 => block.prop_map(|(actions, withdrawals)| Step::Block(actions, withdrawals)),
        1 => (1..4u8).prop_map(Step::Unwind),
    ];
    prop::collection::vec(step, 1..14)
}
