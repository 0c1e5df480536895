//! The suites on the fixtures, and what the runners must notice.

mod blocks;
mod differential;
mod runners;
mod scratch;
mod suites;
