//! Recovery by libsecp256k1, one signature after the other.

use alloy_consensus::crypto::{RecoveryError, secp256k1::recover_signer};
use alloy_primitives::Address;

use crate::Signed;

/// What decides: the lanes give what this gives, or nothing.
pub(crate) fn recover(signed: &Signed) -> Result<Address, RecoveryError> {
    recover_signer(&signed.signature, signed.digest)
}
