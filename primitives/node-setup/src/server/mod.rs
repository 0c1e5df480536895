//! An HTTP listener with bounds: connections in all and of each peer, time for headers and bodies to come and for
//! answers to be taken, graceful stop.

mod limits;
mod listener;
mod peers;
mod prompt_reader;

pub use limits::ServerLimits;
pub use listener::Server;
pub use peers::network_of;
