//! What runs in the background, and how its end becomes known.
//!
//! A [`Worker`] is a thread that drives one future: for work that decodes, compresses, executes or waits
//! for the disk, and so must not hold the threads of the runtime. A [`Task`] is a task of the runtime.
//! Whoever holds one learns from it that it has failed or panicked, since a node without one of its
//! parts looks well from outside.

use std::any::Any;
use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError};

/// A running thread. Dropping it tells the thread to end and waits for it.
#[derive(Debug)]
pub(crate) struct Worker {
    stop: watch::Sender<bool>,
    ended: Ended,
    thread: Option<JoinHandle<()>>,
}

/// What the future is told to end by.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Why something has ended that was not told to. Stays empty otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Ended(watch::Receiver<Option<String>>);

/// A task of the runtime. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Task {
    work: AbortHandle,
    ended: Ended,
}

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

impl Ended {
    /// The reason, if there is one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Waits for it.
    #[cfg(test)]
    pub(crate) async fn wait(&self) -> String {
        let mut reasons = self.0.clone();
        let reason = reasons.wait_for(Option::is_some).await.map(|reason| reason.clone());
        reason.ok().flatten().expect("it has not failed")
    }
}

impl Worker {
    /// Starts the thread. Must be called within a tokio runtime. A future that returns before it is
    /// asked to has failed, whatever it returns.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub(crate) fn spawn<F, E>(
        name: &'static str,
        work: impl FnOnce(Stop) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = Result<(), E>>,
        E: Display,
    {
        let (stop, stopped) = watch::channel(false);
        let (say, ended) = watch::channel(None);
        let runtime = Handle::current();
        let run = move || {
            let stop = Stop(stopped);
            let work = AssertUnwindSafe(|| runtime.block_on(work(stop.clone())));
            let reason = match catch_unwind(work) {
                Ok(Ok(())) if stop.is_asked() => return,
                Ok(Ok(())) => "it returned without being told to".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panicked(&*panic),
            };
            tell(&say, name, reason);
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(run)?;
        Ok(Self { stop, ended: Ended(ended), thread: Some(thread) })
    }

    /// Whether and why it has ended without being told to.
    pub(crate) const fn ended(&self) -> &Ended {
        &self.ended
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // Its panics were caught and told of.
            let _ = thread.join();
        }
    }
}

impl Task {
    /// Starts the task. Must be called within a tokio runtime. Returning `Ok` is no failure.
    pub(crate) fn spawn(
        name: &'static str,
        work: impl Future<Output = Result<(), String>> + Send + 'static,
    ) -> Self {
        let (say, ended) = watch::channel(None);
        let running = tokio::spawn(work);
        let work = running.abort_handle();
        tokio::spawn(async move {
            let reason = match running.await {
                Ok(returned) => returned.err(),
                Err(error) => panic_of(error),
            };
            if let Some(reason) = reason {
                tell(&say, name, reason);
            }
        });
        Self { work, ended: Ended(ended) }
    }

    /// Whether and why it has failed.
    pub(crate) const fn ended(&self) -> &Ended {
        &self.ended
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// The panic that a task ended with; `None` for one that was told to end.
pub(crate) fn panic_of(error: JoinError) -> Option<String> {
    error.try_into_panic().ok().map(|panic| panicked(&*panic))
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("of unknown kind"))
}

fn tell(say: &watch::Sender<Option<String>>, name: &'static str, reason: String) {
    metrics::counter!("cairn_driver_tasks_ended_total", "task" => name).increment(1);
    tracing::error!(target: "driver", name, reason, "a part of the node has ended");
    say.send_replace(Some(reason));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thread_that_panics_says_so() {
        let worker = Worker::spawn("test", |stop| async move {
            tokio::task::yield_now().await;
            assert!(stop.is_asked(), "nobody asked");
            Ok::<_, String>(())
        });
        let worker = worker.unwrap();
        assert_eq!(worker.ended().wait().await, "panic: nobody asked");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thread_that_fails_or_returns_of_itself_has_ended() {
        let failing = Worker::spawn("test", |_| async { Err("no L1") }).unwrap();
        assert_eq!(failing.ended().wait().await, "no L1");
        let done = Worker::spawn("test", |_| async { Ok::<_, String>(()) }).unwrap();
        assert_eq!(done.ended().wait().await, "it returned without being told to");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thread_that_is_told_to_end_has_not_failed() {
        let worker = Worker::spawn("test", |mut stop| async move {
            stop.asked().await;
            Ok::<_, String>(())
        });
        let worker = worker.unwrap();
        let mut ended = worker.ended().clone();
        assert_eq!(ended.reason(), None);
        tokio::task::spawn_blocking(move || drop(worker)).await.unwrap();
        assert!(ended.0.changed().await.is_err(), "the thread is gone and has said nothing");
        assert_eq!(ended.reason(), None);
    }

    #[tokio::test]
    async fn a_task_that_panics_says_so_and_one_that_is_dropped_does_not() {
        let task = Task::spawn("test", async { panic!("number {}", 7) });
        assert_eq!(task.ended().wait().await, "panic: number 7");
        let task = Task::spawn("test", async { Err("no L1".to_owned()) });
        assert_eq!(task.ended().wait().await, "no L1");
        let (held, mut gone) = tokio::sync::mpsc::channel::<()>(1);
        let task = Task::spawn("test", async move {
            let _held = held;
            std::future::pending().await
        });
        let mut ended = task.ended().clone();
        drop(task);
        let ending = tokio::time::timeout(Duration::from_secs(20), gone.recv());
        assert_eq!(ending.await.unwrap(), None, "it was ended");
        assert!(ended.0.changed().await.is_err(), "and has said nothing");
    }
}
