//! Methods called as a server would call them, without its ports.

mod fixtures;
mod node;
