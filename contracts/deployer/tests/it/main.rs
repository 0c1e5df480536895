//! Deployments to a real L1: anvil. Needs the npm packages of `contracts/`.

mod anvil;
mod cli;
mod deployment;
mod failures;
mod resumption;
