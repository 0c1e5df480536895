//! Transactions, accounts and chains for tests.

use std::sync::Arc;

use alloy_consensus::{Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use cairn_primitives::{Account, ReadError, SignedTx, StateReader, TxEnvelope};
use parking_lot::Mutex;

use crate::{
    BlockConditions, Inserted, Origin, Pool, PoolConfig, PoolError, PoolTransaction, RollupCost,
    SenderView, Timestamp, TipState,
};

pub(super) const CHAIN_ID: u64 = 901;
pub(super) const RICH: u128 = 1_000_000_000_000_000_000;

pub(super) const fn conditions() -> BlockConditions {
    BlockConditions {
        chain_id: CHAIN_ID,
        base_fee: 10,
        blob_base_fee: 0,
        gas_limit: 30_000_000,
        max_blobs: 0,
        homestead: true,
        istanbul: true,
        berlin: true,
        london: true,
        shanghai: true,
        prague: true,
        osaka: false,
    }
}

pub(super) const fn with_base_fee(base_fee: u64) -> BlockConditions {
    BlockConditions { base_fee, ..conditions() }
}

pub(super) fn pool() -> Pool {
    Pool::new(PoolConfig::default(), conditions())
}

pub(super) fn pool_with(change: impl FnOnce(&mut PoolConfig)) -> Pool {
    let mut config = PoolConfig::default();
    change(&mut config);
    Pool::new(config, conditions())
}

pub(super) fn address(index: u8) -> Address {
    Address::repeat_byte(index.wrapping_add(1))
}

pub(super) fn account(nonce: u64, balance: u128) -> Account {
    Account { nonce, balance: U256::from(balance), ..Account::default() }
}

/// A dynamic-fee transfer of 21,000 gas; fields are set by the builder methods.
#[derive(Debug, Clone)]
pub(super) struct Tx {
    pub(super) sender: Address,
    pub(super) inner: TxEip1559,
    pub(super) origin: Origin,
    pub(super) received: Timestamp,
    pub(super) rollup_fee: u128,
}

pub(super) fn tx(sender: u8, nonce: u64) -> Tx {
    Tx {
        sender: address(sender),
        inner: TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 100,
            max_priority_fee_per_gas: 5,
            to: TxKind::Call(Address::repeat_byte(0xee)),
            value: U256::ZERO,
            access_list: Default::default(),
            input: Bytes::new(),
        },
        origin: Origin::Remote,
        received: Timestamp(0),
        rollup_fee: 0,
    }
}

impl Tx {
    pub(super) fn tip(mut self, tip: u128) -> Self {
        self.inner.max_priority_fee_per_gas = tip;
        self
    }

    pub(super) fn cap(mut self, cap: u128) -> Self {
        self.inner.max_fee_per_gas = cap;
        self
    }

    pub(super) fn value(mut self, value: u128) -> Self {
        self.inner.value = U256::from(value);
        self
    }

    pub(super) fn gas(mut self, gas_limit: u64) -> Self {
        self.inner.gas_limit = gas_limit;
        self
    }

    pub(super) fn input(mut self, input: Vec<u8>) -> Self {
        self.inner.input = input.into();
        self
    }

    pub(super) fn local(mut self) -> Self {
        self.origin = Origin::Local;
        self
    }

    pub(super) fn received(mut self, at: u64) -> Self {
        self.received = Timestamp(at);
        self
    }

    pub(super) fn rollup_fee(mut self, fee: u128) -> Self {
        self.rollup_fee = fee;
        self
    }

    pub(super) fn build(self) -> Arc<PoolTransaction> {
        // The pool never looks at signatures; the sender makes hashes of different senders differ.
        let salt = U256::from_be_slice(self.sender.as_slice());
        let signed = Signed::new_unhashed(self.inner, Signature::new(salt, salt, false));
        pooled(
            TxEnvelope::Eip1559(signed),
            self.sender,
            self.origin,
            self.received,
            self.rollup_fee,
        )
    }

    pub(super) fn hash(&self) -> B256 {
        self.clone().build().hash()
    }
}

