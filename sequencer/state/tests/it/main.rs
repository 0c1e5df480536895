//! Tests of the store through its public face.

mod chain;
mod crash;
mod disk_full;
mod fuzz;
mod history;
mod identity;
mod pending;
mod proofs;
mod safe_heads;
mod unwind;
mod verify;
mod views;
