//! Reporting who signs to a real registry, and having the silent ejected.

mod scene;

use std::time::{Duration, Instant};

use alloy_primitives::Address;
use cairn_da_client::registry::RegistryError;
use cairn_da_node::l1::{Reporter, ReporterConfig};
use cairn_test_setup::{Act, Answer, Proxy};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::following::PATIENCE;
use crate::l1::account;
use scene::{ACTIVE, EJECTED, Scene, sender};

/// Certificates that make a rate.
const ENOUGH: u64 = 12;

#[tokio::test]
async fn exactly_the_silent_operator_is_ejected() {
    let Some(mut scene) = Scene::start(5).await else { return };
    let recorder = PrometheusBuilder::new().build_recorder();
    let shown = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let silent = account(3).address();
    scene.send_certificates(6, &[3]).await;
    scene.send_calldata(1).await;
    scene.send_certificates(6, &[3]).await;
    scene.send_calldata(1).await;

    let mut reporter = scene.reporter(1);
    scene.settle(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, 0, "the epoch has not ended");
    scene.end_epoch().await;
    let report = scene.until_sent(&mut reporter).await;
    assert_eq!(report.len(), 1);
    assert_eq!(scene.next_to_report().await, 13, "the batch of calldata is walked over");
    assert_eq!(scene.rate(silent).await, (ENOUGH, 0));
    assert_eq!(scene.rate(account(0).address()).await, (ENOUGH, ENOUGH));

    // The silent operator sees it, and does not eject itself.
    scene.settle(&mut scene.reporter(3)).await;
    assert_eq!(scene.state(silent).await, ACTIVE);
    let text = shown.render();
    assert!(text.contains("da_signing_certificates 12"), "{text}");
    assert!(text.contains("da_signing_signed 0"), "{text}");

    let ejection = scene.until_sent(&mut reporter).await;
    assert_eq!(ejection.len(), 1);
    for number in 0..5 {
        let expected = if number == 3 { EJECTED } else { ACTIVE };
        assert_eq!(scene.state(account(number).address()).await, expected, "operator {number}");
    }
    let text = shown.render();
    assert!(text.contains("da_signers_reported_total 12"), "{text}");
    assert!(text.contains("da_operators_ejected_total 1"), "{text}");

    // Neither this one nor another one finds anything to do.
    scene.settle(&mut reporter).await;
    scene.settle(&mut scene.reporter(2)).await;
    assert_eq!(scene.next_to_report().await, 13);
}

#[tokio::test]
async fn reporters_of_one_moment_do_no_harm() {
    let Some(mut scene) = Scene::start(5).await else { return };
    scene.send_certificates(ENOUGH, &[0]).await;
    scene.end_epoch().await;
    let (mut one, mut other) = (scene.reporter(1), scene.reporter(2));
    scene.stop_mining().await;
    // First the report, then the ejection: of the two in a block one does it and one reverts.
    for state in [ACTIVE, EJECTED] {
        let (first, second, ()) = tokio::join!(one.poll(), other.poll(), scene.mine_both());
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.len(), second.len()), (1, 1));
        let succeeded = [scene.succeeded(first[0]).await, scene.succeeded(second[0]).await];
        assert!(succeeded.contains(&true) && succeeded.contains(&false), "{succeeded:?}");
        assert_eq!(scene.state(account(0).address()).await, state);
        scene.mine().await;
    }
    assert_eq!(scene.next_to_report().await, ENOUGH);
    assert_eq!(scene.rate(account(1).address()).await, (ENOUGH, ENOUGH));
}

#[tokio::test]
async fn no_more_is_ejected_in_an_epoch_than_the_registry_allows() {
    let Some(mut scene) = Scene::start(6).await else { return };
    let silent = [account(0).address(), account(1).address()];
    scene.send_certificates(ENOUGH, &[0, 1]).await;
    scene.end_epoch().await;
    let mut reporter = scene.reporter(2);
    scene.until_sent(&mut reporter).await;
    assert_eq!(scene.until_sent(&mut reporter).await.len(), 1);
    scene.settle(&mut reporter).await;
    let states = [scene.state(silent[0]).await, scene.state(silent[1]).await];
    assert!(states.contains(&EJECTED) && states.contains(&ACTIVE), "{states:?}");
    scene.end_epoch().await;
    assert_eq!(scene.until_sent(&mut reporter).await.len(), 1);
    assert_eq!((scene.state(silent[0]).await, scene.state(silent[1]).await), (EJECTED, EJECTED));
}

