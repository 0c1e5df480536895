//! A transaction as the pool keeps it.

use alloy_consensus::Transaction;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_primitives::{SignedTx, TxEnvelope};

use crate::RollupCost;

/// Milliseconds since the Unix epoch. The pool reads no clock; callers pass the time in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(pub u64);

/// Where a transaction came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Submitted to this node: journaled, never evicted for a cheap price.
    Local,
    /// Local, read back from the journal.
    Restored,
    /// From elsewhere: not journaled, evicted when the pool is full and others pay more.
    Remote,
}

impl Origin {
    /// Whether the transaction is protected from eviction.
    pub const fn is_local(self) -> bool {
        matches!(self, Self::Local | Self::Restored)
    }
}

/// A decoded transaction with its sender, hash and encoding, each computed once.
#[derive(Debug, Clone)]
pub struct PoolTransaction {
    tx: SignedTx,
    hash: B256,
    encoded: Bytes,
    cost: U256,
    fee_cap: u128,
    tip_cap: u128,
    rollup: RollupCost,
    authorities: Box<[Address]>,
    origin: Origin,
    received: Timestamp,
}

impl PoolTransaction {
    /// Joins parts that were computed elsewhere. `encoded` is the canonical EIP-2718 encoding of
    /// `tx` and `hash` its Keccak-256.
    pub fn new(
        tx: SignedTx,
        hash: B256,
        encoded: Bytes,
        origin: Origin,
        received: Timestamp,
    ) -> Self {
        let cost = max_cost(tx.inner());
        let fee_cap = tx.max_fee_per_gas();
        let tip_cap = tx.priority_fee_or_price();
        Self {
            tx,
            hash,
            encoded,
            cost,
            fee_cap,
            tip_cap,
            rollup: RollupCost::default(),
            authorities: Box::default(),
            origin,
            received,
        }
    }

    /// Encodes and hashes a transaction whose sender is known, such as one of an abandoned block.
    pub fn from_recovered(tx: SignedTx, origin: Origin, received: Timestamp) -> Self {
        let encoded = Bytes::from(tx.inner().encoded_2718());
        let hash = alloy_primitives::keccak256(&encoded);
        Self::new(tx, hash, encoded, origin, received)
    }

    /// Adds what the rollup charges beyond gas (L1 data fee, operator fee), in wei.
    pub const fn with_rollup_cost(mut self, cost: RollupCost) -> Self {
        self.rollup = cost;
        self
    }

    /// Adds the recovered signers of an EIP-7702 authorization list.
    pub fn set_authorities(&mut self, authorities: Vec<Address>) {
        self.authorities = authorities.into_boxed_slice();
    }

    /// The transaction with its sender.
    pub const fn signed(&self) -> &SignedTx {
        &self.tx
    }

    /// The envelope.
    pub const fn envelope(&self) -> &TxEnvelope {
        self.tx.inner()
    }

    /// Sender.
    pub const fn sender(&self) -> Address {
        self.tx.signer()
    }

    /// Transaction hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Canonical EIP-2718 encoding.
    pub const fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// Nonce.
    pub fn nonce(&self) -> u64 {
        self.tx.nonce()
    }

    /// Gas limit.
    pub fn gas_limit(&self) -> u64 {
        self.tx.gas_limit()
    }

    /// Largest fee per gas, wei; the gas price before EIP-1559.
    pub const fn fee_cap(&self) -> u128 {
        self.fee_cap
    }

    /// Largest tip per gas, wei; the gas price before EIP-1559.
    pub const fn tip_cap(&self) -> u128 {
        self.tip_cap
    }

    /// Largest fee per blob gas, wei; `None` for all but blob transactions.
    pub fn blob_fee_cap(&self) -> Option<u128> {
        self.tx.max_fee_per_blob_gas()
    }

    /// Tip per gas at a base fee, wei; zero where the fee cap does not cover the base fee.
    pub fn effective_tip(&self, base_fee: u64) -> u128 {
        self.tip_cap.min(self.fee_cap.saturating_sub(u128::from(base_fee)))
    }

    /// Most that execution can take from the sender but for the rollup fee, wei, saturating.
    pub const fn cost(&self) -> U256 {
        self.cost
    }

    /// What the rollup charged beyond gas when the transaction was admitted, wei.
    pub const fn rollup_fee(&self) -> u128 {
        self.rollup.fee
    }

    /// Its compressed size as estimated at admission, millionths of a byte.
    pub const fn da_size(&self) -> Option<u64> {
        self.rollup.da_size
    }

    /// Recovered signers of the authorization list (EIP-7702), invalid tuples left out.
    pub fn authorities(&self) -> &[Address] {
        &self.authorities
    }

    /// Where it came from.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// When it was submitted.
    pub const fn received(&self) -> Timestamp {
        self.received
    }

    /// The line that `txpool_inspect` gives for it.
    pub fn inspect(&self) -> String {
        let to = self.tx.to().map_or_else(|| "contract creation".into(), |to| to.to_string());
        format!("{to}: {} wei + {} gas × {} wei", self.tx.value(), self.gas_limit(), self.fee_cap)
    }
}

fn max_cost(tx: &TxEnvelope) -> U256 {
    let gas = U256::from(tx.gas_limit()).saturating_mul(U256::from(tx.max_fee_per_gas()));
    let blob_gas = U256::from(tx.blob_gas_used().unwrap_or(0));
    let blobs = blob_gas.saturating_mul(U256::from(tx.max_fee_per_blob_gas().unwrap_or(0)));
    tx.value().saturating_add(gas).saturating_add(blobs)
}
