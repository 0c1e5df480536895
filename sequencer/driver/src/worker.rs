//! A thread that drives one future: for work that decodes, compresses, executes or waits for the disk,
//! and so must not hold the threads of the runtime.

use std::io;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::watch;

/// A running thread. Dropping it tells the thread to end and waits for it.
#[derive(Debug)]
pub(crate) struct Worker {
    name: &'static str,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What the future is told to end by.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Resolves when the thread is to end.
    pub(crate) async fn asked(&mut self) {
        // An error means that the worker is gone, which ends the thread as well.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether the thread is to end.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }
}

impl Worker {
    /// Starts the thread. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub(crate) fn spawn<F>(
        name: &'static str,
        work: impl FnOnce(Stop) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()>,
    {
        let (stop, stopped) = watch::channel(false);
        let runtime = Handle::current();
        let run = move || runtime.block_on(work(Stop(stopped)));
        let thread = std::thread::Builder::new().name(name.into()).spawn(run)?;
        Ok(Self { name, stop, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "driver", name = self.name, "a thread panicked");
        }
    }
}
