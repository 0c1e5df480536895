//! What providers ask of the endpoints.

use alloy::eips::BlockNumberOrTag;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::transports::{RpcError, TransportError};
use alloy_primitives::{Address, B256, U256, address};
use serde_json::json;

use crate::anvil::{Anvil, client};
use crate::proxy::{Fault, Proxy};

const CALL: &str = "eth_call";
const REVERTING: Address = address!("00000000000000000000000000000000000000aa");
const ANSWERING: Address = address!("00000000000000000000000000000000000000bb");

/// anvil with a contract that reverts with a word of 1 and one that gives it, and a proxy.
async fn contracts() -> Option<(Anvil, Proxy)> {
    let anvil = Anvil::start(&[]).await?;
    anvil.rpc("anvil_setCode", json!([REVERTING, "0x60015f5260205ffd"])).await;
    anvil.rpc("anvil_setCode", json!([ANSWERING, "0x60015f5260205ff3"])).await;
    let proxy = Proxy::start(&anvil.url).await;
    Some((anvil, proxy))
}

fn call(to: Address) -> TransactionRequest {
    TransactionRequest::default().to(to)
}

fn asked(proxy: &Proxy) -> usize {
    proxy.calls().iter().filter(|method| *method == CALL).count()
}

fn word(number: u8) -> Vec<u8> {
    B256::with_last_byte(number).to_vec()
}

#[tokio::test]
async fn a_call_that_reverts_has_its_answer() {
    let Some((anvil, proxy)) = contracts().await else { return };
    let second = Proxy::start(&anvil.url).await;
    let provider = client(&[&proxy.url, &second.url], false).provider();
    assert_eq!(provider.call(call(ANSWERING)).await.unwrap(), word(1));
    let error = provider.call(call(REVERTING)).await.unwrap_err();
    let RpcError::ErrorResp(error) = error else { panic!("{error}") };
    assert_eq!(error.as_revert_data().unwrap(), word(1), "{error}");
    assert_eq!((asked(&proxy), asked(&second)), (2, 0));
}

#[tokio::test]
async fn a_refusal_goes_to_the_next_endpoint_and_pauses_nobody() {
    let Some((anvil, proxy)) = contracts().await else { return };
    let provider = client(&[&proxy.url, &anvil.url], false).provider();
    proxy.hold_with(CALL, Fault::Error(-32000, "header not found"));
    for times in 1..=3 {
        assert_eq!(provider.call(call(ANSWERING)).await.unwrap(), word(1));
        assert_eq!(asked(&proxy), times, "it is asked each time");
    }
    // With nobody else the error says what it said.
    let provider = client(&[&proxy.url], false).provider();
    let error = provider.call(call(ANSWERING)).await.unwrap_err();
    assert!(matches!(error, RpcError::Transport(_)), "{error}");
    assert!(error.to_string().contains("header not found"), "{error}");
    proxy.release();
    assert_eq!(provider.call(call(ANSWERING)).await.unwrap(), word(1));
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone_for_a_while() {
    let Some((anvil, proxy)) = contracts().await else { return };
    let limited = || Fault::Status(429, Some("2".into()));
    for fault in [limited(), Fault::Error(-32005, "limit exceeded")] {
        proxy.hold_with(CALL, fault);
        let client = client(&[&proxy.url, &anvil.url], false);
        assert_eq!(client.provider().call(call(ANSWERING)).await.unwrap(), word(1));
    }
    // Whoever asks next knows of it: blocks and contracts have the same endpoints.
    proxy.hold_with(CALL, limited());
    let client = client(&[&proxy.url, &anvil.url], false);
    client.provider().call(call(ANSWERING)).await.unwrap();
    let before = proxy.calls().len();
    client.block_by_number(0).await.unwrap();
    client.provider().call(call(ANSWERING)).await.unwrap();
    assert_eq!(proxy.calls().len(), before);
}

#[tokio::test]
async fn answers_are_bounded_in_time_and_size() {
    let Some((anvil, proxy)) = contracts().await else { return };
    let alone = client(&[&proxy.url], false).provider();
    for fault in [Fault::Stall, Fault::Long(129 << 20), Fault::Truncate] {
        proxy.hold_with(CALL, fault.clone());
        let error: TransportError = alone.call(call(ANSWERING)).await.unwrap_err();
        assert!(matches!(error, RpcError::Transport(_)), "{fault:?}: {error}");
        let both = client(&[&proxy.url, &anvil.url], false).provider();
        assert_eq!(both.call(call(ANSWERING)).await.unwrap(), word(1), "{fault:?}");
    }
}

#[tokio::test]
async fn requests_of_one_batch_are_answered_each() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    let client = alloy::rpc::client::RpcClient::new(
        cairn_l1::rpc::EndpointsTransport::new(endpoints(&anvil)),
        true,
    );
    let mut batch = client.new_batch();
    let latest = BlockNumberOrTag::Latest;
    let chain = batch.add_call::<_, U256>("eth_chainId", &()).unwrap();
    let balance = batch.add_call::<_, U256>("eth_getBalance", &(ANSWERING, latest)).unwrap();
    batch.send().await.unwrap();
    assert_eq!(chain.await.unwrap(), U256::from(cairn_test_setup::CHAIN_ID));
    assert_eq!(balance.await.unwrap(), U256::ZERO);
}

fn endpoints(anvil: &Anvil) -> std::sync::Arc<cairn_l1::rpc::Endpoints> {
    let cairn_l1::L1Config { endpoints, answer_time, bytes_max, backoff, .. } =
        crate::anvil::config(&[&anvil.url]);
    let made = cairn_l1::rpc::Endpoints::new(&endpoints, answer_time, bytes_max, backoff);
    made.unwrap().into()
}
