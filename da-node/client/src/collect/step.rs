//! The state machine.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{
    Certificate, Domain, Header, OperatorIndex, Signers, SlotTable, Snapshot,
};

use super::operator::{Attempts, State};
use super::{Answer, CollectEffect, CollectEvent, CollectPolicy, Shortfall};

/// Signatures for one header as they come in.
#[derive(Debug)]
pub struct Collection {
    header: Header,
    digest: B256,
    snapshot: Arc<Snapshot>,
    table: SlotTable,
    policy: CollectPolicy,
    operators: Vec<State>,
    signed: u16,
    deadline: Duration,
    ended: bool,
}

impl Collection {
    /// A collection that begins with [`CollectEvent::Start`].
    pub fn new(
        header: Header,
        domain: Domain,
        snapshot: Arc<Snapshot>,
        policy: CollectPolicy,
    ) -> Self {
        let table = snapshot.slot_table(&header);
        Self {
            digest: domain.attestation(&header, snapshot.seed()),
            header,
            operators: vec![State::NoSlots; snapshot.operators().len()],
            snapshot,
            table,
            policy,
            signed: 0,
            deadline: Duration::MAX,
            ended: false,
        }
    }

    /// Who holds which rows of the header.
    pub const fn table(&self) -> &SlotTable {
        &self.table
    }

    /// Slots that have signed.
    pub const fn signed(&self) -> u16 {
        self.signed
    }

    /// Takes an event at a time of a clock that does not go back. After `Certified` or `GaveUp`
    /// nothing changes any more.
    pub fn step(&mut self, event: CollectEvent, now: Duration) -> Vec<CollectEffect> {
        let mut effects = Vec::new();
        if self.ended {
            return effects;
        }
        match event {
            CollectEvent::Start => self.start(now, &mut effects),
            CollectEvent::Answered(operator, answer) => self.answered(operator, answer, now),
            CollectEvent::Tick => self.send_again(now, &mut effects),
        }
        effects.push(self.outlook(now));
        effects
    }

    fn start(&mut self, now: Duration, effects: &mut Vec<CollectEffect>) {
        self.deadline = now.saturating_add(self.policy.deadline);
        for at in 0..self.operators.len() {
            let operator = OperatorIndex(at as u16);
            if self.table.weight(operator) > 0 {
                self.operators[at] = State::Sending(Attempts::default().next());
                effects.push(CollectEffect::Send(operator, self.attempt_time(now)));
            }
        }
    }

    /// An attempt ends with the collection at the latest.
    fn attempt_time(&self, now: Duration) -> Duration {
        self.policy.attempt_time.min(self.deadline.saturating_sub(now))
    }

    fn answered(&mut self, operator: OperatorIndex, answer: Answer, now: Duration) {
        let Some(State::Sending(made)) = self.operators.get(operator.as_usize()) else {
            return;
        };
        let made = *made;
        let state = match self.own_signature(operator, &answer) {
            Some(signature) => {
                let before = self.is_certified();
                self.signed = self.signed.saturating_add(self.table.weight(operator));
                if !before && self.is_certified() {
                    let last = now.saturating_add(self.policy.straggler_time);
                    self.deadline = self.deadline.min(last);
                }
                State::Signed(signature)
            }
            None => State::after_failure(made, answer, &self.policy, now),
        };
        self.operators[operator.as_usize()] = state;
    }

    fn own_signature(&self, operator: OperatorIndex, answer: &Answer) -> Option<Signature> {
        let Answer::Signature(bytes) = answer else { return None };
        let signature = Signature::from_bytes(bytes).ok()?;
        let key = self.snapshot.operator(operator)?.key;
        key.verify(self.digest, &signature).then_some(signature)
    }

    fn send_again(&mut self, now: Duration, effects: &mut Vec<CollectEffect>) {
        let time = self.attempt_time(now);
        for (at, state) in self.operators.iter_mut().enumerate() {
            if let State::Waiting { made, until, .. } = state
                && *until <= now
                && now < self.deadline
            {
                *state = State::Sending(made.next());
                effects.push(CollectEffect::Send(OperatorIndex(at as u16), time));
            }
        }
    }

    const fn is_certified(&self) -> bool {
        self.signed >= self.table.threshold()
    }

    /// What follows from where everything stands: the end, or when to look again.
    fn outlook(&mut self, now: Duration) -> CollectEffect {
        let open = self.operators.iter().enumerate().filter(|(_, state)| state.is_open());
        let open: u32 =
            open.map(|(at, _)| u32::from(self.table.weight(OperatorIndex(at as u16)))).sum();
        let over = now >= self.deadline || open == 0;
        let reachable = u32::from(self.signed) + open >= u32::from(self.table.threshold());
        if self.is_certified() && over {
            self.ended = true;
            return self.certificate();
        }
        if over || !reachable {
            self.ended = true;
            return CollectEffect::GaveUp(self.shortfall());
        }
        let due = self.operators.iter().filter_map(|state| match state {
            State::Waiting { until, .. } => Some(*until),
            _ => None,
        });
        CollectEffect::WakeAt(due.min().unwrap_or(self.deadline).min(self.deadline))
    }

    fn certificate(&self) -> CollectEffect {
        let signed = self.operators.iter().enumerate().filter_map(|(at, state)| match state {
            State::Signed(signature) => Some((OperatorIndex(at as u16), signature)),
            _ => None,
        });
        let (signers, signatures): (Vec<_>, Vec<_>) = signed.unzip();
        // Signatures of proven keys under one digest cancel out only if their holders conspire.
        match Signature::sum(signatures) {
            Some(signature) => CollectEffect::Certified(Box::new(Certificate {
                header: self.header,
                signature,
                signers: Signers::new(self.operators.len(), signers),
            })),
            None => CollectEffect::GaveUp(self.shortfall()),
        }
    }

    fn shortfall(&self) -> Shortfall {
        let failures = self.operators.iter().enumerate();
        let failures =
            failures.filter_map(|(at, state)| Some((OperatorIndex(at as u16), state.failure()?)));
        Shortfall {
            signed: self.signed,
            needed: self.table.threshold(),
            slots: self.table.slot_count(),
            failures: failures.collect(),
        }
    }
}
