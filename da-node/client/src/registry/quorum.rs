//! The quorum of an epoch.

use std::time::Duration;

use alloy::eips::BlockId;
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{Address, B256};
use cairn_primitives::da::bls::PublicKey;
use cairn_primitives::da::{Domain, Epoch, Operator, QuorumId, Snapshot, Stake, Timestamp};

use super::contract::OperatorRegistry::{Member, OperatorRegistryInstance};
use super::{OperatorRegistry, RegistryError};

/// Time that L1 has for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// A registry on a chain whose id was checked.
#[derive(Debug, Clone)]
pub struct Registry {
    contract: OperatorRegistryInstance<DynProvider>,
    domain: Domain,
}

/// What changes when the quorum of an epoch does, on one chain: its code and its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumName {
    /// Contract that holds the snapshot.
    pub code: Address,
    /// Seed of the slots.
    pub seed: B256,
    /// Until then certificates can be valid.
    pub certificates_end: Timestamp,
}

/// The operators of an epoch and where they answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Stakes, keys and seed.
    pub snapshot: Snapshot,
    /// URL of each operator in index order; empty for one that has left.
    pub endpoints: Vec<String>,
}

impl Registry {
    /// Uses a provider, after a look at its chain id.
    ///
    /// # Errors
    /// [`RegistryError::WrongChain`], [`RegistryError::Provider`].
    pub async fn new(provider: DynProvider, domain: Domain) -> Result<Self, RegistryError> {
        let (found, expected) = (bounded(provider.get_chain_id()).await?, domain.chain_id);
        if found != expected {
            return Err(RegistryError::WrongChain { expected, found });
        }
        Ok(Self { contract: OperatorRegistry::new(domain.registry, provider), domain })
    }

    /// Chain and address.
    pub const fn domain(&self) -> Domain {
        self.domain
    }

    /// The provider that L1 is read through.
    pub fn provider(&self) -> &DynProvider {
        self.contract.provider()
    }

    /// Epoch of a block.
    ///
    /// # Errors
    /// [`RegistryError::NoRegistry`] before its deployment, [`RegistryError::Provider`].
    pub async fn current_epoch(&self, at: BlockId) -> Result<Epoch, RegistryError> {
        let call = async {
            match self.contract.currentEpoch().block(at).call().await {
                Err(alloy::contract::Error::ZeroData(..)) => {
                    Err(RegistryError::NoRegistry { registry: self.domain.registry, block: at })
                }
                answer => Ok(Epoch(answer?)),
            }
        };
        bounded(call).await
    }

    /// The name of an epoch's quorum as of a block; `None` as long as it has no snapshot or seed.
    ///
    /// # Errors
    /// [`RegistryError::Provider`], [`RegistryError::Range`].
    pub async fn quorum_name(
        &self,
        epoch: Epoch,
        at: BlockId,
    ) -> Result<Option<QuorumName>, RegistryError> {
        let call = self.contract.quorum(epoch.0).block(at);
        let found = bounded(async { call.call().await }).await?;
        if found.first.is_zero() || found.seed.is_zero() {
            return Ok(None);
        }
        let end = u64::try_from(found.end).map(Timestamp);
        let certificates_end =
            end.map_err(|_| RegistryError::Range { what: "end of certificates" })?;
        Ok(Some(QuorumName { code: found.first, seed: found.seed, certificates_end }))
    }

    /// The quorum of that name as of a block.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn quorum(
        &self,
        epoch: Epoch,
        name: &QuorumName,
        at: BlockId,
    ) -> Result<Quorum, RegistryError> {
        let call = self.contract.members(epoch.0).block(at);
        let members = bounded(async { call.call().await }).await?;
        let mut operators = Vec::with_capacity(members.len());
        let mut endpoints = Vec::with_capacity(members.len());
        for member in members {
            endpoints.push(member.endpoint.clone());
            operators.push(operator(member, epoch)?);
        }
        let (seed, end) = (name.seed, name.certificates_end);
        let snapshot = Snapshot::new(epoch, QuorumId(0), seed, end, operators)?;
        Ok(Quorum { snapshot, endpoints })
    }

    /// The quorum of an epoch as of L1's newest block.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn latest_quorum(&self, epoch: Epoch) -> Result<Option<Quorum>, RegistryError> {
        let Some(name) = self.quorum_name(epoch, BlockId::latest()).await? else {
            return Ok(None);
        };
        self.quorum(epoch, &name, BlockId::latest()).await.map(Some)
    }
}

/// An answer of L1, or an error when it takes too long.
async fn bounded<T, E: Into<RegistryError>>(
    answer: impl IntoFuture<Output = Result<T, E>>,
) -> Result<T, RegistryError> {
    match tokio::time::timeout(ANSWER_TIME, answer.into_future()).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => {
            let seconds = ANSWER_TIME.as_secs();
            Err(RegistryError::Provider(format!("no answer within {seconds} s")))
        }
    }
}

fn operator(member: Member, epoch: Epoch) -> Result<Operator, RegistryError> {
    let Member { operator: address, stake, key, .. } = member;
    let stake = u128::try_from(stake).map_err(|_| RegistryError::Range { what: "stake" })?;
    let key = PublicKey::from_bytes(&key);
    let key = key.map_err(|source| RegistryError::Key { operator: address, epoch, source })?;
    Ok(Operator { address, stake: Stake(stake), key })
}
