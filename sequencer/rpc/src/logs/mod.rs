//! Logs: queries, filters and subscriptions.

mod bloom_bits;
mod criteria;
mod feed;
mod filters;
mod query;
mod subscribe;
mod table;

pub(crate) use feed::feed_filters;
pub(crate) use filters::{Filters, random_id};

use crate::Methods;

/// Adds the methods and subscriptions.
pub(crate) fn register(methods: &mut Methods) {
    query::register(methods);
    filters::register(methods);
    subscribe::register(methods);
}
