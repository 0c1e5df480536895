//! Reporting who signed the certificates in a batch inbox, and ejecting operators that are silent.
//!
//! The registry counts what the inbox passes on to it, batch after batch, and nobody has to report:
//! a registry to which nobody does counts nothing and ejects nobody. Any operator can run a
//! reporter. One look at L1 leads to one step at most:
//!
//! 1. Certificates are read from the inbox's logs and the calldata of their transactions, up to some
//!    blocks below the head, and held against the hashes of the event ([`certificates`]).
//! 2. A report has 32 certificates; fewer when the epoch of one has ended, because rates are made of
//!    completed epochs. Operators take turns, so that most reports are sent once ([`plan`]).
//! 3. When all certificates of completed epochs are reported, each operator of the quorum is tried
//!    once an epoch: whom the registry lets go is ejected ([`eject`]).
//!
//! Everything is simulated before it is sent. Of two that send the same, one transaction reverts.
//! Nothing is on disk: a restart reads again what is not reported.

mod certificates;
mod contract;
mod eject;
mod plan;
mod send;

use std::num::NonZeroU64;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{Address, TxHash, U256};
use cairn_da_client::registry::OperatorRegistry::OperatorRegistryInstance;
use cairn_da_client::registry::{OperatorRegistry, RegistryError};
use cairn_primitives::da::Timestamp;

use crate::admission::L1Head;

use certificates::{Certificates, InboxState, batch_index};
use contract::BatchInbox;
use contract::BatchInbox::{BatchInboxInstance, Signers};
use eject::Ejections;
use plan::{BatchIndex, EpochClock, Signed, Step, next_step};
use send::{Outcome, perform};

/// What a reporter is told.
#[derive(Debug, Clone, Copy)]
pub struct ReporterConfig {
    /// Address of `OperatorRegistry`.
    pub registry: Address,
    /// Address of `BatchInbox`, which reports to that registry.
    pub inbox: Address,
    /// Whose signing rate is shown, and who is not ejected by this reporter.
    pub operator: Address,
    /// First block that may have logs of the inbox.
    pub first_block: u64,
    /// Blocks below the head up to which certificates are read.
    pub confirmations: u64,
}

/// Reports signers and ejects the silent. Several reporters do no harm.
#[derive(Debug)]
pub struct Reporter {
    config: ReporterConfig,
    registry: OperatorRegistryInstance<DynProvider>,
    inbox: BatchInboxInstance<DynProvider>,
    certificates: Certificates,
    ejections: Ejections,
    /// Read once.
    clock: Option<EpochClock>,
    /// Newest block for which nothing was left to do.
    done_at: Option<L1Head>,
    /// The certificate that cannot be reported, and that was told of.
    blocked_at: Option<BatchIndex>,
    /// The batch at which a report would fail, and before which all logs were read again.
    read_again_for: Option<BatchIndex>,
}

impl Reporter {
    /// A reporter that sends through a provider with a wallet.
    pub fn new(provider: DynProvider, config: ReporterConfig) -> Self {
        let registry = OperatorRegistry::new(config.registry, provider.clone());
        let inbox = BatchInbox::new(config.inbox, provider);
        Self {
            config,
            certificates: Certificates::new(inbox.clone(), config.first_block),
            ejections: Ejections::new(registry.clone(), config.operator),
            registry,
            inbox,
            clock: None,
            done_at: None,
            blocked_at: None,
            read_again_for: None,
        }
    }

    /// Does what is due; says which transactions it sent.
    ///
    /// # Errors
    /// [`RegistryError`]. Unless it says to stop, the same call can be made again.
    pub async fn poll(&mut self) -> Result<Vec<TxHash>, RegistryError> {
        let clock = self.clock().await?;
        let newest = self.registry.provider().get_block_number().await?;
        let head = self.block(newest).await?;
        if self.done_at == Some(head) {
            return Ok(Vec::new());
        }
        let latest = self.inbox_at(&head).await?;
        let confirmed = self.block(newest.saturating_sub(self.config.confirmations)).await?;
        let confirmed = self.inbox_at(&confirmed).await?;
        let all_read = self.certificates.read(&confirmed, latest.next).await?;
        let epoch = clock.at(head.time);
        self.ejections.look(epoch, &head).await?;
        let turn = self.ejections.turn();
        let pending = self.certificates.pending();
        let sent = match next_step(pending, latest.next, &clock, &turn, head.time) {
            Step::Pass(limit) => {
                let outcome = perform(self.inbox.passOver(U256::from(limit))).await?;
                self.settle(latest.next, 0, outcome).await?.into_iter().collect()
            }
            Step::Report(group) => {
                let certificates = group.len();
                let signers = group.into_iter().map(Signers::from).collect();
                let outcome = perform(self.inbox.reportSigners(signers)).await?;
                self.settle(latest.next, certificates, outcome).await?.into_iter().collect()
            }
            Step::Blocked(batch) => {
                self.tell_blocked(batch);
                Vec::new()
            }
            Step::Wait
                // Certificates of blocks behind the confirmed one are not known yet.
                if all_read
                    && clock.at(confirmed.time) == epoch
                    && plan::complete_before(pending, latest.next, epoch) =>
            {
                self.ejections.eject_silent(&clock, head.time).await?
            }
            Step::Wait => Vec::new(),
        };
        if sent.is_empty() && all_read {
            self.done_at = Some(head);
        }
        Ok(sent)
    }

