//! Methods that run the EVM: calls, estimates, simulations and traces.
//!
//! They follow geth (`internal/ethapi`, `eth/gasestimator`, `eth/tracers`) in defaults, order of
//! checks and texts. Each run is bounded in gas, in time and in what it may record, and ends early
//! when its caller has gone.
//!
//! Gas bounds the EVM's memory as well. Memory of `w` words costs `3w + w²/512` gas, and a frame
//! hands on at most 63/64 of what it has left, so the frames of one execution with gas `G` hold
//! less than `32 · √(512 · 64 · G)` bytes together, whatever the code does: 41 MB under the default
//! cap of 50 M gas, 183 MB for a transaction that fills a block of 1 G gas. The interpreter keeps it
//! in one buffer that grows by doubling, which takes up to three times as much for a moment. Code that
//! is loaded adds at most 24 KiB for 2600 gas, of contracts that somebody paid 200 gas a byte for.

mod access_list;
mod block_override;
mod call;
mod call_args;
mod caller;
mod context;
mod debug;
mod estimate;
mod message;
mod parity;
mod precheck;
mod simulate;
mod state_override;
#[cfg(test)]
mod tests;
mod witness;

use crate::Methods;
use caller::add;

/// Adds the methods to the table.
pub fn register(methods: &mut Methods) {
    add(methods, "eth_call", 4, call::call);
    add(methods, "eth_estimateGas", 4, estimate::estimate_gas);
    add(methods, "eth_createAccessList", 4, access_list::create_access_list);
    add(methods, "eth_simulateV1", 2, simulate::simulate_v1);
    add(methods, "debug_traceTransaction", 2, debug::trace_transaction);
    add(methods, "debug_traceBlock", 2, debug::trace_block);
    add(methods, "debug_traceBlockByHash", 2, debug::trace_block_by_hash);
    add(methods, "debug_traceBlockByNumber", 2, debug::trace_block_by_number);
    add(methods, "debug_traceCall", 3, debug::trace_call);
    add(methods, "debug_executionWitness", 1, witness::execution_witness);
    add(methods, "trace_transaction", 1, parity::transaction);
    add(methods, "trace_get", 2, parity::get);
    add(methods, "trace_block", 1, parity::block);
    add(methods, "trace_replayTransaction", 2, parity::replay_transaction);
    add(methods, "trace_replayBlockTransactions", 2, parity::replay_block);
    add(methods, "trace_call", 3, parity::call);
}
