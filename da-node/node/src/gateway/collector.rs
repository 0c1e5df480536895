//! The task that puts submissions together and has them dispersed.

use alloy_primitives::B256;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::service::WeakGateway;
use super::{Assembler, AssemblerLimits, Assembly, SubmissionState};

/// A payload on its way to a matrix.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) submission: B256,
    pub(super) payload: Vec<u8>,
}

/// Runs until the gateway is gone.
pub(super) async fn run(
    gateway: WeakGateway,
    mut submitted: mpsc::Receiver<Submitted>,
    limits: AssemblerLimits,
) {
    let started = Instant::now();
    let mut assembler = Assembler::new(limits);
    loop {
        let due = assembler.due().map(|due| started + due);
        let complete = tokio::select! {
            next = submitted.recv() => match next {
                Some(Submitted { submission, payload }) => {
                    assembler.push(submission, payload, started.elapsed())
                }
                None => return,
            },
            () = sleep_until(due) => assembler.close(started.elapsed()).into_iter().collect(),
        };
        for assembly in complete {
            let Some(gateway) = gateway.upgrade() else { return };
            tokio::spawn(disperse(gateway, assembly));
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn disperse(gateway: super::Gateway, assembly: Assembly) {
    let Assembly { payload, parts } = assembly;
    let result = gateway.disperse(payload.into()).await;
    if let Err(error) = &result {
        tracing::warn!(target: "da::gateway", %error, payloads = parts.len(), "not dispersed");
    }
    for part in parts {
        let state = match &result {
            Ok(done) => SubmissionState::Certified {
                blob: gateway.blob_of(&done.certificate.header, part.offset, part.length),
            },
            Err(error) => SubmissionState::Failed { reason: error.to_string() },
        };
        gateway.settle(part.submission, part.length, state);
    }
}
