//! Taking snapshots and drawing seeds.

use std::collections::BTreeMap;

use alloy::consensus::Header as L1Header;
use alloy::eips::BlockNumberOrTag;
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{Address, Bytes, TxHash};
use cairn_primitives::da::Epoch;

use cairn_da_client::registry::OperatorRegistry::OperatorRegistryInstance;
use cairn_da_client::registry::{OperatorRegistry, RegistryError};

/// `State.Active` of the contract.
const ACTIVE: u8 = 1;
/// Blocks asked for logs in one request.
const LOG_RANGE: u64 = 10_000;
/// Blocks whose logs are read again each time: a reorganisation may have replaced them.
const REORGANISED: u64 = 64;
/// Blocks back to which L1 contracts know block hashes (EIP-2935).
const HISTORY: u64 = 8191;

/// Calls `snapshot` and `drawSeed` for the current and the next epoch, where nobody else did.
/// Several keepers do no harm: the calls of all but one revert, and are simulated first.
#[derive(Debug)]
pub struct Keeper {
    registry: OperatorRegistryInstance<DynProvider>,
    /// First block that may have logs.
    first_block: u64,
    /// First block whose logs were not read yet.
    next_block: u64,
    /// Epoch whose snapshot failed, and for which all logs were read again.
    read_again_for: Option<Epoch>,
    /// Newest key of everyone who ever registered.
    keys: BTreeMap<Address, Bytes>,
}

impl Keeper {
    /// A keeper that sends through a provider with a wallet. Registrations are read from
    /// `first_block` on.
    pub fn new(provider: DynProvider, registry: Address, first_block: u64) -> Self {
        let registry = OperatorRegistry::new(registry, provider);
        let (next_block, read_again_for) = (first_block, None);
        Self { registry, first_block, next_block, read_again_for, keys: BTreeMap::new() }
    }

    /// Does what is due; says which transactions it sent.
    ///
    /// # Errors
    /// [`RegistryError`]. The same call can be made again.
    pub async fn poll(&mut self) -> Result<Vec<TxHash>, RegistryError> {
        let current = self.registry.currentEpoch().call().await?;
        let mut sent = Vec::new();
        for epoch in [Some(current), current.checked_add(1)].into_iter().flatten() {
            let quorum = self.registry.quorum(epoch).call().await?;
            let transaction = if quorum.first.is_zero() {
                self.take_snapshot(Epoch(epoch)).await?
            } else if quorum.seed.is_zero() {
                self.draw_seed(Epoch(epoch)).await?
            } else {
                None
            };
            sent.extend(transaction);
        }
        Ok(sent)
    }

    async fn take_snapshot(&mut self, epoch: Epoch) -> Result<Option<TxHash>, RegistryError> {
        self.read_registrations().await?;
        let mut operators = Vec::new();
        let mut keys = Vec::new();
        // A map of addresses is in their order, which the contract asks for.
        for (operator, key) in &self.keys {
            if self.registry.operatorOf(*operator).call().await?.state == ACTIVE {
                operators.push(*operator);
                keys.extend_from_slice(key);
            }
        }
        let call = self.registry.snapshot(epoch.0, operators, keys.into());
        let simulated = call.call().await;
        if let Err(error) = simulated {
            tracing::warn!(target: "da::l1", %epoch, %error, "the snapshot would fail");
            drop(call);
            self.start_over(epoch);
            return Ok(None);
        }
        let hash = call.send().await?.get_receipt().await;
        self.mined(epoch, "snapshot taken", hash)
    }

    async fn draw_seed(&self, epoch: Epoch) -> Result<Option<TxHash>, RegistryError> {
        let provider = self.registry.provider();
        let newest = provider.get_block_number().await?;
        let seed_block = self.registry.seedBlockOf(epoch.0).call().await?;
        let seed_block = u64::try_from(seed_block);
        let seed_block = seed_block.map_err(|_| RegistryError::Range { what: "seed block" })?;
        if newest <= seed_block {
            return Ok(None);
        }
        if newest > seed_block.saturating_add(HISTORY) {
            let receipt = self.registry.resetSeedBlock(epoch.0).send().await?.get_receipt().await;
            return self.mined(epoch, "seed block reset", receipt);
        }
        let tag = BlockNumberOrTag::Number(seed_block);
        let block = provider.get_block_by_number(tag).await?;
        let header: L1Header = block.ok_or(RegistryError::NoBlock(seed_block))?.header.inner;
        let call = self.registry.drawSeed(epoch.0, alloy_rlp::encode(&header).into());
        if let Err(error) = call.call().await {
            tracing::debug!(target: "da::l1", %epoch, %error, "no seed yet");
            return Ok(None);
        }
        let receipt = call.send().await?.get_receipt().await;
        self.mined(epoch, "seed drawn", receipt)
    }

