use alloy::providers::{Provider, ProviderBuilder};
use alloy_primitives::{B256, Bytes};
use cairn_l1::{BlobConfig, NextStep};
use cairn_rollup::L1BlockRef;
use serde_json::json;

use super::*;
use crate::testing::{L1Server, Reply, TestChain, rollup};

fn reader(l1: &L1Server) -> DataReader {
    let chain = TestChain::new();
    let rollup = rollup(&chain.chain, Default::default());
    let provider = ProviderBuilder::new().connect_http(l1.url.parse().unwrap()).erased();
    let blobs = BlobClient::new(BlobConfig::new(vec![l1.url.parse().unwrap()])).unwrap();
    DataReader::new(&rollup, provider, blobs, RetrievalPolicy::default()).unwrap()
}

fn request(source: DataSource) -> DataRequest {
    DataRequest { block: L1BlockRef::default(), transaction: B256::repeat_byte(1), source }
}

#[tokio::test]
async fn blobs_can_be_had_while_the_registry_cannot() {
    let l1 = L1Server::start(|_, _| Reply::Status(503)).await;
    let reader = reader(&l1);
    let data = reader.read(&request(DataSource::Blobs(Vec::new()))).await.unwrap();
    assert_eq!((data.transaction, data.data.len()), (B256::repeat_byte(1), 0));
    let certificate = request(DataSource::Certificate(Bytes::from_static(&[1; 200])));
    let error = reader.read(&certificate).await.unwrap_err();
    assert!(matches!(error, DriverError::Da(_)), "{error}");
    assert!(matches!(error.next_step(), NextStep::Retry(_)));
    // The registry is looked for again, and now the certificate itself is at fault.
    l1.answer(|_, _| Reply::Result(json!("0x7a69")));
    let error = reader.read(&certificate).await.unwrap_err();
    assert!(matches!(error, DriverError::Data(_)), "{error}");
    assert!(matches!(error.next_step(), NextStep::Retry(_)));
}

#[tokio::test]
async fn a_registry_on_another_chain_is_an_end() {
    let l1 = L1Server::start(|_, _| Reply::Result(json!("0x1"))).await;
    let certificate = request(DataSource::Certificate(Bytes::from_static(&[1; 200])));
    let error = reader(&l1).read(&certificate).await.unwrap_err();
    assert_eq!(error.next_step(), NextStep::Stop, "{error}");
}