fn pooled(
    envelope: TxEnvelope,
    sender: Address,
    origin: Origin,
    received: Timestamp,
    fee: u128,
) -> Arc<PoolTransaction> {
    let signed = SignedTx::new_unchecked(envelope, sender);
    Arc::new(
        PoolTransaction::from_recovered(signed, origin, received)
            .with_rollup_cost(RollupCost { fee, da_size: None }),
    )
}

/// A blob transaction with one blob.
pub(super) fn blob_tx(sender: u8, nonce: u64, fee: u128, blob_fee: u128) -> Arc<PoolTransaction> {
    let inner = TxEip4844 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: fee,
        max_fee_per_blob_gas: blob_fee,
        blob_versioned_hashes: vec![B256::with_last_byte(1)],
        ..TxEip4844::default()
    };
    let signed = Signed::new_unhashed(inner, Signature::new(U256::ONE, U256::ONE, false));
    let envelope = TxEnvelope::Eip4844(signed);
    pooled(envelope, address(sender), Origin::Remote, Timestamp(0), 0)
}

/// A set-code transaction whose authorities are given instead of recovered.
pub(super) fn set_code_tx(sender: u8, nonce: u64, authorities: &[u8]) -> Arc<PoolTransaction> {
    let inner = TxEip7702 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 100,
        max_priority_fee_per_gas: 5,
        authorization_list: vec![unsigned_authorization()],
        ..TxEip7702::default()
    };
    let salt = U256::from(sender) + U256::ONE;
    let signed = Signed::new_unhashed(inner, Signature::new(salt, salt, false));
    let signed = SignedTx::new_unchecked(TxEnvelope::Eip7702(signed), address(sender));
    let mut tx = PoolTransaction::from_recovered(signed, Origin::Remote, Timestamp(0));
    tx.set_authorities(authorities.iter().map(|index| address(*index)).collect());
    Arc::new(tx)
}

pub(super) fn unsigned_authorization() -> SignedAuthorization {
    let inner = Authorization { chain_id: U256::from(CHAIN_ID), address: Address::ZERO, nonce: 0 };
    SignedAuthorization::new_unchecked(inner, 0, U256::ONE, U256::ONE)
}

/// Inserts for a sender whose account is a plain one with the given nonce and balance, unless the
/// pool knows the account already.
pub(super) fn insert_as(
    pool: &mut Pool,
    tx: Arc<PoolTransaction>,
    account: Account,
) -> Result<Inserted, PoolError> {
    let now = tx.received();
    pool.insert(tx, Some(&SenderView::plain(account)), now)
}

/// Inserts for a rich sender at nonce 0.
pub(super) fn insert(pool: &mut Pool, tx: Tx) -> Result<Inserted, PoolError> {
    insert_as(pool, tx.build(), account(0, RICH))
}

/// Takes up to `max` and returns the hashes.
pub(super) fn take(pool: &mut Pool, max: usize) -> Vec<B256> {
    let mut out = Vec::new();
    pool.take_best(max, &mut out);
    out.iter().map(|tx| tx.hash()).collect()
}

/// A key that signs for tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key(pub(super) u64);

impl Key {
    fn secret(self) -> B256 {
        B256::from(U256::from(self.0) + U256::from(0x1000))
    }

    pub(super) fn sign(self, hash: B256) -> Signature {
        alloy_consensus::crypto::secp256k1::sign_message(self.secret(), hash).unwrap()
    }

    pub(super) fn address(self) -> Address {
        let hash = B256::repeat_byte(7);
        let signature = self.sign(hash);
        alloy_consensus::crypto::secp256k1::recover_signer(&signature, hash).unwrap()
    }

    pub(super) fn signed(self, mut inner: TxEip1559) -> TxEnvelope {
        use alloy_consensus::SignableTransaction;
        inner.chain_id = if inner.chain_id == 0 { CHAIN_ID } else { inner.chain_id };
        let signature = self.sign(inner.signature_hash());
        TxEnvelope::Eip1559(inner.into_signed(signature))
    }

