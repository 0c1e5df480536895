//! Signs a whole load before the clock starts.

use std::time::{Duration, Instant};

use alloy::signers::SignerSync;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{B256, Bytes, TxKind};
use eyre::WrapErr;
use rayon::prelude::*;

use super::accounts::Account;
use super::verify::Trace;
use super::workload::{Action, Plan};

/// Transactions that [`recovery_cost`] is measured on, some 0.1 s, in parts of
/// which the fastest counts: the slower ones were interrupted.
const RECOVERY_SAMPLE: usize = 3_000;
const RECOVERY_PART: usize = 200;

/// What a run's transactions pay, and on which chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) chain_id: u64,
    pub(super) max_fee: u128,
    pub(super) priority_fee: u128,
}

/// A signed transaction in its network form.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) hash: B256,
    pub(super) raw: Bytes,
    /// How its success shows.
    pub(super) trace: Trace,
}

/// Signs `action` as the transaction `nonce` of `account`. No `to` deploys.
pub(super) fn sign(
    account: &Account,
    nonce: u64,
    to: TxKind,
    action: Action,
    terms: Terms,
) -> eyre::Result<Signed> {
    let trace = action.trace();
    let transaction = TxEip1559 {
        chain_id: terms.chain_id,
        nonce,
        gas_limit: action.gas,
        max_fee_per_gas: terms.max_fee,
        max_priority_fee_per_gas: terms.priority_fee,
        to,
        value: action.value,
        access_list: AccessList::default(),
        input: action.input,
    };
    let signature = account
        .signer
        .sign_hash_sync(&transaction.signature_hash())
        .wrap_err("a local key signs")?;
    let signed = transaction.into_signed(signature);
    let mut raw = Vec::with_capacity(signed.eip2718_encoded_length());
    signed.eip2718_encode(&mut raw);
    Ok(Signed { hash: *signed.hash(), raw: raw.into(), trace })
}

/// `total` transactions, in the order in which they are sent: every sender's
/// first, then every sender's second, and so on.
pub(super) fn sign_load(
    plan: &Plan,
    senders: &[Account],
    total: u64,
    terms: Terms,
) -> eyre::Result<Vec<Signed>> {
    let width = senders.len() as u64;
    (0..total)
        .into_par_iter()
        .map(|number| {
            let (turn, index) = (number / width, number % width);
            let account = &senders[usize::try_from(index).wrap_err("a sender's index")?];
            let action = plan.action(u32::try_from(index).wrap_err("a sender's index")?, turn);
            let to = TxKind::Call(action.to);
            sign(account, account.nonce + turn, to, action, terms)
        })
        .collect()
}

/// What one core of this machine needs to recover one sender: the work that no
/// node can avoid, and so what a figure has to be held against.
///
/// # Errors
/// When a transaction of the load does not decode or has no valid signature.
pub(super) fn recovery_cost(load: &[Signed]) -> eyre::Result<Duration> {
    let sample = &load[..load.len().min(RECOVERY_SAMPLE)];
    let decoded: Vec<TxEnvelope> = sample
        .iter()
        .map(|signed| TxEnvelope::decode_2718(&mut &signed.raw[..]))
        .collect::<Result<_, _>>()
        .wrap_err("a transaction of the load does not decode")?;
    let mut fastest = Duration::MAX;
    for part in decoded.chunks(RECOVERY_PART) {
        let start = Instant::now();
        for transaction in part {
            std::hint::black_box(transaction.recover_signer().wrap_err("an invalid signature")?);
        }
        let count = u32::try_from(part.len()).wrap_err("a small part")?;
        fastest = fastest.min(start.elapsed() / count);
    }
    Ok(fastest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::accounts::mnemonic_accounts;
    use crate::bench::workload::Workload;
    use alloy_consensus::Transaction;
    use alloy_primitives::Address;

    #[test]
    fn every_sender_gets_consecutive_nonces_and_its_own_signature() {
        let mut senders = mnemonic_accounts(1, 3).expect("derived");
        senders[1].nonce = 7;
        let plan = Plan {
            workload: Workload::Transfer,
            recipients: 5,
            token: Address::ZERO,
            work: Address::ZERO,
        };
        let terms = Terms { chain_id: 901, max_fee: 100, priority_fee: 1 };
        let load = sign_load(&plan, &senders, 8, terms).expect("signed");
        assert_eq!(load.len(), 8);
        for (number, signed) in load.iter().enumerate() {
            let envelope = TxEnvelope::decode_2718(&mut &signed.raw[..]).expect("decodes");
            let sender = &senders[number % 3];
            assert_eq!(envelope.recover_signer().expect("recovers"), sender.address());
            assert_eq!(envelope.nonce(), sender.nonce + (number / 3) as u64);
            assert_eq!(*envelope.tx_hash(), signed.hash);
        }
    }
}
