//! A chain in memory that starts from a genesis.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_genesis::Genesis;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, TxKind, U256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use cairn_evm::revm_types::{ExecutionResult, OpTransaction, OpTx, TxEnv};
use cairn_evm::{BlockAttributes, BlockExecutor, BlockOutcome, EvmConfig, StateDb};
use cairn_genesis::predeploys::{L2_TO_L1_MESSAGE_PASSER, SEQUENCER_FEE_VAULT};
use cairn_genesis::{DevAccount, DevOptions, dev_genesis};
use cairn_primitives::{
    Account, ChainSpec, Header, L1Attributes, L1AttributesFormat, ReadError, StateReader,
    TxEnvelope, genesis_header,
};

/// State in maps.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryState {
    accounts: HashMap<Address, Account>,
    storage: BTreeMap<(Address, U256), U256>,
    code: HashMap<B256, Bytes>,
}

impl MemoryState {
    pub(crate) fn of_genesis(genesis: &Genesis) -> Self {
        let mut state = Self::default();
        for (address, account) in &genesis.alloc {
            let code_hash = account.code.as_ref().map_or(KECCAK256_EMPTY, |code| {
                let hash = keccak256(code);
                state.code.insert(hash, code.clone());
                hash
            });
            let nonce = account.nonce.unwrap_or(0);
            let balance = account.balance;
            state.accounts.insert(*address, Account { nonce, balance, code_hash });
            for (slot, value) in account.storage.iter().flatten() {
                state.storage.insert((*address, (*slot).into()), (*value).into());
            }
        }
        state
    }

    pub(crate) fn code_of(&self, address: Address) -> Bytes {
        self.accounts
            .get(&address)
            .and_then(|account| self.code.get(&account.code_hash))
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.accounts.get(&address).map_or(U256::ZERO, |account| account.balance)
    }

    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.accounts.get(&address).map_or(0, |account| account.nonce)
    }

    pub(crate) fn storage_root(&self, address: Address) -> B256 {
        let slots = self.storage.range((address, U256::ZERO)..=(address, U256::MAX));
        storage_root_unhashed(slots.map(|((_, slot), value)| ((*slot).into(), *value)))
    }

    pub(crate) fn root(&self) -> B256 {
        state_root_unhashed(self.accounts.iter().map(|(address, account)| {
            let leaf = TrieAccount {
                nonce: account.nonce,
                balance: account.balance,
                storage_root: self.storage_root(*address),
                code_hash: account.code_hash,
            };
            (*address, leaf)
        }))
    }

    fn apply(&mut self, outcome: &BlockOutcome) {
        for diff in &outcome.diff.accounts {
            assert!(!diff.wiped, "nothing is wiped since Cancun");
            match diff.after {
                Some(account) => self.accounts.insert(diff.address, account),
                None => self.accounts.remove(&diff.address),
            };
            for (slot, _, after) in &diff.storage {
                if after.is_zero() {
                    self.storage.remove(&(diff.address, *slot));
                } else {
                    self.storage.insert((diff.address, *slot), *after);
                }
            }
        }
        self.code.extend(outcome.diff.code.iter().cloned());
    }
}

impl StateReader for MemoryState {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        Ok(self.storage.get(&(address, slot)).copied().unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        let code = self.code.get(&code_hash).cloned();
        code.ok_or_else(|| ReadError::Store(format!("no code {code_hash}")))
    }

    fn block_hash(&self, _number: u64) -> Result<B256, ReadError> {
        Ok(B256::ZERO)
    }
}

/// A chain of blocks without headers of their own: only the state goes on.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) config: EvmConfig,
    pub(crate) genesis: Header,
    pub(crate) state: MemoryState,
}

impl Chain {
    pub(crate) fn new(options: &DevOptions) -> Self {
        Self::of_genesis(&dev_genesis(options).unwrap())
    }

    pub(crate) fn of_genesis(genesis: &Genesis) -> Self {
        let spec = Arc::new(ChainSpec::from_genesis(genesis).unwrap());
        let state = MemoryState::of_genesis(genesis);
        let passer_root = state.storage_root(L2_TO_L1_MESSAGE_PASSER);
        let header = genesis_header(&spec, genesis, state.root(), passer_root);
        Self { config: EvmConfig::new(spec), genesis: header, state }
    }

