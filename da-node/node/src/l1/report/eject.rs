//! The quorum's operators, whom of them the registry ejects, and how often this one signs.

use alloy::eips::BlockId;
use alloy::providers::DynProvider;
use alloy_primitives::{Address, TxHash, U256};
use cairn_da_client::registry::OperatorRegistry::{OperatorRegistryInstance, TooMuchEjected};
use cairn_da_client::registry::RegistryError;
use cairn_primitives::da::{Epoch, MAX_OPERATORS, Timestamp};

use super::plan::{EpochClock, Turn};
use super::send::{Outcome, perform};
use crate::admission::L1Head;

/// Hundredths of a percent in a whole.
const WHOLE: u128 = 10_000;

/// Certificates of the registry's window, and how many of them this operator signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Rate {
    certificates: u64,
    signed: u64,
}

impl Rate {
    /// Whether it is below a minimum in hundredths of a percent.
    fn is_below(self, min: u16) -> bool {
        u128::from(self.signed) * WHOLE < u128::from(self.certificates) * u128::from(min)
    }
}

/// Ejects once an epoch.
#[derive(Debug)]
pub(super) struct Ejections {
    registry: OperatorRegistryInstance<DynProvider>,
    /// This operator.
    own: Address,
    /// Epoch, snapshot and operators of the last look.
    quorum: Option<(Epoch, Address, Vec<Address>)>,
    /// Epoch in which all were tried.
    judged: Option<Epoch>,
    /// Its own rate, as it was told last.
    rate: Option<Rate>,
}

impl Ejections {
    pub(super) const fn new(registry: OperatorRegistryInstance<DynProvider>, own: Address) -> Self {
        Self { registry, own, quorum: None, judged: None, rate: None }
    }

    /// Reads the quorum of an epoch and this operator's rate as of a block.
    pub(super) async fn look(&mut self, epoch: Epoch, head: &L1Head) -> Result<(), RegistryError> {
        let at = BlockId::hash(head.hash);
        self.look_at_own_rate(at).await?;
        let snapshot = self.registry.quorum(epoch.0).block(at).call().await?.first;
        let known = self.quorum.as_ref().map(|(epoch, snapshot, _)| (*epoch, *snapshot));
        if snapshot.is_zero() {
            self.quorum = None;
        } else if known != Some((epoch, snapshot)) {
            let members = self.registry.members(epoch.0).block(at).call().await?;
            if members.len() > MAX_OPERATORS {
                return Err(RegistryError::Range { what: "number of operators" });
            }
            let operators = members.into_iter().map(|member| member.operator).collect();
            self.quorum = Some((epoch, snapshot, operators));
        }
        Ok(())
    }

    /// This operator's place in the order.
    pub(super) fn turn(&self) -> Turn {
        let operators = self.quorum.as_ref().map_or(&[][..], |(_, _, operators)| operators);
        let index = operators.iter().position(|operator| *operator == self.own);
        let index = index.map_or(u64::MAX, |index| index as u64);
        Turn { index, operators: operators.len() as u64 }
    }

    /// Tries each operator, if that was not done in this epoch and it is this operator's turn.
    pub(super) async fn eject_silent(
        &mut self,
        clock: &EpochClock,
        now: Timestamp,
    ) -> Result<Vec<TxHash>, RegistryError> {
        let Some((epoch, _, operators)) = &self.quorum else { return Ok(Vec::new()) };
        let epoch = *epoch;
        let turn = clock.start(epoch).0.saturating_add(self.turn().wait(epoch.0, clock));
        if self.judged == Some(epoch) || now.0 < turn {
            return Ok(Vec::new());
        }
        let mut sent = Vec::new();
        for operator in operators.iter().filter(|operator| **operator != self.own) {
            if !self.can_spare_one().await? {
                tracing::debug!(target: "da::l1", %epoch, "no operator too many");
                break;
            }
            match perform(self.registry.eject(*operator)).await? {
                Outcome::Mined(hash) => {
                    metrics::counter!("da_operators_ejected_total").increment(1);
                    tracing::warn!(
                        target: "da::l1", %operator, %epoch, transaction = %hash, "operator ejected"
                    );
                    sent.push(hash);
                }
                Outcome::Reverted(hash) => sent.push(hash),
                Outcome::Refused(reason) => match reason.as_decoded_error::<TooMuchEjected>() {
                    Some(TooMuchEjected { stake, max, .. }) => {
                        tracing::info!(
                            target: "da::l1", %operator, %epoch, %stake, %max,
                            "ejected in a later epoch"
                        );
                        break;
                    }
                    None => tracing::debug!(target: "da::l1", %operator, %reason, "not ejected"),
                },
            }
        }
        self.judged = Some(epoch);
        Ok(sent)
    }

    /// Whether there are more operators than a snapshot needs. With one less than that there is no
    /// quorum in later epochs, which is worse than one that is silent.
    async fn can_spare_one(&self) -> Result<bool, RegistryError> {
        let active = self.registry.activeOperators().call().await?;
        let parameters = self.registry.parameters().call().await?;
        Ok(active > U256::from(parameters.operatorsMin))
    }

    async fn look_at_own_rate(&mut self, at: BlockId) -> Result<(), RegistryError> {
        let found = self.registry.signingRate(self.own).block(at).call().await?;
        let number = |number: U256| {
            u64::try_from(number).map_err(|_| RegistryError::Range { what: "signing rate" })
        };
        let rate =
            Rate { certificates: number(found.certificates)?, signed: number(found.signed)? };
        metrics::gauge!("da_signing_certificates").set(rate.certificates as f64);
        metrics::gauge!("da_signing_signed").set(rate.signed as f64);
        if self.rate == Some(rate) {
            return Ok(());
        }
        let parameters = self.registry.parameters().block(at).call().await?;
        self.rate = Some(rate);
        if rate.is_below(parameters.signingRateMin) {
            tracing::warn!(
                target: "da::l1", certificates = rate.certificates, signed = rate.signed,
                min_hundredths_of_percent = parameters.signingRateMin,
                ejected_from_certificates = parameters.certificatesMin,
                "this operator signs too rarely, and can be ejected for it"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_at_the_minimum_is_not_below_it() {
        let below = |certificates, signed, min| Rate { certificates, signed }.is_below(min);
        assert!(below(10, 4, 5000) && !below(10, 5, 5000));
        assert!(below(10_000, 5999, 6000) && !below(10_000, 6000, 6000));
        assert!(!below(0, 0, 6000), "no certificates are no reason");
        assert!(!below(u64::MAX, 0, 0), "a minimum of zero ejects nobody");
        assert!(below(u64::MAX, u64::MAX / 2, 6000));
    }
}
