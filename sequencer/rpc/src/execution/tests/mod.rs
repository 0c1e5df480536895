//! Methods called as a server would call them, without its ports.

mod calls;
mod fixtures;
mod foreign_blocks;
mod node;
mod random;
mod scans;
mod simulations;
mod traces;
