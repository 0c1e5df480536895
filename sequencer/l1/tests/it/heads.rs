//! Heads, with and without a subscription.

use std::sync::Arc;
use std::time::Duration;

use cairn_l1::{HeadConfig, HeadFollower, Heads};
use serde_json::json;

use crate::anvil::Anvil;
use crate::proxy::{Fault, Proxy};
use crate::reading::quick;

async fn head_at(follower: &HeadFollower, number: u64) -> Heads {
    let mut states = follower.states();
    let reached = |heads: &Heads| heads.latest.number == number;
    let state = states.wait_for(|state| state.heads.as_ref().is_some_and(reached));
    let state = tokio::time::timeout(Duration::from_secs(30), state).await;
    state.expect("the head is reached").unwrap().heads.unwrap()
}

#[tokio::test]
async fn all_three_heads_are_followed() {
    let Some(anvil) = Anvil::start(&["--slots-in-an-epoch", "4"]).await else { return };
    let client = anvil.client();
    let follower = HeadFollower::spawn(Arc::clone(&client), quick());
    assert_eq!(follower.heads().await.unwrap().latest.number, 0);
    anvil.mine(20).await;
    let heads = head_at(&follower, 20).await;
    let numbers = [heads.safe, heads.finalized].map(|head| head.map(|head| head.number));
    assert_eq!(numbers, [Some(16), Some(12)]);
}

#[tokio::test]
async fn a_reorganisation_is_counted_once() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    anvil.mine(10).await;
    let follower = HeadFollower::spawn(anvil.client(), quick());
    let before = head_at(&follower, 10).await;
    assert_eq!(follower.states().borrow().reorgs, 0);
    anvil.reorg(6).await;
    let mut states = follower.states();
    let state = *states.wait_for(|state| state.reorgs > 0).await.unwrap();
    assert_ne!(state.heads.unwrap().latest.hash, before.latest.hash);
    anvil.mine(1).await;
    head_at(&follower, 11).await;
    assert_eq!(follower.states().borrow().reorgs, 1);
}

#[tokio::test]
async fn a_subscription_wakes_the_follower() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let websocket = Some(anvil.url.replace("http", "ws").parse().unwrap());
    // So long that polling alone would fail the test.
    let interval = Duration::from_secs(3600);
    let config = HeadConfig { interval, websocket, ..HeadConfig::default() };
    let follower = HeadFollower::spawn(anvil.client(), config);
    follower.heads().await.unwrap();
    let states = follower.states();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    // Until the subscription stands, blocks go by unheard.
    while states.borrow().heads.unwrap().latest.number == 0 {
        assert!(tokio::time::Instant::now() < deadline, "nothing wakes the follower");
        anvil.mine(1).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dead_subscription_leaves_polling() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let websocket = Some("ws://127.0.0.1:1".parse().unwrap());
    let follower = HeadFollower::spawn(anvil.client(), HeadConfig { websocket, ..quick() });
    anvil.mine(3).await;
    head_at(&follower, 3).await;
}

#[tokio::test]
async fn heads_survive_errors_limits_and_stalls() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let proxy = Proxy::start(&anvil.url).await;
    let mut call = 0;
    proxy.rule(move |_, _, _| {
        call += 1;
        match call {
            1 => Fault::Stall,
            2 => Fault::Status(429, Some("0".to_owned())),
            3 => Fault::Status(502, None),
            4 => Fault::Truncate,
            5 => Fault::Replace(json!({"hash": 7})),
            6 => Fault::Error(-32000, "database is locked"),
            _ => Fault::None,
        }
    });
    anvil.mine(2).await;
    let follower = HeadFollower::spawn(crate::anvil::client(&[&proxy.url], false), quick());
    head_at(&follower, 2).await;
    assert!(proxy.calls().len() > 6);
}
