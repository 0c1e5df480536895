//! Faults on purpose, for tests and benchmarks of networks: delay, and answers that fail.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use cairn_primitives::da::{Refusal, RefusalCode};

use super::refuse::Refused;

/// What is done to every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Injection {
    /// Time that a request takes to come and its answer to go, each.
    pub delay: Duration,
    /// Of a hundred requests, those that are answered with 503.
    pub failures_percent: u8,
}

/// Puts faults in front of a router.
pub fn inject(router: Router, injection: Injection) -> Router {
    if injection == Injection::default() {
        return router;
    }
    router.layer(from_fn(move |request: Request, next: Next| async move {
        tokio::time::sleep(injection.delay).await;
        let response = if rand::random_range(0..100) < injection.failures_percent {
            fail()
        } else {
            next.run(request).await
        };
        tokio::time::sleep(injection.delay).await;
        response
    }))
}

fn fail() -> Response {
    Refused(Refusal::new(RefusalCode::Busy, "this failure was asked for")).into_response()
}
