//! Blob parameters by timestamp (EIP-7840, EIP-7892).

use alloy_eips::eip7840::BlobParams;
use alloy_genesis::ChainConfig;

/// Which blob parameters hold from which timestamp on, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobSchedule(Vec<(u64, BlobParams)>);

impl BlobSchedule {
    /// Reads `blobSchedule` of a geth-style configuration. A fork without an entry keeps the
    /// parameters that its EIP gives (Cancun, Prague, Osaka) or those before it (BPO forks).
    pub fn from_config(config: &ChainConfig) -> Self {
        let named = |name: &str| config.blob_schedule.get(name).copied();
        let forks = [
            (config.cancun_time, "cancun", Some(BlobParams::cancun())),
            (config.prague_time, "prague", Some(BlobParams::prague())),
            (config.osaka_time, "osaka", Some(BlobParams::osaka())),
            (config.bpo1_time, "bpo1", None),
            (config.bpo2_time, "bpo2", None),
            (config.bpo3_time, "bpo3", None),
            (config.bpo4_time, "bpo4", None),
            (config.bpo5_time, "bpo5", None),
        ];
        let osaka_time = config.osaka_time;
        let mut schedule: Vec<(u64, BlobParams)> = forks
            .into_iter()
            .filter_map(|(time, name, standard)| {
                let (time, params) = (time?, named(name).or(standard)?);
                Some((time, with_osaka_limits(params, time, osaka_time)))
            })
            .collect();
        schedule.sort_by_key(|(time, _)| *time);
        Self(schedule)
    }

    /// Parameters at a timestamp, `None` before Cancun.
    pub fn at(&self, timestamp: u64) -> Option<BlobParams> {
        self.0.iter().rev().find(|(time, _)| *time <= timestamp).map(|(_, params)| *params)
    }

    /// All entries, ascending by timestamp.
    pub fn entries(&self) -> &[(u64, BlobParams)] {
        &self.0
    }
}

/// From Osaka on a transaction holds at most six blobs (EIP-7594) and the reserve price of
/// EIP-7918 applies; neither stands in the configuration file.
fn with_osaka_limits(params: BlobParams, time: u64, osaka_time: Option<u64>) -> BlobParams {
    if osaka_time.is_none_or(|osaka| time < osaka) {
        return params;
    }
    let osaka = BlobParams::osaka();
    BlobParams {
        max_blobs_per_tx: osaka.max_blobs_per_tx,
        blob_base_cost: osaka.blob_base_cost,
        ..params
    }
}
