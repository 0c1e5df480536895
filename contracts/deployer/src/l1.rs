//! L1 over JSON-RPC: what a deployment asks and sends.

use std::future::Future;
use std::time::Duration;

use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::eips::{BlockNumHash, BlockNumberOrTag, Encodable2718};
use alloy::network::TxSignerSync;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::ClientBuilder;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use alloy::transports::layers::RetryBackoffLayer;
use alloy::transports::{TransportError, TransportResult};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use reqwest::Url;

use crate::DeployError;

/// What one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How often a request is sent again that L1 turned away for their number.
const RATE_LIMIT_RETRIES: u32 = 8;
const RATE_LIMIT_BACKOFF_MS: u64 = 250;
/// Of the provider's unit, in a second: high enough that only what L1 says slows requests down.
const COMPUTE_UNITS: u64 = 1_000_000;

/// L1, and the account that deploys.
#[derive(Debug)]
pub(crate) struct L1 {
    provider: DynProvider,
    signer: PrivateKeySigner,
}

/// A block that L2 can begin at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) id: BlockNumHash,
    pub(crate) timestamp: u64,
}

/// A transaction to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Bytes,
    pub(crate) gas: u64,
}

/// Whether an answer says that the call itself failed, and not the request.
fn is_revert(error: &TransportError) -> bool {
    error.as_error_resp().is_some_and(|e| e.code == 3 || e.message.contains("revert"))
}

impl L1 {
    pub(crate) fn new(url: Url, signer: PrivateKeySigner) -> Self {
        let retry =
            RetryBackoffLayer::new(RATE_LIMIT_RETRIES, RATE_LIMIT_BACKOFF_MS, COMPUTE_UNITS);
        let client = ClientBuilder::default().layer(retry).http(url);
        let provider =
            ProviderBuilder::new().disable_recommended_fillers().connect_client(client).erased();
        Self { provider, signer }
    }

    pub(crate) fn account(&self) -> Address {
        self.signer.address()
    }

    pub(crate) async fn chain_id(&self) -> Result<u64, DeployError> {
        ask("eth_chainId", self.provider.get_chain_id()).await
    }

    pub(crate) async fn head(&self) -> Result<u64, DeployError> {
        ask("eth_blockNumber", self.provider.get_block_number()).await
    }

    pub(crate) async fn has_code(&self, address: Address) -> Result<bool, DeployError> {
        Ok(!ask("eth_getCode", self.provider.get_code_at(address)).await?.is_empty())
    }

    pub(crate) async fn storage(&self, address: Address, slot: B256) -> Result<U256, DeployError> {
        ask("eth_getStorageAt", self.provider.get_storage_at(address, slot.into())).await
    }

    /// What a call answers as of the latest block; `None` if it reverts or nobody is there.
    pub(crate) async fn call(
        &self,
        to: Address,
        data: &Bytes,
    ) -> Result<Option<Bytes>, DeployError> {
        let request = TransactionRequest::default().to(to).input(data.clone().into());
        let call = self.provider.call(request).block(BlockNumberOrTag::Latest.into());
        match limited(call).await {
            Ok(answer) => Ok((!answer.is_empty()).then_some(answer)),
            Err(error) if is_revert(&error) => Ok(None),
            Err(error) => Err(rpc_error("eth_call", &error)),
        }
    }

    pub(crate) async fn block_gas_limit(&self) -> Result<u64, DeployError> {
        let request = self.provider.get_block_by_number(BlockNumberOrTag::Latest);
        let block =
            ask("eth_getBlockByNumber", request).await?.ok_or_else(|| DeployError::Rpc {
                action: "eth_getBlockByNumber",
                reason: "there is no latest block".to_owned(),
            })?;
        Ok(block.header.gas_limit)
    }

    pub(crate) async fn balance(&self) -> Result<U256, DeployError> {
        ask("eth_getBalance", self.provider.get_balance(self.account())).await
    }

