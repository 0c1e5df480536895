//! What must hold of a submission, one check after the other.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use cairn_primitives::da::{Header, Refusal, RefusalCode, RowIndex, Snapshot};

use super::step::{Admission, Decision};
use super::{Disk, Offer, Quorums};

/// Bodies of one header that are read at the same time.
pub(super) const SENDERS_PER_HEADER: usize = 4;

impl Admission {
    pub(super) fn check_disk(&self) -> Decision<()> {
        let message = match &self.disk {
            Disk::Free => return Ok(()),
            Disk::Low { free, wanted } => {
                format!("the disk has {free} bytes free, {wanted} are kept free")
            }
            Disk::Full(text) => format!("the disk is full: {text}"),
        };
        Err(Refusal::new(RefusalCode::DiskFull, message).retry_after(Duration::from_secs(30)))
    }

    pub(super) fn check_expiry(&self, header: &Header, now: Duration) -> Decision<()> {
        let (now, expiry) = (now.as_secs(), header.expiry.0);
        if expiry <= now {
            let message = format!("the header expired at {expiry}, here it is {now}");
            return Err(Refusal::new(RefusalCode::Expired, message));
        }
        let latest = now.saturating_add(self.limits.retention.as_secs());
        if expiry > latest {
            let message =
                format!("expiry {expiry} is after {latest}, the latest accepted at {now}");
            return Err(Refusal::new(RefusalCode::ExpiryTooLate, message));
        }
        Ok(())
    }

    /// The registry as of a block that is young enough: behind an L1 that stands still, or is out
    /// of reach, epochs and quorums may have changed unseen.
    ///
    /// # Errors
    /// [`RefusalCode::L1Unavailable`].
    pub fn fresh_quorums(&self, now: Duration) -> Result<&Quorums, Refusal> {
        let refuse = |message: String| Refusal::new(RefusalCode::L1Unavailable, message);
        let quorums = self.quorums.as_ref();
        let quorums =
            quorums.ok_or_else(|| refuse("the registry on L1 was not read yet".to_string()))?;
        let (time, now) = (quorums.head.time.0, now.as_secs());
        let most = self.limits.l1_max_age.as_secs();
        if now.saturating_sub(time) > most {
            let block = quorums.head.number;
            let message = format!(
                "L1 block {block}, the last one read, is of {time}; here it is {now}, \
                 more than {most} s later"
            );
            return Err(refuse(message).retry_after(Duration::from_secs(30)));
        }
        Ok(quorums)
    }

    pub(super) fn snapshot(&self, header: &Header, now: Duration) -> Decision<Arc<Snapshot>> {
        let quorums = self.fresh_quorums(now)?;
        let found = quorums.snapshots.get(&header.epoch);
        found.filter(|snapshot| snapshot.quorum() == header.quorum).cloned().ok_or_else(|| {
            let (block, current) = (quorums.head.number, quorums.current);
            let message = format!(
                "no quorum with a seed for epoch {} as of L1 block {block}, in epoch {current}",
                header.epoch
            );
            Refusal::new(RefusalCode::UnknownEpoch, message).retry_after(Duration::from_secs(5))
        })
    }

    pub(super) fn own_rows(&self, header: &Header, snapshot: &Snapshot) -> Decision<Vec<RowIndex>> {
        let refuse = |why: &str| {
            let message = format!("{} {why} in epoch {}", self.operator.address, header.epoch);
            Err(Refusal::new(RefusalCode::NotAnOperator, message))
        };
        let Some(index) = snapshot.index_of(self.operator.address) else {
            return refuse("is no operator");
        };
        if snapshot.operator(index).is_none_or(|operator| operator.key != self.operator.key) {
            return refuse("is registered with another key");
        }
        let rows = snapshot.rows_of(index, header);
        if rows.is_empty() { refuse("holds no slot of this header") } else { Ok(rows) }
    }

    pub(super) fn check_length(&self, announced: Option<u64>, length: u64) -> Decision<()> {
        if length > self.limits.max_body_bytes {
            let message = format!("{length} bytes; the limit is {}", self.limits.max_body_bytes);
            return Err(Refusal::new(RefusalCode::TooLarge, message));
        }
        if let Some(announced) = announced.filter(|announced| *announced != length) {
            let message = format!("a submission of {announced} bytes, not {length}");
            return Err(Refusal::new(RefusalCode::Malformed, message));
        }
        Ok(())
    }

    pub(super) fn check_payer(&self, offer: &Offer) -> Decision<()> {
        let (payer, allowed) = (offer.header.payer, &self.limits.payers_allowed);
        if !allowed.is_empty() && !allowed.contains(&payer) {
            let message = format!("payer {payer} is not served here");
            return Err(Refusal::new(RefusalCode::PayerNotServed, message));
        }
        let checked = offer.payer_signature.check(&offer.header);
        checked.map_err(|error| Refusal::new(RefusalCode::PayerSignature, error.to_string()))
    }

    pub(super) fn check_in_flight(&self, header: &Header, hash: B256, length: u64) -> Decision<()> {
        let payer = header.payer;
        let senders = self.senders(header);
        if let Some(other) = senders.first().and_then(|ticket| self.tickets.get(ticket)) {
            if other.hash != hash {
                return Err(reservation_used(header, other.hash));
            }
            return self.check_next_sender(payer, hash, length, senders.len());
        }
        let of_payer = self.reservations.keys().filter(|(other, _)| *other == payer).count();
        if of_payer >= self.limits.in_flight_per_payer {
            let message = format!("{of_payer} submissions of {payer} are in progress");
            return Err(Refusal::new(RefusalCode::RateLimited, message));
        }
        let held = self.bytes_of(payer);
        // Alone a body may be longer: whoever holds most rows of a large matrix gets one like that.
        if held > 0 && held.saturating_add(length) > self.limits.payer_in_flight_bytes {
            let message = format!("{held} bytes of {payer} are in progress");
            return Err(Refusal::new(RefusalCode::RateLimited, message));
        }
        Ok(())
    }
}

impl Admission {
    /// Whoever has seen a header and the payer's signature can begin to send them. That must not
    /// keep the payer out, so some bodies of one header are read side by side, and the first that
    /// is good is stored; to store the same rows again does no harm.
    fn check_next_sender(
        &self,
        payer: Address,
        hash: B256,
        length: u64,
        senders: usize,
    ) -> Decision<()> {
        let of_payer = self.bytes_of(payer).saturating_add(length);
        if senders < SENDERS_PER_HEADER && of_payer <= self.limits.payer_in_flight_bytes {
            return Ok(());
        }
        let message = format!("header {hash} is being checked");
        Err(Refusal::new(RefusalCode::InProgress, message))
    }
}

/// Beyond that no certificate of the epoch is valid, so nobody needs the rows for longer.
pub(super) fn check_certificates_end(header: &Header, snapshot: &Snapshot) -> Decision<()> {
    let (expiry, end) = (header.expiry, snapshot.certificates_end());
    if expiry <= end {
        return Ok(());
    }
    let message = format!("expiry {expiry}: certificates of epoch {} end at {end}", header.epoch);
    Err(Refusal::new(RefusalCode::ExpiryTooLate, message))
}

pub(super) fn reservation_used(header: &Header, by: B256) -> Refusal {
    let Header { payer, reservation, .. } = header;
    let message = format!("reservation {reservation} of {payer} is used by header {by}");
    Refusal::new(RefusalCode::ReservationUsed, message)
}