    /// Executes a block: its L1-attributes transaction, then the others.
    pub(crate) fn block(
        &mut self,
        attributes: &L1Attributes,
        transactions: &[(TxEnvelope, Address)],
    ) -> BlockOutcome {
        let spec = self.config.spec().clone();
        let format = L1AttributesFormat::at(&spec, self.genesis.timestamp);
        let deposit = attributes.to_deposit(format);
        let from = deposit.from;
        let opening = (TxEnvelope::Deposit(alloy_consensus::Sealed::new(deposit)), from);
        let env = self.config.next_env(&self.genesis, &self.attributes()).unwrap();
        let mut executor = BlockExecutor::new(&self.config, env, self.state.clone());
        executor.begin(self.genesis.hash_slow(), Some(B256::repeat_byte(0xbe))).unwrap();
        for (tx, sender) in std::iter::once(&opening).chain(transactions) {
            executor.execute(tx, *sender, tx.encoded_2718().into()).unwrap();
        }
        let outcome = executor.finish(&[], None).unwrap();
        self.state.apply(&outcome);
        outcome
    }

    /// Calls a contract and returns its output, or its revert data as the error.
    pub(crate) fn call_raw(&self, from: Address, to: Address, data: Bytes) -> Result<Bytes, Bytes> {
        let env = self.config.next_env(&self.genesis, &self.attributes()).unwrap();
        let base = TxEnv {
            caller: from,
            kind: TxKind::Call(to),
            data,
            gas_limit: 50_000_000,
            chain_id: Some(self.config.spec().chain_id()),
            ..TxEnv::default()
        };
        let request = OpTx(OpTransaction {
            base,
            enveloped_tx: Some(Bytes::new()),
            deposit: Default::default(),
        });
        let mut vm = self.config.vm(
            cairn_evm::revm_types::State::builder()
                .with_database(StateDb(self.state.clone()))
                .build(),
            env.relaxed_for_calls(),
        );
        match vm.transact(request).unwrap().result {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            ExecutionResult::Revert { output, .. } => Err(output),
            ExecutionResult::Halt { reason, .. } => panic!("call halted: {reason:?}"),
        }
    }

    /// Calls a function that must succeed.
    pub(crate) fn call<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        let output = self.call_raw(Address::ZERO, to, call.abi_encode().into());
        let output = output.unwrap_or_else(|data| panic!("{} reverted: {data}", C::SIGNATURE));
        C::abi_decode_returns(&output).unwrap()
    }

    /// A signed transaction of an account, with its next nonce.
    pub(crate) fn sign(
        &self,
        account: &DevAccount,
        to: Address,
        value: U256,
        input: Bytes,
    ) -> (TxEnvelope, Address) {
        let mut tx = self.unsigned(account, to, value, input);
        let signer = PrivateKeySigner::from_bytes(&account.private_key).unwrap();
        let signature = signer.sign_transaction_sync(&mut tx).unwrap();
        (TxEnvelope::Eip1559(tx.into_signed(signature)), account.address)
    }

    pub(crate) fn unsigned(
        &self,
        account: &DevAccount,
        to: Address,
        value: U256,
        input: Bytes,
    ) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.config.spec().chain_id(),
            nonce: self.state.nonce(account.address),
            gas_limit: 20_000_000,
            max_fee_per_gas: 1_000_000_000,
            max_priority_fee_per_gas: 1_000_000,
            to: TxKind::Call(to),
            value,
            input,
            ..TxEip1559::default()
        }
    }

    fn attributes(&self) -> BlockAttributes {
        BlockAttributes {
            timestamp: self.genesis.timestamp + 1,
            fee_recipient: SEQUENCER_FEE_VAULT,
            prev_randao: B256::ZERO,
            gas_limit: self.genesis.gas_limit,
            parent_beacon_block_root: Some(B256::repeat_byte(0xbe)),
            extra_data: self.genesis.extra_data.clone(),
        }
    }
}
