//! Channels to L1.

use std::time::Duration;

use alloy_primitives::Bytes;

use super::{
    Batcher, BatcherTransaction, Carrier, CarrierChoice, DispersalFailure, DispersalId, Effect,
    ResetReason, TxFailure, TxId, submission::Payload,
};
use crate::L2BlockRef;

/// The transaction that is not decided.
#[derive(Debug)]
pub(super) struct InDoubt {
    id: TxId,
    /// When it was last sent.
    sent: Duration,
}

/// A channel on L1.
#[derive(Debug)]
pub(super) struct Included {
    /// Its last block.
    pub(super) last: L2BlockRef,
    /// The block with its last frame.
    pub(super) l1_block: u64,
}

impl Batcher {
    /// Cuts the first channels for their carriers, and disperses what is to be dispersed.
    pub(super) fn disperse(&mut self, now: Duration) {
        self.expire_dispersals(now);
        self.restart_late_channel();
        let max_parts = self.max_parts();
        let count = self.config.parallel_dispersals.get() as usize;
        for index in 0..count.min(self.queue.len()) {
            let id = DispersalId(self.new_id());
            let carrier = self.failover.carrier(now);
            let Some(submission) = self.queue.get_mut(index) else { return };
            if now < submission.retry_at {
                continue;
            }
            if submission.carrier().is_none() {
                submission.cut(carrier, &self.config);
            }
            let parts = submission.payloads.len();
            let many_blocks = submission.channel.first != submission.channel.last;
            let untouched =
                index == 0 && self.in_doubt.is_none() && submission.opened_in().is_none();
            if parts > max_parts && many_blocks && untouched {
                return self.reset(ResetReason::ChannelTooLong { parts }, now);
            }
            let Some(front) = submission.payloads.front_mut() else { continue };
            if let Payload::Undispersed(payload) = front {
                let payload = std::mem::take(payload);
                *front = Payload::Dispersing { id, since: now, payload: payload.clone() };
                self.effects.push(Effect::Disperse { id, payload });
            }
        }
    }

    /// Channels that wait are cut again; what is in doubt is left to be decided.
    pub(super) fn choose_carrier(&mut self, choice: CarrierChoice, now: Duration) {
        self.failover.choose(choice);
        let carrier = self.failover.carrier(now);
        let first = usize::from(self.in_doubt.is_some());
        for index in first..self.queue.len() {
            if self.queue.get(index).and_then(|s| s.carrier()).is_some_and(|c| c != carrier) {
                self.restart_channel(index);
            }
        }
    }

    /// Gives up dispersals that take too long.
    fn expire_dispersals(&mut self, now: Duration) {
        let timeout = self.config.dispersal_timeout;
        let late = self.queue.iter().find_map(|submission| match submission.payloads.front() {
            Some(Payload::Dispersing { id, since, .. }) if now >= *since + timeout => Some(*id),
            _ => None,
        });
        if let Some(id) = late {
            self.dispersal_failed(id, DispersalFailure::Failed, now);
        }
    }

    /// Begins a channel anew when it could not be complete in time.
    fn restart_late_channel(&mut self) {
        let lifetime = self.rollup.channel_lifetime() - self.config.safety_margin;
        let Some((l1, opened)) = self.l1.zip(self.queue.front().and_then(|s| s.opened_in())) else {
            return;
        };
        if self.in_doubt.is_none() && l1.number > opened + lifetime {
            self.restart_channel(0);
        }
    }

    fn restart_channel(&mut self, index: usize) {
        let Some(parent) = self.queue.get(index).map(|s| s.channel.first.parent_hash) else {
            return;
        };
        let name = self.channel_id(&parent);
        if let Some(submission) = self.queue.get_mut(index) {
            submission.restart(|| name);
        }
    }

    /// Sends the next transaction, if none is in doubt.
    pub(super) fn send(&mut self, now: Duration) {
        let Some(front) = self.queue.front() else { return };
        if self.in_doubt.is_some() || now < front.retry_at {
            return;
        }
        let transaction = match front.payloads.front() {
            Some(Payload::Certified { certificate, .. }) => {
                BatcherTransaction::Certificate(certificate.clone())
            }
            Some(Payload::Direct(transaction)) => transaction.clone(),
            Some(Payload::Undispersed(_) | Payload::Dispersing { .. }) | None => return,
        };
        let id = TxId(self.new_id());
        self.in_doubt = Some(InDoubt { id, sent: now });
        self.effects.push(Effect::Send { id, transaction });
    }

