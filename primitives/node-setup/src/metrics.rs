//! `/metrics`.

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::SetupError;

/// Installs the metrics recorder. Must come before anything that records.
///
/// # Errors
/// [`SetupError::Twice`].
pub fn install_recorder() -> Result<PrometheusHandle, SetupError> {
    let installed = PrometheusBuilder::new().install_recorder();
    installed.map_err(|error| SetupError::Twice(error.to_string()))
}

/// Serves `/metrics` from a recorder.
pub fn metrics_router(recorder: PrometheusHandle) -> Router {
    Router::new().route(
        "/metrics",
        get(move || {
            let recorder = recorder.clone();
            async move {
                recorder.run_upkeep();
                recorder.render()
            }
        }),
    )
}
