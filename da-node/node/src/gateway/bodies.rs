//! The memory of request bodies.
//!
//! The first bytes of each body ([`FIRST_ROOM`]) are outside the budget, since the number of connections
//! bounds them: small calls are answered however much room large bodies take. Beyond these, a body has the
//! room of the bytes that arrived, in steps that double. Who announces a length and sends nothing holds
//! nothing. One address holds a quarter of the budget at most, where the server tells it to the handlers
//! (axum's `ConnectInfo`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use cairn_node_setup::network_of;
use cairn_primitives::da::{Refusal, RefusalCode};
use parking_lot::Mutex;

use crate::http::FIRST_ROOM;

/// The budget is for so many addresses at least.
const ADDRESSES: usize = 4;

/// The budget. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Bodies(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    bytes: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The room of one body, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    budget: Arc<Budget>,
    address: Option<IpAddr>,
    bytes: usize,
}

impl Bodies {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Budget { bytes, taken: Mutex::default() }))
    }

    /// Bytes taken by all bodies.
    pub(super) fn taken(&self) -> usize {
        self.0.taken.lock().bytes
    }

    /// Room for the body of a sender, none to begin with. What has no address counts in all alone.
    pub(super) fn room(&self, address: Option<IpAddr>) -> Room {
        Room { budget: self.0.clone(), address: address.map(network_of), bytes: 0 }
    }
}

impl Room {
    /// Grows to a body of so many bytes.
    ///
    /// # Errors
    /// [`RefusalCode::Busy`] if they are not there, or are more than one address may hold.
    pub(super) fn grow(&mut self, body: usize) -> Result<(), Refusal> {
        let more = body.saturating_sub(FIRST_ROOM).saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let mut taken = self.budget.taken.lock();
        let of_all = taken.bytes.saturating_add(more);
        if of_all > self.budget.bytes {
            let message = format!("{} bytes of requests are in memory", taken.bytes);
            return Err(Refusal::new(RefusalCode::Busy, message));
        }
        if let Some(address) = self.address {
            let held = taken.by_address.get(&address).copied().unwrap_or_default();
            let of_address = held.saturating_add(more);
            if of_address > self.budget.bytes / ADDRESSES {
                let message = format!("{held} bytes of requests of {address} are in memory");
                return Err(Refusal::new(RefusalCode::Busy, message));
            }
            taken.by_address.insert(address, of_address);
        }
        taken.bytes = of_all;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.budget.taken.lock();
        taken.bytes -= self.bytes;
        let Some(address) = self.address else { return };
        if let Entry::Occupied(mut held) = taken.by_address.entry(address) {
            *held.get_mut() -= self.bytes;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

/// Who sends a request, where the server says so.
pub(super) fn sender(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(address)| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: usize = 1000;

    fn room(bodies: &Bodies, address: &str) -> Room {
        bodies.room(Some(address.parse().unwrap()))
    }

    #[test]
    fn the_first_bytes_of_each_body_are_free() {
        let bodies = Bodies::new(0);
        let mut room = room(&bodies, "10.0.0.1");
        room.grow(FIRST_ROOM).unwrap();
        assert_eq!(room.grow(FIRST_ROOM + 1).unwrap_err().code, RefusalCode::Busy);
    }

    #[test]
    fn one_address_holds_a_quarter_and_gives_it_back() {
        let bodies = Bodies::new(4 * UNIT);
        let grow = |room: &mut Room, units: usize| room.grow(FIRST_ROOM + units * UNIT);
        let mut first = room(&bodies, "2001:db8::1");
        let mut second = room(&bodies, "2001:db8::2");
        grow(&mut first, 1).unwrap();
        let refusal = grow(&mut second, 1).unwrap_err();
        assert!(refusal.message.contains("of 2001:db8::"), "{refusal}");
        drop(first);
        grow(&mut second, 1).unwrap();
        grow(&mut second, 1).unwrap();
        assert!(grow(&mut second, 2).is_err());
        // A refusal takes nothing.
        let others: Vec<_> = (0..3)
            .map(|number| {
                let mut other = room(&bodies, &format!("10.0.0.{number}"));
                grow(&mut other, 1).unwrap();
                other
            })
            .collect();
        let refusal = grow(&mut room(&bodies, "10.0.0.9"), 1).unwrap_err();
        assert!(refusal.message.starts_with("4000 bytes"), "{refusal}");
        drop((second, others));
        let taken = bodies.0.taken.lock();
        assert_eq!((taken.bytes, taken.by_address.len()), (0, 0));
    }

    #[test]
    fn without_addresses_the_whole_is_shared() {
        let bodies = Bodies::new(2 * UNIT);
        let mut rooms = [(); 3].map(|()| bodies.room(None));
        let grown = rooms.each_mut().map(|room| room.grow(FIRST_ROOM + UNIT).is_ok());
        assert_eq!(grown, [true, true, false]);
    }
}
