//! One EVM for both rule sets.

use alloy_evm::eth::EthEvmContext;
use alloy_evm::precompiles::PrecompilesMap;
use alloy_evm::{EthEvm, Evm, EvmEnv, EvmFactory};
use alloy_op_evm::{OpEvm, OpEvmContext, OpEvmFactory, OpTx};
use op_revm::{OpHaltReason, OpSpecId};
use revm::Inspector;
use revm::context::BlockEnv;
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::primitives::hardfork::SpecId;

use crate::{Env, PrecompileSet, TxError, TxRequest, VmDbError, storage_only};

/// Result of one transaction, its state changes not yet applied.
pub type TxResult = ResultAndState<OpHaltReason>;

/// An inspector that can watch either EVM. Implemented for all that can.
pub trait VmInspector<DB: alloy_evm::Database>:
    Inspector<EthEvmContext<DB>> + Inspector<OpEvmContext<DB>>
{
}

impl<DB: alloy_evm::Database, I> VmInspector<DB> for I where
    I: Inspector<EthEvmContext<DB>> + Inspector<OpEvmContext<DB>>
{
}

/// An EVM at one block, under the rules of its chain.
///
/// A fresh one is due for each traced transaction: after an invalid inspected transaction its
/// journal holds leftovers.
#[expect(missing_debug_implementations, reason = "revm's context has no Debug")]
#[expect(clippy::large_enum_variant, reason = "lives on the stack of one execution, never moved")]
pub enum Vm<DB: alloy_evm::Database, I> {
    /// Ethereum rules.
    Ethereum(EthEvm<DB, I, PrecompilesMap>),
    /// OP rules.
    Optimism(OpEvm<DB, I, PrecompilesMap>),
}

impl<DB, I> Vm<DB, I>
where
    DB: alloy_evm::Database<Error: VmDbError>,
    I: VmInspector<DB>,
{
    pub(crate) fn new(db: DB, env: Env, precompiles: &PrecompileSet, inspector: I) -> Self {
        let mut vm = match env {
            Env::Ethereum(env) => {
                let factory = alloy_evm::EthEvmFactory::default();
                let mut evm = factory.create_evm_with_inspector(db, env, inspector).into_inner();
                storage_only::install(&mut evm.instruction);
                Self::Ethereum(EthEvm::new(evm, true))
            }
            Env::Optimism(env) => {
                let factory = OpEvmFactory::<OpTx>::default();
                let mut evm = factory.create_evm_with_inspector(db, env, inspector).into_inner();
                storage_only::install(&mut evm.0.instruction);
                Self::Optimism(OpEvm::new(evm, true))
            }
        };
        precompiles.install(vm.precompiles_mut());
        vm
    }

    /// Executes a transaction. Its changes are in the result; the database is unchanged.
    pub fn transact(&mut self, tx: TxRequest) -> Result<TxResult, TxError> {
        match self {
            Self::Ethereum(evm) => {
                let ResultAndState { result, state } = evm.transact_raw(tx.0.base)?;
                Ok(ResultAndState { result: result.map_haltreason(OpHaltReason::Base), state })
            }
            Self::Optimism(evm) => Ok(evm.transact_raw(tx)?),
        }
    }

    /// Executes a transaction and applies its changes to the database.
    pub fn transact_commit(
        &mut self,
        tx: TxRequest,
    ) -> Result<ExecutionResult<OpHaltReason>, TxError>
    where
        DB: revm::DatabaseCommit,
    {
        let ResultAndState { result, state } = self.transact(tx)?;
        self.db_mut().commit(state);
        Ok(result)
    }

    /// Switches the inspector on or off.
    pub fn set_inspector_enabled(&mut self, enabled: bool) {
        match self {
            Self::Ethereum(evm) => evm.set_inspector_enabled(enabled),
            Self::Optimism(evm) => evm.set_inspector_enabled(enabled),
        }
    }

    /// The database.
    pub fn db_mut(&mut self) -> &mut DB {
        match self {
            Self::Ethereum(evm) => evm.db_mut(),
            Self::Optimism(evm) => evm.db_mut(),
        }
    }

    /// The inspector.
    pub fn inspector_mut(&mut self) -> &mut I {
        match self {
            Self::Ethereum(evm) => evm.inspector_mut(),
            Self::Optimism(evm) => evm.inspector_mut(),
        }
    }

    /// Database, inspector and precompiles at once.
    pub fn parts_mut(&mut self) -> (&mut DB, &mut I, &mut PrecompilesMap) {
        match self {
            Self::Ethereum(evm) => evm.components_mut(),
            Self::Optimism(evm) => evm.components_mut(),
        }
    }

    /// Active precompiles.
    pub fn precompiles_mut(&mut self) -> &mut PrecompilesMap {
        self.parts_mut().2
    }

    /// Block environment.
    pub fn block(&self) -> &BlockEnv {
        match self {
            Self::Ethereum(evm) => evm.block(),
            Self::Optimism(evm) => evm.block(),
        }
    }

    /// Gives the database and the inspector back.
    pub fn into_parts(self) -> (DB, I) {
        match self {
            Self::Ethereum(evm) => {
                let inner = evm.into_inner();
                (inner.ctx.journaled_state.database, inner.inspector)
            }
            Self::Optimism(evm) => {
                let inner = evm.into_inner().0;
                (inner.ctx.journaled_state.database, inner.inspector)
            }
        }
    }
}

impl From<EvmEnv<SpecId>> for Env {
    fn from(env: EvmEnv<SpecId>) -> Self {
        Self::Ethereum(env)
    }
}

impl From<EvmEnv<OpSpecId>> for Env {
    fn from(env: EvmEnv<OpSpecId>) -> Self {
        Self::Optimism(env)
    }
}
