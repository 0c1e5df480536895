//! The `eth` namespace, but for execution, logs and filters.

mod accounts;
mod blob_sidecar;
mod blocks;
mod capabilities;
mod chain_info;
mod fee_history;
mod fork_config;
mod gas_price;
mod precompile_names;
mod receipts;
mod send;
mod state;
mod transactions;

pub use blocks::block_json;
pub(crate) use gas_price::GasPriceCache;
pub use receipts::receipt_views;
pub(crate) use send::{check_disk, is_plain, origin};
pub(crate) use transactions::{find_raw, pool_placement};

use crate::Methods;

/// Adds the methods.
pub(crate) fn register(methods: &mut Methods) {
    chain_info::register(methods);
    blocks::register(methods);
    transactions::register(methods);
    receipts::register(methods);
    state::register(methods);
    gas_price::register(methods);
    fee_history::register(methods);
    fork_config::register(methods);
    capabilities::register(methods);
    accounts::register(methods);
    send::register(methods);
}
