//! Posting to the inbox with the batcher's own key, in place of the batcher.

use alloy::network::TransactionBuilder;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::Address;
use eyre::{ContextCompat, WrapErr, ensure};

use super::Chain;
use super::chain::received;

/// Gas for the largest calldata of a scenario.
const GAS: u64 = 10_000_000;

/// The batcher's hand. The batcher itself must not run: its nonces are used.
#[derive(Debug)]
pub struct Posting {
    batcher: DynProvider,
    inbox: Address,
}

/// What became of transactions to the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// L1 block of the last.
    pub block: u64,
    /// Whether the inbox took each.
    pub accepted: Vec<bool>,
}

impl Chain {
    /// Takes the batcher's place, when everything that it sent has been mined.
    ///
    /// # Errors
    /// When its key is not to be had, or L1 does not mine.
    pub async fn posting(&self) -> eyre::Result<Posting> {
        let (batcher, inbox) = (self.l1_with_key("batcher")?, self.contract("BatchInbox")?);
        let account = self.key("batcher")?.address();
        while batcher.get_transaction_count(account).pending().await?
            > batcher.get_transaction_count(account).await?
        {
            self.wait_l1_blocks(1).await?;
        }
        Ok(Posting { batcher, inbox })
    }
}

impl Posting {
    /// Sends calldata to the inbox, one transaction behind the other, and waits until all are mined.
    ///
    /// # Errors
    /// When L1 refuses one, or it is not mined.
    pub async fn post(&self, calldata: impl IntoIterator<Item = Vec<u8>>) -> eyre::Result<Posted> {
        let mut sent = Vec::new();
        for data in calldata {
            // With a gas limit, because the estimate fails where the inbox refuses.
            let request = TransactionRequest::default().with_to(self.inbox).with_gas_limit(GAS);
            sent.push(self.batcher.send_transaction(request.with_input(data)).await?);
        }
        let (mut block, mut accepted) = (0, Vec::new());
        for transaction in sent {
            let receipt = received(transaction).await.wrap_err("a transaction to the inbox")?;
            let mined = receipt.block_number.wrap_err("a receipt without a block")?;
            ensure!(mined >= block, "mined out of order");
            block = mined;
            accepted.push(receipt.status());
        }
        Ok(Posted { block, accepted })
    }
}
