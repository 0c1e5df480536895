//! Threads for work that blocks, with a bound on what waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::RpcError;

/// A share of the runtime's blocking threads. Clones share it.
///
/// A call that is dropped while it waits costs nothing; one that is dropped while it runs keeps
/// its place until it ends, so that abandoned work counts too.
#[derive(Debug, Clone)]
pub(crate) struct BlockingPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: &'static str,
    threads: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// Counts a call as waiting while it lives.
struct Waiting<'a>(&'a Inner);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl BlockingPool {
    pub(crate) fn new(name: &'static str, threads: usize, waiting_max: usize) -> Self {
        let threads = Arc::new(Semaphore::new(threads.max(1)));
        let waiting = AtomicUsize::new(0);
        Self { inner: Arc::new(Inner { name, threads, waiting, waiting_max }) }
    }

    /// Runs `work` on a thread that may block. Refuses when too many calls wait already.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let permit = match self.inner.threads.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = self.wait()?;
                self.inner.threads.clone().acquire_owned().await.map_err(RpcError::internal)?
            }
        };
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(target: "sequencer::rpc", pool = self.inner.name, %error, "a method crashed");
            Err(RpcError::server("method handler crashed"))
        })
    }

    fn wait(&self) -> Result<Waiting<'_>, RpcError> {
        let inner = &*self.inner;
        let waiting = Waiting(inner);
        if inner.waiting.fetch_add(1, Ordering::Relaxed) >= inner.waiting_max {
            metrics::counter!("sequencer_rpc_busy_total", "pool" => inner.name).increment(1);
            return Err(RpcError::LimitExceeded("server busy, try again".into()));
        }
        Ok(waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn calls_beyond_the_bound_are_refused_and_the_rest_is_served() {
        let pool = BlockingPool::new("test", 1, 1);
        let (release, gate) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let pool = pool.clone();
            async move {
                let work = move || {
                    started.send(()).map_err(RpcError::internal)?;
                    gate.recv().map_err(RpcError::internal)
                };
                pool.run(work).await
            }
        });
        tokio::task::spawn_blocking(move || running.recv()).await.unwrap().unwrap();
        let mut second = Box::pin(pool.run(|| Ok(2)));
        assert!(futures::poll!(&mut second).is_pending());
        let third = pool.run(|| Ok(3)).await;
        assert!(matches!(third, Err(RpcError::LimitExceeded(_))), "{third:?}");
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap(), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_crash_is_an_error_and_gives_the_thread_back() {
        let pool = BlockingPool::new("test", 1, 1);
        let crashed = pool.run::<()>(|| panic!("on purpose")).await;
        assert_eq!(crashed.unwrap_err().to_string(), "method handler crashed");
        assert_eq!(pool.run(|| Ok(1)).await.unwrap(), 1);
    }
}
