//! Free TCP ports on the loopback interface.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use eyre::{WrapErr, eyre};

/// Ports given out by this process. The kernel may offer a port again while the
/// node it was meant for has not bound it yet.
static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

const ATTEMPTS: usize = 64;

/// A loopback port nobody listens on and this function has not returned before.
///
/// # Errors
/// When the kernel has no port to give.
pub fn free_port() -> eyre::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..ATTEMPTS {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).wrap_err("no free loopback port")?;
        let port = listener.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
    Err(eyre!("the kernel offered only ports that are already given out"))
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
