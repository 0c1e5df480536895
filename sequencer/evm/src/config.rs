//! Environments: what the EVM knows of the block it runs in.

use std::sync::Arc;

use alloy_evm::EvmEnv;
use alloy_evm::eth::NextEvmEnvAttributes;
use alloy_op_evm::{evm_env_for_op_block, evm_env_for_op_next_block};
use alloy_primitives::{Address, B256, Bytes};
use cairn_primitives::{BaseFeeError, ChainSpec, Header};
use op_revm::OpSpecId;
use revm::context::BlockEnv;
use revm::inspector::NoOpInspector;
use revm::primitives::hardfork::SpecId;

use crate::{PrecompileSet, Vm, VmDbError, VmInspector};

/// Block and rule environment, under either rule set.
#[derive(Debug, Clone)]
pub enum Env {
    /// Ethereum rules.
    Ethereum(EvmEnv<SpecId>),
    /// OP rules.
    Optimism(EvmEnv<OpSpecId>),
}

/// Calls the same expression on the environment of either variant.
macro_rules! each_env {
    ($env:expr, $name:ident => $body:expr) => {
        match $env {
            Env::Ethereum($name) => $body,
            Env::Optimism($name) => $body,
        }
    };
}

impl Env {
    /// Block fields.
    pub const fn block(&self) -> &BlockEnv {
        each_env!(self, env => &env.block_env)
    }

    /// Block fields, to be overridden by a call.
    pub const fn block_mut(&mut self) -> &mut BlockEnv {
        each_env!(self, env => &mut env.block_env)
    }

    /// The Ethereum fork whose opcodes and gas schedule hold.
    pub fn spec(&self) -> SpecId {
        match self {
            Self::Ethereum(env) => env.cfg_env.spec,
            Self::Optimism(env) => env.cfg_env.spec.into_eth_spec(),
        }
    }

    /// Chain id.
    pub const fn chain_id(&self) -> u64 {
        each_env!(self, env => env.cfg_env.chain_id)
    }

    /// Largest gas limit of one transaction, where the fork has one (EIP-7825).
    pub const fn tx_gas_limit_cap(&self) -> Option<u64> {
        each_env!(self, env => env.cfg_env.tx_gas_limit_cap)
    }

    /// Relaxes validity rules as `eth_call` and its kin do: no balance, nonce, EIP-3607, base-fee
    /// or block-gas check, and no cap on a transaction's gas limit.
    #[must_use]
    pub fn relaxed_for_calls(mut self) -> Self {
        each_env!(&mut self, env => {
            env.cfg_env.disable_balance_check = true;
            env.cfg_env.disable_nonce_check = true;
            env.cfg_env.disable_eip3607 = true;
            env.cfg_env.disable_base_fee = true;
            env.cfg_env.disable_block_gas_limit = true;
            env.cfg_env.tx_gas_limit_cap = Some(u64::MAX);
        });
        self
    }

    /// Switches the balance check, which a call with a gas price keeps.
    pub const fn set_balance_check(&mut self, enabled: bool) {
        each_env!(self, env => env.cfg_env.disable_balance_check = !enabled);
    }

    /// Switches the nonce check, which validating simulations keep.
    pub const fn set_nonce_check(&mut self, enabled: bool) {
        each_env!(self, env => env.cfg_env.disable_nonce_check = !enabled);
    }

    /// Switches the check that fee caps reach the base fee.
    pub const fn set_base_fee_check(&mut self, enabled: bool) {
        each_env!(self, env => env.cfg_env.disable_base_fee = !enabled);
    }
}

/// What a block builder decides about the next block, beside its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockAttributes {
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// Receiver of tips.
    pub fee_recipient: Address,
    /// Randomness of the beacon chain; under OP rules that of the L1 origin.
    pub prev_randao: B256,
    /// Gas limit.
    pub gas_limit: u64,
    /// Parent beacon block root (EIP-4788); under OP rules that of the L1 origin.
    pub parent_beacon_block_root: Option<B256>,
    /// Extra data; under OP rules the EIP-1559 parameters of the block after.
    pub extra_data: Bytes,
}

/// Rules and precompiles of one chain.
#[derive(Debug, Clone)]
pub struct EvmConfig {
    spec: Arc<ChainSpec>,
    precompiles: PrecompileSet,
}

impl EvmConfig {
    /// The EVM of a chain without precompiles of our own.
    pub fn new(spec: Arc<ChainSpec>) -> Self {
        Self { spec, precompiles: PrecompileSet::default() }
    }

    /// Adds precompiles that are active from the Cairn fork on.
    #[must_use]
    pub fn with_precompiles(mut self, precompiles: PrecompileSet) -> Self {
        self.precompiles = precompiles;
        self
    }

    /// The chain.
    pub const fn spec(&self) -> &Arc<ChainSpec> {
        &self.spec
    }

    /// Environment of the block with that header.
    pub fn env(&self, header: &Header) -> Env {
        let chain_id = self.spec.chain_id();
        if self.spec.is_optimism() {
            evm_env_for_op_block(header, &*self.spec, chain_id).into()
        } else {
            let blob_params = self.spec.blob_params(header.timestamp);
            EvmEnv::for_eth_block(header, &*self.spec, chain_id, blob_params).into()
        }
    }

    /// Environment of a block that follows `parent`.
    pub fn next_env(
        &self,
        parent: &Header,
        attributes: &BlockAttributes,
    ) -> Result<Env, BaseFeeError> {
        let base_fee = self.spec.next_base_fee(parent, attributes.timestamp)?.unwrap_or(0);
        let chain_id = self.spec.chain_id();
        let next = NextEvmEnvAttributes {
            timestamp: attributes.timestamp,
            suggested_fee_recipient: attributes.fee_recipient,
            prev_randao: attributes.prev_randao,
            gas_limit: attributes.gas_limit,
            slot_number: None,
        };
        Ok(if self.spec.is_optimism() {
            evm_env_for_op_next_block(parent, next, base_fee, &*self.spec, chain_id).into()
        } else {
            let blob_params = self.spec.blob_params(attributes.timestamp);
            EvmEnv::for_eth_next_block(parent, next, base_fee, &*self.spec, chain_id, blob_params)
                .into()
        })
    }

    /// An EVM without inspector.
    pub fn vm<DB>(&self, db: DB, env: Env) -> Vm<DB, NoOpInspector>
    where
        DB: alloy_evm::Database<Error: VmDbError>,
    {
        let mut vm = self.vm_with_inspector(db, env, NoOpInspector {});
        vm.set_inspector_enabled(false);
        vm
    }

    /// An EVM whose inspector is switched on.
    pub fn vm_with_inspector<DB, I>(&self, db: DB, env: Env, inspector: I) -> Vm<DB, I>
    where
        DB: alloy_evm::Database<Error: VmDbError>,
        I: VmInspector<DB>,
    {
        let active = self.spec.is_cairn_active(env.block().timestamp.saturating_to());
        let none = PrecompileSet::default();
        let precompiles = if active { &self.precompiles } else { &none };
        Vm::new(db, env, precompiles, inspector)
    }
}