#[tokio::test]
async fn an_operator_without_which_there_is_no_quorum_stays() {
    let Some(mut scene) = Scene::start(4).await else { return };
    scene.send_certificates(ENOUGH, &[0]).await;
    scene.end_epoch().await;
    let mut reporter = scene.reporter(1);
    scene.until_sent(&mut reporter).await;
    scene.settle(&mut reporter).await;
    assert_eq!(scene.rate(account(0).address()).await, (ENOUGH, 0));
    assert_eq!(scene.state(account(0).address()).await, ACTIVE);
}

#[tokio::test]
async fn full_groups_are_reported_before_the_epoch_ends() {
    let Some(mut scene) = Scene::start(4).await else { return };
    scene.send_certificates(40, &[]).await;
    let mut reporter = scene.reporter(1);
    scene.pass(200).await;
    let report = scene.until_sent(&mut reporter).await;
    assert_eq!(report.len(), 1);
    assert_eq!(scene.next_to_report().await, 32);
    let used = scene.gas_used(report[0]).await;
    println!("a report of 32 certificates takes {used} gas");
    assert!(used < 600_000, "{used} gas");
    scene.settle(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, 32);
}

#[tokio::test]
async fn a_way_that_is_too_long_is_passed_over_first() {
    let Some(mut scene) = Scene::start(4).await else { return };
    scene.send_calldata(510).await;
    scene.send_certificates(2, &[]).await;
    scene.end_epoch().await;
    let mut reporter = scene.reporter(1);
    scene.until_sent(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, 510, "the first certificate");
    scene.until_sent(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, 512);
}

#[tokio::test]
async fn reports_and_batches_that_l1_takes_back_are_done_again() {
    let Some(mut scene) = Scene::start(5).await else { return };
    let mut reporter = scene.reporter(1);
    let empty = scene.snapshot().await;
    scene.send_certificates(ENOUGH, &[0]).await;
    scene.end_epoch().await;
    scene.bury().await;
    let appended = scene.snapshot().await;
    scene.until_sent(&mut reporter).await;
    scene.settle(&mut reporter).await;
    assert_eq!(scene.state(account(0).address()).await, EJECTED);

    // The reports are gone, and the ejection with them.
    scene.revert(appended).await;
    scene.pass(200).await;
    assert_eq!(scene.next_to_report().await, 0);
    scene.settle(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, ENOUGH);
    assert_eq!(scene.rate(account(0).address()).await, (ENOUGH, 0));

    // The batches are gone, and in their place there are others with other signers.
    scene.revert(empty).await;
    scene.send_calldata(1).await;
    scene.send_certificates(ENOUGH + 2, &[1]).await;
    scene.end_epoch().await;
    scene.settle(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, ENOUGH + 3);
    assert_eq!(scene.rate(account(0).address()).await, (ENOUGH + 2, ENOUGH + 2));
    assert_eq!(scene.rate(account(1).address()).await, (ENOUGH + 2, 0));
}

#[tokio::test]
async fn logs_that_an_l1_left_out_are_read_again() {
    let Some(mut scene) = Scene::start(4).await else { return };
    let proxy = Proxy::start(&scene.l1.url, 0).await.unwrap();
    let mut reporter = Reporter::new(sender(proxy.url(), 1), scene.config(1));
    scene.send_certificates(1, &[]).await;
    proxy.set(|passing| match passing.call() {
        Some(call) if call["method"] == "eth_getLogs" => {
            let answer = serde_json::json!({"jsonrpc": "2.0", "id": call["id"], "result": []});
            Act::Answer(Answer::ok(answer.to_string()))
        }
        _ => Act::Pass,
    });
    scene.bury().await;
    scene.settle(&mut reporter).await;
    assert!(proxy.faults() > 0);
    proxy.pass();
    scene.send_certificates(1, &[]).await;
    scene.end_epoch().await;
    assert!(reporter.poll().await.unwrap().is_empty(), "the first one is missing");
    scene.mine().await;
    assert_eq!(reporter.poll().await.unwrap().len(), 1);
    assert_eq!(scene.next_to_report().await, 2);
}

