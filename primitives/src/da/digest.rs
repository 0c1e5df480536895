//! What operators sign, bound to one registry on one chain.

use alloy_primitives::{Address, B256, keccak256};

use super::{Header, bls::PublicKey};

const ATTESTATION_TAG: &[u8] = b"cairn.da.attestation.v1";
const POSSESSION_TAG: &[u8] = b"cairn.da.possession.v1";

/// The registry that a signature is for. A signature under one domain says nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Domain {
    /// Chain id of L1.
    pub chain_id: u64,
    /// Address of `OperatorRegistry` there.
    pub registry: Address,
}

impl Domain {
    /// The digest that attests that an operator holds its rows of a header, which follow from the
    /// epoch's seed: `keccak256(abi.encode(tag, chainId, registry, epoch, quorum, headerHash, expiry,
    /// seed))`.
    pub fn attestation(&self, header: &Header, seed: B256) -> B256 {
        let mut words = Words::new(ATTESTATION_TAG, self);
        words.number(header.epoch.0);
        words.number(u64::from(header.quorum.0));
        words.word(header.hash());
        words.number(header.expiry.0);
        words.word(seed);
        words.keccak()
    }

    /// The digest that proves possession of a key:
    /// `keccak256(abi.encode(tag, chainId, registry, operator, key))`, `key` being `bytes`.
    pub fn possession(&self, operator: Address, key: &PublicKey) -> B256 {
        let mut words = Words::new(POSSESSION_TAG, self);
        words.word(operator.into_word());
        // Dynamic bytes: the offset of their length word, which follows the five head words.
        words.number(5 * 32);
        let key = key.to_bytes();
        words.number(key.len() as u64);
        words.0.extend_from_slice(&key);
        words.keccak()
    }
}

/// ABI encoding of static words, starting with the tag and the domain.
struct Words(Vec<u8>);

impl Words {
    fn new(tag: &[u8], domain: &Domain) -> Self {
        let mut words = Self(Vec::with_capacity(13 * 32));
        words.word(keccak256(tag));
        words.number(domain.chain_id);
        words.word(domain.registry.into_word());
        words
    }

    fn word(&mut self, word: B256) {
        self.0.extend_from_slice(word.as_slice());
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&[0; 24]);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn keccak(self) -> B256 {
        keccak256(self.0)
    }
}