    pub(super) fn bump_fee_if_due(&mut self, now: Duration) {
        if let Some(tx) = &mut self.in_doubt
            && now >= tx.sent + self.config.bump_interval
        {
            tx.sent = now;
            self.effects.push(Effect::BumpFee { id: tx.id });
        }
    }

    /// The fee is known to be too low: not later than after the usual delay between tries.
    pub(super) fn stuck(&mut self, id: TxId, now: Duration) {
        if let Some(tx) = self.in_doubt.as_mut().filter(|tx| tx.id == id)
            && now >= tx.sent + self.config.retry_delay
        {
            tx.sent = now;
            self.effects.push(Effect::BumpFee { id });
        }
    }

    /// Whether this is the transaction in doubt; it is not any more then.
    fn decide(&mut self, id: TxId) -> bool {
        self.in_doubt.take_if(|tx| tx.id == id).is_some()
    }

    pub(super) fn included(&mut self, id: TxId, l1_block: u64) {
        if !self.decide(id) {
            return;
        }
        let Some(front) = self.queue.front_mut() else { return };
        if front.included(l1_block) {
            let last = front.channel.last;
            self.queue.pop_front();
            self.included.push_back(Included { last, l1_block });
        }
    }

    pub(super) fn failed(&mut self, id: TxId, failure: TxFailure, now: Duration) {
        if !self.decide(id) {
            return;
        }
        if failure == TxFailure::NonceTaken {
            return self.reset(ResetReason::NonceTaken, now);
        }
        let Some(front) = self.queue.front_mut() else { return };
        front.retry_at = now + self.config.retry_delay;
        let carrier = front.carrier();
        if let (TxFailure::Reverted, Some(payload @ Payload::Certified { .. })) =
            (failure, front.payloads.front_mut())
        {
            // L1 did not accept the certificate: another one is needed.
            if let Payload::Certified { payload: bytes, .. } = payload {
                *payload = Payload::Undispersed(std::mem::take(bytes));
            }
            self.failover.failed(DispersalFailure::Failed, now, &self.config);
        }
        if carrier != Some(self.failover.carrier(now)) {
            self.restart_channel(0);
        }
    }

    pub(super) fn dispersed(&mut self, id: DispersalId, certificate: Bytes) {
        let Some((_, payload)) = self.dispersing(id) else { return };
        if let Payload::Dispersing { payload: bytes, .. } = payload {
            let payload_bytes = std::mem::take(bytes);
            *payload = Payload::Certified { certificate, payload: payload_bytes };
        }
        self.failover.succeeded();
    }

    pub(super) fn dispersal_failed(
        &mut self,
        id: DispersalId,
        failure: DispersalFailure,
        now: Duration,
    ) {
        let retry_at = now + self.config.retry_delay;
        let Some((index, payload)) = self.dispersing(id) else { return };
        if let Payload::Dispersing { payload: bytes, .. } = payload {
            *payload = Payload::Undispersed(std::mem::take(bytes));
        }
        self.failover.failed(failure, now, &self.config);
        if let Some(submission) = self.queue.get_mut(index) {
            submission.retry_at = retry_at;
        }
        if self.failover.carrier(now) != Carrier::DataAvailability {
            self.leave_da();
        }
    }

    /// Channels that have no certificate get another carrier, and need not wait for it.
    fn leave_da(&mut self) {
        for index in 0..self.queue.len() {
            let Some(submission) = self.queue.get_mut(index) else { return };
            let uses_da = submission.carrier() == Some(Carrier::DataAvailability);
            if uses_da && !submission.is_certified() {
                submission.retry_at = Duration::ZERO;
                self.restart_channel(index);
            }
        }
    }

    /// The payload that is being dispersed under this id, and the place of its channel.
    fn dispersing(&mut self, id: DispersalId) -> Option<(usize, &mut Payload)> {
        self.queue.iter_mut().enumerate().find_map(|(index, submission)| {
            let payload = submission.payloads.front_mut()?;
            let found = matches!(payload, Payload::Dispersing { id: it, .. } if *it == id);
            found.then_some((index, payload))
        })
    }
}
