//! Calls of a simulated block.

use alloy_primitives::{Address, U256};
use cairn_evm::revm_types::{Database, DatabaseCommit, EvmState, ExecutionResult, OpHaltReason};
use cairn_evm::trace::SimulatedLog;
use cairn_evm::{Guard, LastStep, TxRequest};
use cairn_primitives::Receipt;

use super::error;
use super::response::CallResult;
use super::simulator::{Open, Simulator};
use super::transaction::UnsignedTx;
use crate::RpcError;
use crate::execution::call_args::CallArgs;
use crate::execution::context::{self, CallFailure};
use crate::execution::message::Message;
use crate::execution::precheck::{self, GAS_PER_BLOB, Refusal, Strictness};
use crate::params::Quantity;

/// What the EVM gave for a call.
type Executed = (ExecutionResult<OpHaltReason>, LastStep, Vec<SimulatedLog>);

impl Simulator {
    pub(super) fn call(&mut self, open: &mut Open, args: CallArgs) -> Result<(), RpcError> {
        let message = self.message(open, args)?;
        let tx = UnsignedTx::new(&message);
        let gas = message.gas;
        let refused = |failure| error::call(failure, gas);
        let (result, last, logs) = self.execute(open, &message).map_err(refused)?;
        self.gas_left = self.gas_left.saturating_sub(result.tx_gas_used());
        open.gas_used = open.gas_used.saturating_add(result.tx_gas_used());
        open.blob_gas_used += message.blobs() as u64 * GAS_PER_BLOB;
        let emitted = if result.is_success() { result.logs().to_vec() } else { Vec::new() };
        let call = CallResult::new(&result, last, logs);
        self.account_for(&tx, &call)?;
        let receipt = Receipt::new(tx.tx_type(), result.is_success(), open.gas_used, emitted);
        open.receipts.push(receipt);
        open.transactions.push(tx);
        open.calls.push(call);
        Ok(())
    }

    /// Keeps the answer within bounds while it is made.
    fn account_for(&mut self, tx: &UnsignedTx, call: &CallResult) -> Result<(), RpcError> {
        const CALL_BYTES: usize = 512;
        const LOG_BYTES: usize = 768;
        let logs: usize = call.logs.iter().map(|log| LOG_BYTES + 2 * log.log.data.data.len()).sum();
        let input = if self.full { 2 * tx.encoded.len() } else { 0 };
        let taken = CALL_BYTES + logs + input + 2 * call.return_data.len();
        let left = self.bytes_left.checked_sub(taken);
        self.bytes_left = left.ok_or_else(|| RpcError::server("simulation result is too large"))?;
        Ok(())
    }

    /// The call with the defaults of its place in the block.
    fn message(&mut self, open: &Open, mut args: CallArgs) -> Result<Message, RpcError> {
        let limit = open.header.gas_limit;
        if args.nonce.is_none() {
            args.nonce = Some(Quantity(self.sender_nonce(args.sender())?));
        }
        let gas = args.gas.get_or_insert(Quantity(limit.saturating_sub(open.gas_used))).0;
        if open.gas_used.checked_add(gas).is_none_or(|used| used > limit) {
            return Err(error::block_gas(open.gas_used, limit));
        }
        Message::new(&args, self.gas_left, open.header.base_fee_per_gas, self.spec.chain_id())
    }

    fn sender_nonce(&mut self, sender: Address) -> Result<u64, RpcError> {
        let account = self.db.basic(sender).map_err(|error| RpcError::from(error.0))?;
        Ok(account.map_or(0, |account| account.nonce))
    }

    fn execute(&mut self, open: &mut Open, message: &Message) -> Result<Executed, CallFailure> {
        let strict = Strictness { nonce: self.validation, base_fee: self.validation };
        let sender = self.db.basic(message.from).map_err(|error| RpcError::from(error.0))?;
        let sender = sender.unwrap_or_default();
        let spec = open.env.spec();
        precheck::check(message, open.env.block(), spec, &sender, strict)
            .map_err(CallFailure::Refused)?;
        if message.gas > self.gas_left {
            return Err(CallFailure::Refused(Refusal::GasPool));
        }
        let request = self.request(open, message)?;
        let logs = std::mem::take(&mut open.logs);
        let guard = Guard::new(logs, self.deadline.interrupt());
        let mut vm = self.evm.vm_with_inspector(&mut self.db, open.env.clone(), guard);
        context::change_precompiles(&mut vm, &open.precompiles);
        let result = vm.transact(request);
        let guard = vm.into_parts().1;
        let call = context::finish(result, guard, message, &self.deadline)?;
        let mut state = call.outcome.state;
        if sender.nonce == u64::MAX && message.to.is_some() {
            wrap_nonce(&mut state, message.from);
        }
        self.commit(state);
        open.logs = call.inspector;
        let logs = open.logs.take();
        Ok((call.outcome.result, call.last, logs))
    }

    /// The message for the EVM. Blobs that mean to cost nothing pay the block's price all the same,
    /// as in geth; only the check of their cap is passed over.
    fn request(&self, open: &Open, message: &Message) -> Result<TxRequest, CallFailure> {
        let mut request = message.request(open.env.spec())?;
        if self.validation || !message.free_blobs {
            return Ok(request);
        }
        let blob = open.env.block().blob_excess_gas_and_price;
        let price = blob.map_or(0, |blob| blob.blob_gasprice);
        let gas = message.blobs() as u64 * GAS_PER_BLOB;
        U256::from(price)
            .checked_mul(U256::from(gas))
            .and_then(|cost| cost.checked_add(message.value))
            .ok_or(CallFailure::Refused(Refusal::FundsOverflow(message.from)))?;
        let cap = &mut request.0.base.max_fee_per_blob_gas;
        *cap = price.max(*cap);
        Ok(request)
    }

    fn commit(&mut self, state: EvmState) {
        for (address, account) in &state {
            if account.is_touched() {
                self.empty.remove(address);
            }
        }
        self.db.commit(state);
    }
}

/// A sender whose nonce is the highest that there is starts again from zero, as in geth.
fn wrap_nonce(state: &mut EvmState, sender: Address) {
    if let Some(account) = state.get_mut(&sender) {
        account.info.nonce = 0;
    }
}
