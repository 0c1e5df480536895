//! Changes of the canonical chain, for subscribers.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use crate::ExecutedBlock;

/// Events that a slow subscriber may lag behind before it loses some.
const CAPACITY: usize = 256;

/// A change of the canonical chain.
#[derive(Debug, Clone)]
pub enum ChainEvent {
    /// Blocks were appended.
    Extended(Arc<[ExecutedBlock]>),
    /// Blocks were removed from the tip, newest first, and others appended in their place, oldest
    /// first.
    Reorged {
        /// Blocks that are canonical no more; only those that were still in memory.
        removed: Arc<[ExecutedBlock]>,
        /// Blocks that took their place; may be empty.
        added: Arc<[ExecutedBlock]>,
    },
}

/// Where subscribers listen. A receiver that lags gets `RecvError::Lagged` and goes on.
#[derive(Debug, Clone)]
pub struct ChainEvents(broadcast::Sender<ChainEvent>);

impl Default for ChainEvents {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl ChainEvents {
    /// Starts listening.
    pub fn subscribe(&self) -> broadcast::Receiver<ChainEvent> {
        self.0.subscribe()
    }

    pub(crate) fn send(&self, event: ChainEvent) {
        // No receiver is no error: nobody listens.
        let _ = self.0.send(event);
    }
}

/// Who is to be woken when blocks were removed from the chain, or put onto it by somebody else.
#[derive(Default)]
pub(crate) struct HeadWaker(Mutex<Option<Box<dyn Fn() + Send>>>);

impl std::fmt::Debug for HeadWaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HeadWaker").field(&self.0.lock().is_some()).finish()
    }
}

impl HeadWaker {
    pub(crate) fn set(&self, wake: impl Fn() + Send + 'static) {
        *self.0.lock() = Some(Box::new(wake));
    }

    pub(crate) fn wake(&self) {
        if let Some(wake) = &*self.0.lock() {
            wake();
        }
    }
}