    /// The canonical bytes of a transfer.
    pub(super) fn transfer(self, nonce: u64) -> Bytes {
        use alloy_eips::eip2718::Encodable2718;
        self.signed(tx(0, nonce).inner).encoded_2718().into()
    }

    pub(super) fn authorization(self, nonce: u64) -> SignedAuthorization {
        let inner = Authorization { chain_id: U256::from(CHAIN_ID), address: Address::ZERO, nonce };
        let signature = self.sign(inner.signature_hash());
        inner.into_signed(signature)
    }
}

/// One envelope of every type that users may send, signed by `key`.
pub(super) fn one_of_each_type(key: Key) -> Vec<TxEnvelope> {
    use alloy_consensus::SignableTransaction;
    macro_rules! signed {
        ($variant:ident, $tx:expr) => {{
            let tx = $tx;
            let signature = key.sign(tx.signature_hash());
            TxEnvelope::$variant(tx.into_signed(signature))
        }};
    }
    let to = Address::repeat_byte(9);
    let legacy = TxLegacy {
        chain_id: Some(CHAIN_ID),
        gas_limit: 50_000,
        gas_price: 100,
        to: TxKind::Call(to),
        input: Bytes::from_static(&[1, 0, 2]),
        ..TxLegacy::default()
    };
    vec![
        signed!(Legacy, TxLegacy { chain_id: None, ..legacy.clone() }),
        signed!(Legacy, legacy),
        signed!(
            Eip2930,
            TxEip2930 {
                chain_id: CHAIN_ID,
                gas_limit: 50_000,
                to: to.into(),
                ..TxEip2930::default()
            }
        ),
        key.signed(tx(0, 3).inner),
        signed!(
            Eip4844,
            TxEip4844 {
                chain_id: CHAIN_ID,
                gas_limit: 50_000,
                max_fee_per_blob_gas: 1,
                blob_versioned_hashes: vec![B256::with_last_byte(1)],
                ..TxEip4844::default()
            }
        ),
        signed!(
            Eip7702,
            TxEip7702 {
                chain_id: CHAIN_ID,
                gas_limit: 90_000,
                authorization_list: vec![Key(77).authorization(0)],
                ..TxEip7702::default()
            }
        ),
    ]
}

/// State that tests set; every read is counted.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) accounts: Mutex<std::collections::HashMap<Address, Account>>,
    pub(super) codes: Mutex<std::collections::HashMap<B256, Bytes>>,
    pub(super) reads: std::sync::atomic::AtomicUsize,
    pub(super) failing: std::sync::atomic::AtomicBool,
}

impl State {
    pub(super) fn set(&self, address: Address, account: Account) {
        self.accounts.lock().insert(address, account);
    }

    pub(super) fn set_code(&self, address: Address, code: Bytes) -> Account {
        let code_hash = alloy_primitives::keccak256(&code);
        self.codes.lock().insert(code_hash, code);
        let account = Account { code_hash, ..account(0, RICH) };
        self.set(address, account);
        account
    }
}

impl StateReader for State {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        use std::sync::atomic::Ordering;
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.failing.load(Ordering::Relaxed) {
            return Err(ReadError::Store("disk gone".into()));
        }
        Ok(self.accounts.lock().get(&address).copied())
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, ReadError> {
        Ok(U256::ZERO)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        let code = self.codes.lock().get(&code_hash).cloned();
        code.ok_or_else(|| ReadError::Store(format!("no code {code_hash}")))
    }

    fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
        Ok(B256::ZERO)
    }
}

/// A chain whose tip is a [`State`].
#[derive(Debug, Default, Clone)]
pub(super) struct Tip(pub(super) Arc<State>);

impl TipState for Tip {
    fn view(&self) -> Arc<dyn StateReader> {
        self.0.clone()
    }

    fn rollup_cost(&self, encoded: &[u8], _gas_limit: u64) -> RollupCost {
        RollupCost { fee: encoded.len() as u128, da_size: None }
    }
}