#[tokio::test]
async fn a_certificate_through_another_contract_is_told_of_once() {
    let Some(mut scene) = Scene::start_behind_forwarder(4).await else { return };
    let recorder = PrometheusBuilder::new().build_recorder();
    let shown = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    scene.send_certificates(2, &[]).await;
    scene.end_epoch().await;
    let mut reporter = scene.reporter(1);
    scene.settle(&mut reporter).await;
    scene.mine().await;
    scene.settle(&mut reporter).await;
    assert_eq!(scene.next_to_report().await, 0);
    let text = shown.render();
    assert!(text.contains("da_signers_unreportable_total 1"), "{text}");
}

#[tokio::test]
async fn an_l1_that_fails_at_any_request_is_asked_again() {
    let Some(mut scene) = Scene::start(5).await else { return };
    scene.send_certificates(ENOUGH, &[0]).await;
    scene.end_epoch().await;
    let proxy = Proxy::start(&scene.l1.url, 0).await.unwrap();
    let mut reporter = Reporter::new(sender(proxy.url(), 1), scene.config(1));
    let mut failures = 0;
    for failing in 0.. {
        let mut request = 0;
        proxy.set(move |_| {
            request += 1;
            if request == failing + 1 { Act::Answer(Answer::status(503)) } else { Act::Pass }
        });
        match reporter.poll().await {
            Ok(_) => scene.mine().await,
            Err(RegistryError::Provider(_)) => failures += 1,
            Err(error) => panic!("request {failing}: {error}"),
        }
        if scene.state(account(0).address()).await == EJECTED {
            break;
        }
        assert!(failing < 500, "nothing is ejected");
    }
    assert!(failures > 20, "only {failures} polls failed");
    assert_eq!(scene.next_to_report().await, ENOUGH);
    assert_eq!(scene.rate(account(0).address()).await, (ENOUGH, 0));
}

#[tokio::test]
async fn a_node_with_an_account_and_an_inbox_reports() {
    let Some(mut scene) = Scene::start(5).await else { return };
    scene.send_certificates(ENOUGH, &[0]).await;
    scene.end_epoch().await;
    let mut node = scene.node(1, scene.l1.registry);
    let start = Instant::now();
    while scene.state(account(0).address()).await != EJECTED {
        assert!(node.try_wait().is_none(), "the node ended");
        assert!(start.elapsed() < PATIENCE, "nobody is ejected");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(scene.rate(account(0).address()).await, (ENOUGH, 0));
    drop(node);
    // With an inbox that belongs to another registry it does not run.
    let mut node = scene.node(2, Address::repeat_byte(6));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = node.try_wait() {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "the node runs");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(!status.success());
}

#[tokio::test]
async fn a_wrong_inbox_is_told_apart() {
    let Some(scene) = Scene::start(4).await else { return };
    let provider = || sender(&scene.l1.url, 1);
    let nowhere = ReporterConfig { inbox: Address::repeat_byte(5), ..scene.config(1) };
    let missing = Reporter::new(provider(), nowhere).poll().await.unwrap_err();
    assert!(matches!(missing, RegistryError::NoInbox(inbox) if inbox == nowhere.inbox));
    let other = ReporterConfig { registry: Address::repeat_byte(6), ..scene.config(1) };
    let wrong = Reporter::new(provider(), other).poll().await.unwrap_err();
    // Where the confirmed block is older than the inbox there are no batches yet.
    let early = ReporterConfig { confirmations: 100_000, ..scene.config(1) };
    assert!(Reporter::new(provider(), early).poll().await.unwrap().is_empty());
    assert!(
        matches!(wrong, RegistryError::OtherRegistry { found, .. } if found == scene.l1.registry),
        "{wrong}"
    );
}
