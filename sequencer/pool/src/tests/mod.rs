//! Tests of the pool through its public face, and a check of everything it keeps inside.

mod admission;
mod blocks;
mod builder;
mod check;
mod crash;
mod decoding;
mod delegation;
mod journal;
mod limits;
mod model;
mod recovery;
mod replacement;
mod sub_pools;
mod support;