    fn mined<E: std::fmt::Display>(
        &self,
        epoch: Epoch,
        what: &'static str,
        receipt: Result<alloy::rpc::types::TransactionReceipt, E>,
    ) -> Result<Option<TxHash>, RegistryError> {
        let receipt = receipt.map_err(|error| RegistryError::Provider(error.to_string()))?;
        let hash = receipt.transaction_hash;
        if !receipt.status() {
            return Err(RegistryError::Reverted(hash));
        }
        tracing::info!(target: "da::l1", %epoch, transaction = %hash, "{what}");
        Ok(Some(hash))
    }

    /// Forgets the keys, once for each epoch: they may be of blocks that a deep reorganisation
    /// replaced. Most snapshots fail for want of operators, which reading again does not mend.
    fn start_over(&mut self, epoch: Epoch) {
        if self.read_again_for != Some(epoch) {
            self.read_again_for = Some(epoch);
            self.next_block = self.first_block;
            self.keys.clear();
        }
    }

    async fn read_registrations(&mut self) -> Result<(), RegistryError> {
        let newest = self.registry.provider().get_block_number().await?;
        self.next_block = read_from(self.first_block, self.next_block, newest);
        while self.next_block <= newest {
            let last = newest.min(self.next_block.saturating_add(LOG_RANGE));
            let filter = self.registry.OperatorRegistered_filter();
            let logs = filter.from_block(self.next_block).to_block(last).query().await?;
            for (event, _) in logs {
                self.keys.insert(event.operator, event.key);
            }
            self.next_block = last.saturating_add(1);
        }
        Ok(())
    }
}

/// Where to go on reading: behind the last look, or the head where that is lower now, by the blocks
/// that may have been replaced since.
pub(super) fn read_from(first: u64, next: u64, newest: u64) -> u64 {
    next.min(newest.saturating_add(1)).saturating_sub(REORGANISED).max(first)
}

#[cfg(test)]
mod tests {
    use alloy::providers::ProviderBuilder;
    use alloy::providers::mock::Asserter;
    use alloy::rpc::types::Log;
    use alloy::sol_types::SolEvent;
    use alloy_primitives::{B256, U64, U256};

    use super::*;

    #[test]
    fn the_last_blocks_are_read_again() {
        assert_eq!(read_from(100, 100, 5000), 100);
        assert_eq!(read_from(100, 130, 5000), 100);
        assert_eq!(read_from(100, 5001, 5000), 5001 - REORGANISED);
        // A head that went back.
        assert_eq!(read_from(100, 5001, 4000), 4001 - REORGANISED);
        assert_eq!(read_from(0, 10, u64::MAX), 0);
    }

    fn registered(key: u8) -> Vec<Log> {
        let event = OperatorRegistry::OperatorRegistered {
            operator: Address::repeat_byte(1),
            keyHash: B256::ZERO,
            key: vec![key; 192].into(),
            stake: U256::ZERO,
            endpoint: String::new(),
        };
        let inner = alloy_primitives::Log { address: Address::ZERO, data: event.encode_log_data() };
        vec![Log { inner, ..Log::default() }]
    }

    #[tokio::test]
    async fn a_key_of_a_block_that_was_replaced_is_read_anew() {
        let l1 = Asserter::new();
        let provider = ProviderBuilder::new().connect_mocked_client(l1.clone()).erased();
        let mut keeper = Keeper::new(provider, Address::ZERO, 10);
        for key in [1, 2] {
            l1.push_success(&U64::from(100));
            l1.push_success(&registered(key));
            keeper.read_registrations().await.unwrap();
            assert_eq!(keeper.keys[&Address::repeat_byte(1)], Bytes::from(vec![key; 192]));
            assert_eq!(keeper.next_block, 101);
        }
    }

    #[tokio::test]
    async fn a_failed_snapshot_reads_everything_again_once() {
        let provider = ProviderBuilder::new().connect_mocked_client(Asserter::new()).erased();
        let mut keeper = Keeper::new(provider, Address::ZERO, 10);
        for (epoch, next, keys) in [(7, 10, 0), (7, 500, 1), (8, 10, 0)] {
            keeper.next_block = 500;
            keeper.keys.insert(Address::repeat_byte(1), Bytes::new());
            keeper.start_over(Epoch(epoch));
            assert_eq!((keeper.next_block, keeper.keys.len()), (next, keys), "epoch {epoch}");
        }
    }
}
