//! The senders of many transactions at once.

use alloy_consensus::crypto::RecoveryError;
use alloy_primitives::Address;
use cairn_recovery::{Signed, recover_all};

use crate::TxEnvelope;

/// The sender of each transaction, in their order; of a deposit the one that it names. On processors
/// with the instructions for it, eight cost little more than one: give as many as there are.
///
/// # Errors
/// For a transaction whose signature recovers to no address, or whose `s` is high (EIP-2).
pub fn recover_senders<'a>(
    txs: impl IntoIterator<Item = &'a TxEnvelope> + Clone,
) -> Vec<Result<Address, RecoveryError>> {
    let signed: Vec<Signed> = txs.clone().into_iter().filter_map(signed).collect();
    let mut recovered = recover_all(&signed).into_iter();
    let sender = |tx: &TxEnvelope| match tx {
        TxEnvelope::Deposit(deposit) => Ok(deposit.from),
        _ => recovered.next().unwrap_or_else(|| Err(RecoveryError::new())),
    };
    txs.into_iter().map(sender).collect()
}

/// `None` for a deposit, which has no signature.
fn signed(tx: &TxEnvelope) -> Option<Signed> {
    let (digest, signature) = match tx {
        TxEnvelope::Legacy(tx) => (tx.signature_hash(), tx.signature()),
        TxEnvelope::Eip2930(tx) => (tx.signature_hash(), tx.signature()),
        TxEnvelope::Eip1559(tx) => (tx.signature_hash(), tx.signature()),
        TxEnvelope::Eip4844(tx) => (tx.signature_hash(), tx.signature()),
        TxEnvelope::Eip7702(tx) => (tx.signature_hash(), tx.signature()),
        TxEnvelope::Deposit(_) => return None,
    };
    Some(Signed { digest, signature: *signature })
}

#[cfg(test)]
mod tests {
    use alloy_consensus::transaction::SignerRecoverable;
    use alloy_consensus::{Signed as SignedTransaction, TxEip1559, TxEip2930, TxLegacy};
    use alloy_primitives::{Signature, U256};
    use op_alloy_consensus::TxDeposit;

    use super::*;

    /// Signatures that somebody may have made, but for every seventh, whose `s` is high.
    fn signature(n: u64) -> Signature {
        let high = U256::MAX >> if n % 7 == 6 { 0 } else { 2 };
        Signature::new(U256::from(n + 1), high - U256::from(n), n.is_multiple_of(2))
    }

    fn transaction(n: u64) -> TxEnvelope {
        let signature = signature(n);
        match n % 4 {
            0 => TxDeposit { from: Address::repeat_byte(n as u8), ..TxDeposit::default() }.into(),
            1 => {
                let tx = TxLegacy { nonce: n, chain_id: Some(n), ..TxLegacy::default() };
                TxEnvelope::Legacy(SignedTransaction::new_unhashed(tx, signature))
            }
            2 => {
                let tx = TxEip2930 { nonce: n, ..TxEip2930::default() };
                TxEnvelope::Eip2930(SignedTransaction::new_unhashed(tx, signature))
            }
            _ => {
                let tx = TxEip1559 { nonce: n, ..TxEip1559::default() };
                TxEnvelope::Eip1559(SignedTransaction::new_unhashed(tx, signature))
            }
        }
    }

    #[test]
    fn many_are_what_each_is_alone() {
        for count in [0, 1, 2, 3, 9, 16, 100] {
            let txs: Vec<TxEnvelope> = (0..count).map(transaction).collect();
            let all = recover_senders(&txs);
            assert_eq!(all.len(), txs.len());
            for (tx, sender) in txs.iter().zip(all) {
                assert_eq!(sender.ok(), tx.recover_signer().ok(), "{tx:?}");
            }
        }
        let txs: Vec<TxEnvelope> = (0..100).map(transaction).collect();
        let all = recover_senders(&txs);
        assert!(all.iter().filter(|sender| sender.is_ok()).count() > 50);
        assert!(all.iter().any(Result::is_err));
    }
}