    pub(crate) async fn balance_of(&self, account: Address) -> Result<U256, DeployError> {
        ask("eth_getBalance", self.provider.get_balance(account)).await
    }

    /// Transactions of the account that are mined, and those with the waiting ones.
    pub(crate) async fn nonces(&self) -> Result<(u64, u64), DeployError> {
        let count = || self.provider.get_transaction_count(self.account());
        let mined = ask("eth_getTransactionCount", count().latest()).await?;
        let all = ask("eth_getTransactionCount", count().pending()).await?;
        Ok((mined, all.max(mined)))
    }

    pub(crate) async fn fees(&self) -> Result<Eip1559Estimation, DeployError> {
        ask("eth_feeHistory", self.provider.estimate_eip1559_fees()).await
    }

    /// Signs a transaction and hands it to L1; it need not be mined when this returns.
    pub(crate) async fn send(
        &self,
        chain_id: u64,
        nonce: u64,
        call: Call,
        fees: Eip1559Estimation,
    ) -> Result<B256, DeployError> {
        let mut transaction = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: call.gas,
            max_fee_per_gas: fees.max_fee_per_gas,
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
            to: TxKind::Call(call.to),
            value: call.value,
            access_list: Default::default(),
            input: call.data,
        };
        let signature = self.signer.sign_transaction_sync(&mut transaction).map_err(|e| {
            DeployError::Rpc { action: "signing a transaction", reason: e.to_string() }
        })?;
        self.send_raw(&transaction.into_signed(signature).encoded_2718()).await
    }

    /// A transaction that L1 has already is as good as sent.
    pub(crate) async fn send_raw(&self, encoded: &[u8]) -> Result<B256, DeployError> {
        let hash = keccak256(encoded);
        match limited(self.provider.send_raw_transaction(encoded)).await {
            Ok(_) => Ok(hash),
            Err(error) => match error.as_error_resp() {
                Some(answer) if answer.message.contains("already known") => Ok(hash),
                Some(answer) if answer.message.contains("already imported") => Ok(hash),
                _ => Err(rpc_error("eth_sendRawTransaction", &error)),
            },
        }
    }

    pub(crate) async fn receipt(
        &self,
        hash: B256,
    ) -> Result<Option<TransactionReceipt>, DeployError> {
        ask("eth_getTransactionReceipt", self.provider.get_transaction_receipt(hash)).await
    }

    pub(crate) async fn block(&self, number: u64) -> Result<Origin, DeployError> {
        let request = self.provider.get_block_by_number(number.into());
        let block =
            ask("eth_getBlockByNumber", request).await?.ok_or_else(|| DeployError::Rpc {
                action: "eth_getBlockByNumber",
                reason: format!("there is no block {number}"),
            })?;
        let id = BlockNumHash { number: block.header.number, hash: block.header.hash };
        if number != id.number {
            let reason = format!("asked for block {number}, got {}", id.number);
            return Err(DeployError::Rpc { action: "eth_getBlockByNumber", reason });
        }
        Ok(Origin { id, timestamp: block.header.timestamp })
    }
}

async fn limited<T>(
    request: impl IntoFuture<Output = TransportResult<T>>,
) -> Result<T, TransportError> {
    let request = request.into_future();
    match tokio::time::timeout(REQUEST_LIMIT, request).await {
        Ok(answer) => answer,
        Err(_) => Err(alloy::transports::TransportErrorKind::custom_str(&format!(
            "no answer in {} s",
            REQUEST_LIMIT.as_secs()
        ))),
    }
}

fn rpc_error(action: &'static str, error: &TransportError) -> DeployError {
    DeployError::Rpc { action, reason: error.to_string() }
}

fn ask<T>(
    action: &'static str,
    request: impl IntoFuture<Output = TransportResult<T>>,
) -> impl Future<Output = Result<T, DeployError>> {
    let answer = limited(request);
    async move { answer.await.map_err(|error| rpc_error(action, &error)) }
}
