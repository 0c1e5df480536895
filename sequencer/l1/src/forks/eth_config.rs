//! What L1 says of its forks: `eth_config` (EIP-7910).

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{Address, address};
use serde::Deserialize;
use serde_json::json;

use crate::{L1Client, L1Error};

/// The precompile that came with Osaka (EIP-7951).
const P256VERIFY: Address = address!("0000000000000000000000000000000000000100");

/// The fork that is active, and the next one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct L1Forks {
    /// The active fork.
    pub current: L1Fork,
    /// The next one, if one is scheduled.
    pub next: Option<L1Fork>,
}

/// A fork of L1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Fork {
    /// Seconds since the epoch.
    pub activation_time: u64,
    blob_schedule: Blobs,
    precompiles: BTreeMap<String, Address>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    /// The fee is computed by a division by it.
    base_fee_update_fraction: NonZeroU64,
    max: u64,
    target: u64,
}

impl L1Fork {
    /// Whether Osaka's rules hold: blob sidecars with cell proofs (EIP-7594), at most six blobs in
    /// a transaction.
    pub fn is_osaka(&self) -> bool {
        self.precompiles.values().any(|address| *address == P256VERIFY)
    }

    /// Blob parameters.
    pub fn blob_params(&self) -> BlobParams {
        let Blobs { base_fee_update_fraction, max, target } = self.blob_schedule;
        let fork = if self.is_osaka() { BlobParams::osaka() } else { BlobParams::prague() };
        let max_blobs_per_tx = if self.is_osaka() { fork.max_blobs_per_tx } else { max };
        BlobParams {
            target_blob_count: target,
            max_blob_count: max,
            update_fraction: u128::from(base_fee_update_fraction.get()),
            max_blobs_per_tx,
            ..fork
        }
    }
}

impl L1Forks {
    /// The fork at a time; `None` before the active one, of which L1 does not tell any more.
    pub fn at(&self, time: u64) -> Option<&L1Fork> {
        let next = self.next.as_ref().filter(|next| next.activation_time <= time);
        next.or((self.current.activation_time <= time).then_some(&self.current))
    }
}

impl L1Client {
    /// What L1 says of its forks; `None` if it says nothing. Not checked against anything: nothing
    /// in a block says which blob parameters hold.
    ///
    /// # Errors
    /// [`L1Error`]; [`L1Error::Unavailable`] also from nodes that do not have the method.
    pub async fn forks(&self) -> Result<Option<L1Forks>, L1Error> {
        self.endpoints().call("eth_config", json!([])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(time: u64, precompile: u16) -> L1Fork {
        let json = json!({
            "activationTime": time,
            "blobSchedule": {"baseFeeUpdateFraction": 5_007_716, "max": 9, "target": 6},
            "precompiles": {"X": format!("0x{precompile:040x}")},
            "systemContracts": {"SOMETHING_NEW": Address::ZERO},
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_fraction_of_zero_is_no_answer() {
        let mut told = json!({"activationTime": 1, "precompiles": {}, "blobSchedule": {}});
        told["blobSchedule"] = json!({"baseFeeUpdateFraction": 0, "max": 9, "target": 6});
        assert!(serde_json::from_value::<L1Fork>(told.clone()).is_err());
        told["blobSchedule"]["baseFeeUpdateFraction"] = json!(1);
        assert!(serde_json::from_value::<L1Fork>(told).is_ok());
    }

    #[test]
    fn the_fork_follows_from_time() {
        let forks = L1Forks { current: fork(100, 0x0f), next: Some(fork(200, 0x100)) };
        assert_eq!(forks.at(99), None);
        assert!(!forks.at(199).unwrap().is_osaka());
        assert!(forks.at(200).unwrap().is_osaka());
        assert_eq!(forks.at(100).unwrap().blob_params().max_blobs_per_tx, 9);
        let osaka = forks.at(200).unwrap().blob_params();
        assert_eq!((osaka.max_blobs_per_tx, osaka.max_blob_count), (6, 9));
    }
}