    /// When epochs are, after a look at whether inbox and registry belong together.
    async fn clock(&mut self) -> Result<EpochClock, RegistryError> {
        if let Some(clock) = self.clock {
            return Ok(clock);
        }
        let (inbox, expected) = (self.config.inbox, self.config.registry);
        let found = match self.inbox.SIGNING_RECORDS().call().await {
            Err(alloy::contract::Error::ZeroData(..)) => return Err(RegistryError::NoInbox(inbox)),
            answer => answer?,
        };
        if found != expected {
            return Err(RegistryError::OtherRegistry { inbox, expected, found });
        }
        let genesis = u64::try_from(self.registry.GENESIS_TIME().call().await?);
        let genesis = genesis.map_err(|_| RegistryError::Range { what: "genesis time" })?;
        let length = u64::try_from(self.registry.EPOCH_LENGTH().call().await?);
        let length = length.ok().and_then(NonZeroU64::new);
        let length = length.ok_or(RegistryError::Range { what: "epoch length" })?;
        Ok(*self.clock.insert(EpochClock { genesis, length }))
    }

    async fn block(&self, number: u64) -> Result<L1Head, RegistryError> {
        let tag = BlockNumberOrTag::Number(number);
        let block = self.registry.provider().get_block_by_number(tag).await?;
        let header = block.ok_or(RegistryError::NoBlock(number))?.header;
        Ok(L1Head { number, hash: header.hash, time: Timestamp(header.timestamp) })
    }

    async fn inbox_at(&self, block: &L1Head) -> Result<InboxState, RegistryError> {
        let at = BlockId::hash(block.hash);
        let count = match self.inbox.batchCount().block(at).call().await {
            // Before the deployment of the inbox there is no batch.
            Err(alloy::contract::Error::ZeroData(..)) => {
                let next = BatchIndex(0);
                return Ok(InboxState { block: block.number, time: block.time, next, count: 0 });
            }
            answer => batch_index(answer?)?.0,
        };
        let next = batch_index(self.inbox.nextToReport().block(at).call().await?)?;
        Ok(InboxState { block: block.number, time: block.time, next, count })
    }

    /// What follows from sending a report of so many certificates, from batch `next` on; with none
    /// the batches without certificate were passed over.
    async fn settle(
        &mut self,
        next: BatchIndex,
        certificates: usize,
        outcome: Outcome,
    ) -> Result<Option<TxHash>, RegistryError> {
        let from = next.0;
        match outcome {
            Outcome::Mined(hash) => {
                metrics::counter!("da_signers_reported_total").increment(certificates as u64);
                tracing::info!(
                    target: "da::l1", from, certificates, transaction = %hash, "signers reported"
                );
                Ok(Some(hash))
            }
            // Another reporter was faster; the next look shows it.
            Outcome::Reverted(hash) => Ok(Some(hash)),
            Outcome::Refused(reason) => {
                let now = batch_index(self.inbox.nextToReport().call().await?)?;
                if now == next {
                    tracing::warn!(target: "da::l1", from, %reason, "signers are not reported");
                    self.read_again(next);
                }
                Ok(None)
            }
        }
    }

    /// Reads all again, once for each batch: what was read is not what the inbox has.
    fn read_again(&mut self, next: BatchIndex) {
        if self.read_again_for != Some(next) {
            self.read_again_for = Some(next);
            self.certificates.start_over();
        }
    }

    fn tell_blocked(&mut self, batch: BatchIndex) {
        if self.blocked_at != Some(batch) {
            self.blocked_at = Some(batch);
            metrics::counter!("da_signers_unreportable_total").increment(1);
            tracing::warn!(
                target: "da::l1", batch = batch.0,
                "the transaction of this batch does not show its certificate, so that neither its \
                 signers nor later ones are reported"
            );
        }
    }
}

impl From<Signed> for Signers {
    fn from(signed: Signed) -> Self {
        Self {
            epoch: signed.epoch.0,
            bitmap: signed.bitmap.into(),
            hashesRoot: signed.hashes_root,
            depth: U256::from(signed.depth),
        }
    }
}
