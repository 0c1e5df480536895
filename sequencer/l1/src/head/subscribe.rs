//! The subscription that says when to look.

use std::sync::Arc;
use std::time::Duration;

use alloy::providers::{Provider, ProviderBuilder, WsConnect};
use reqwest::Url;
use tokio::sync::Notify;

use crate::rpc::Backoff;

/// Wakes the follower at every new head that the endpoint tells of, and connects again for ever.
pub(super) async fn subscribe(url: Url, silence: Duration, wake: Arc<Notify>) {
    let backoff = Backoff::default();
    let mut failures = 0_u32;
    loop {
        let told = listen(&url, silence, &wake).await;
        // A connection that told of something was a good one.
        failures = if told { 1 } else { failures.saturating_add(1) };
        tokio::time::sleep(backoff.pause(failures)).await;
    }
}

/// Listens until the connection ends or is silent; says whether it told of anything.
async fn listen(url: &Url, silence: Duration, wake: &Notify) -> bool {
    let connect = async {
        let provider =
            ProviderBuilder::new().connect_ws(WsConnect::new(url.as_str())).await.ok()?;
        let subscription = provider.subscribe_blocks().await.ok()?;
        Some((provider, subscription))
    };
    let connected = tokio::time::timeout(silence, connect).await;
    let Ok(Some((_provider, mut subscription))) = connected else {
        tracing::debug!(target: "l1::head", "no subscription");
        return false;
    };
    let mut told = false;
    while let Ok(Ok(_)) = tokio::time::timeout(silence, subscription.recv()).await {
        told = true;
        wake.notify_one();
    }
    told
}
