//! Reading and sending against a real anvil, with faults from a proxy in front of it.

mod anvil;
mod blobs;
mod faults;
mod heads;
mod proxy;
mod reading;
mod schedule;
mod sending;
mod transport;
