//! Free TCP ports on the loopback interface.

use std::collections::HashSet;
use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Ports given out by this process. The node that one was meant for may not have bound it yet.
static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// Below the ports that systems give to outgoing connections: one of those could take a port between
/// its choice here and its use.
const RANGE: std::ops::Range<u16> = 10_240..32_000;
const ATTEMPTS: usize = 1024;

/// A loopback port nobody listens on and this function has not returned before. Chosen at random, so
/// that processes beside one another seldom choose the same.
///
/// # Errors
/// When none is found.
pub fn free_port() -> std::io::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..ATTEMPTS {
        let port = rand::random_range(RANGE);
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if is_free && given.insert(port) {
            return Ok(port);
        }
    }
    let none = format!("no free loopback port among {ATTEMPTS} tried");
    Err(Error::new(ErrorKind::AddrInUse, none))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_gives_the_same_port_twice() {
        let ports: Vec<u16> = (0..50).map(|_| free_port().expect("a port is free")).collect();
        let distinct: HashSet<u16> = ports.iter().copied().collect();
        assert_eq!(distinct.len(), ports.len());
    }

    #[test]
    fn the_port_can_be_bound() {
        let port = free_port().expect("a port is free");
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("nobody listens on it");
    }
}
