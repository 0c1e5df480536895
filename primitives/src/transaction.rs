//! The transaction envelope of both rule sets.

use alloy_consensus::transaction::Recovered;
use alloy_consensus::{
    Sealable, Sealed, Signed, TransactionEnvelope, TxEip1559, TxEip2930, TxEip4844, TxEip7702,
    TxLegacy,
};
use op_alloy_consensus::TxDeposit;

/// EIP-2718 type byte of a deposit transaction (OP specification, deposits).
pub const DEPOSIT_TX_TYPE: u8 = 0x7e;

/// Any transaction that a Cairn node executes or stores.
///
/// OP rules admit types 0, 1, 2, 4 and deposits; Ethereum rules admit 0 to 4. Which of them a
/// chain accepts is decided by the executor and the pool, not by the decoder.
#[derive(Debug, Clone, TransactionEnvelope)]
#[envelope(tx_type_name = TxType, typed = TypedTx)]
pub enum TxEnvelope {
    /// Legacy transaction, with or without EIP-155 replay protection.
    #[envelope(ty = 0)]
    Legacy(Signed<TxLegacy>),
    /// Access-list transaction (EIP-2930).
    #[envelope(ty = 1)]
    Eip2930(Signed<TxEip2930>),
    /// Dynamic-fee transaction (EIP-1559).
    #[envelope(ty = 2)]
    Eip1559(Signed<TxEip1559>),
    /// Blob transaction (EIP-4844) without its sidecar. Ethereum rules only.
    #[envelope(ty = 3)]
    Eip4844(Signed<TxEip4844>),
    /// Set-code transaction (EIP-7702).
    #[envelope(ty = 4)]
    Eip7702(Signed<TxEip7702>),
    /// Deposit derived from L1 (type 0x7e). OP rules only; carries its sender and no signature.
    #[envelope(ty = 126)]
    #[serde(serialize_with = "op_alloy_consensus::serde_deposit_tx_rpc")]
    Deposit(Sealed<TxDeposit>),
}

/// A transaction with its recovered sender.
pub type SignedTx = Recovered<TxEnvelope>;

impl TxEnvelope {
    /// Whether this is a deposit, which pays no fee and has no signature.
    pub const fn is_deposit_tx(&self) -> bool {
        matches!(self, Self::Deposit(_))
    }

    /// Transaction hash.
    pub fn hash(&self) -> &alloy_primitives::B256 {
        match self {
            Self::Legacy(tx) => tx.hash(),
            Self::Eip2930(tx) => tx.hash(),
            Self::Eip1559(tx) => tx.hash(),
            Self::Eip4844(tx) => tx.hash(),
            Self::Eip7702(tx) => tx.hash(),
            Self::Deposit(tx) => tx.hash_ref(),
        }
    }

    /// The signature; a deposit has none.
    pub const fn signature(&self) -> Option<&alloy_primitives::Signature> {
        match self {
            Self::Legacy(tx) => Some(tx.signature()),
            Self::Eip2930(tx) => Some(tx.signature()),
            Self::Eip1559(tx) => Some(tx.signature()),
            Self::Eip4844(tx) => Some(tx.signature()),
            Self::Eip7702(tx) => Some(tx.signature()),
            Self::Deposit(_) => None,
        }
    }
}

impl From<TxDeposit> for TxEnvelope {
    fn from(deposit: TxDeposit) -> Self {
        Self::Deposit(deposit.seal_slow())
    }
}

impl alloy_consensus::transaction::SignerRecoverable for TxEnvelope {
    fn recover_signer(
        &self,
    ) -> Result<alloy_primitives::Address, alloy_consensus::crypto::RecoveryError> {
        match self {
            Self::Legacy(tx) => alloy_consensus::transaction::SignerRecoverable::recover_signer(tx),
            Self::Eip2930(tx) => {
                alloy_consensus::transaction::SignerRecoverable::recover_signer(tx)
            }
            Self::Eip1559(tx) => {
                alloy_consensus::transaction::SignerRecoverable::recover_signer(tx)
            }
            Self::Eip4844(tx) => {
                alloy_consensus::transaction::SignerRecoverable::recover_signer(tx)
            }
            Self::Eip7702(tx) => {
                alloy_consensus::transaction::SignerRecoverable::recover_signer(tx)
            }
            Self::Deposit(tx) => Ok(tx.from),
        }
    }

    fn recover_signer_unchecked(
        &self,
    ) -> Result<alloy_primitives::Address, alloy_consensus::crypto::RecoveryError> {
        self.recover_signer()
    }
}
