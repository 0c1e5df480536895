//! Asking for blobs.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_eips::eip4844::env_settings::EnvKzgSettings;
use alloy_eips::eip4844::{BYTES_PER_BLOB, Blob, kzg_to_versioned_hash};
use alloy_primitives::{B256, hex};
use cairn_rollup::L1BlockRef;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{BlobIds, SlotClock};
use crate::rpc::{Attempt, Backoff, CallError, Endpoint, Endpoints};
use crate::{L1Error, Lie};

/// Seconds for which beacon nodes keep blobs: 4096 epochs of 32 slots of 12 s (EIP-4844).
const RETENTION: u64 = 4096 * 32 * 12;
/// Most blobs that a block is thought to have; the blob schedule will take long to reach it.
const BLOBS_MAX: usize = 128;

/// How blobs are got.
#[derive(Debug, Clone)]
pub struct BlobConfig {
    /// Beacon endpoints in order of preference.
    pub endpoints: Vec<Url>,
    /// How blocks are named to them.
    pub ids: BlobIds,
    /// Time for one answer.
    pub answer_time: Duration,
    /// Pauses after failures.
    pub backoff: Backoff,
}

impl BlobConfig {
    /// Defaults: 20 s for an answer, ids detected.
    pub fn new(endpoints: Vec<Url>) -> Self {
        let ids = BlobIds::Detect;
        let answer_time = Duration::from_secs(20);
        Self { endpoints, ids, answer_time, backoff: Backoff::default() }
    }
}

/// A reader of blobs.
#[derive(Debug)]
pub struct BlobClient {
    endpoints: Endpoints,
    ids: BlobIds,
    detected: OnceLock<BlobIds>,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Genesis {
    genesis_time: String,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "SECONDS_PER_SLOT")]
    seconds_per_slot: String,
}

impl BlobClient {
    /// A client. Asks nothing yet.
    ///
    /// # Errors
    /// [`L1Error::Unavailable`] for a configuration without endpoints.
    pub fn new(config: BlobConfig) -> Result<Self, L1Error> {
        let BlobConfig { endpoints, ids, answer_time, backoff } = config;
        let bytes_max = BLOBS_MAX * (2 * BYTES_PER_BLOB + 8) + 4096;
        let endpoints = Endpoints::new(&endpoints, answer_time, bytes_max, backoff)?;
        Ok(Self { endpoints, ids, detected: OnceLock::new() })
    }

    /// The blobs of a block with these versioned hashes, in their order. A hash may occur twice.
    ///
    /// # Errors
    /// [`L1Error::Pruned`] if nobody has them and they are past their retention,
    /// [`L1Error::Unavailable`] if nobody has them yet.
    pub async fn blobs(
        &self,
        block: &L1BlockRef,
        hashes: &[B256],
    ) -> Result<Vec<Box<Blob>>, L1Error> {
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let what = format!("{} blobs of block {}", hashes.len(), block.number);
        let attempt = move |endpoint| async move { self.blobs_of(endpoint, block, hashes).await };
        match self.endpoints.attempt(&what, attempt).await {
            Err(L1Error::Unavailable { what, reason, .. }) if is_past_retention(block) => {
                Err(L1Error::Pruned { what, reason })
            }
            other => other,
        }
    }

    async fn blobs_of(
        &self,
        endpoint: &Endpoint,
        block: &L1BlockRef,
        hashes: &[B256],
    ) -> Result<Vec<Box<Blob>>, Attempt> {
        let id = self.id(endpoint, block).await?;
        let list: Vec<_> = hashes.iter().map(ToString::to_string).collect();
        let query = [("versioned_hashes", list.join(","))];
        let path = format!("/eth/v1/beacon/blobs/{id}");
        let answer = endpoint.get(&path, &query).await?;
        let given = decode::<Vec<String>>(&path, &answer)?;
        let wanted = hashes.to_vec();
        let matched = tokio::task::spawn_blocking(move || matching(&given, &wanted)).await;
        matched.map_err(|error| CallError::Transport(error.to_string()))?
    }

    async fn id(&self, endpoint: &Endpoint, block: &L1BlockRef) -> Result<u64, Attempt> {
        let ids = match (self.ids, self.detected.get()) {
            (BlobIds::Detect, Some(detected)) => *detected,
            (BlobIds::Detect, None) => {
                let detected = detect(endpoint).await?;
                *self.detected.get_or_init(|| detected)
            }
            (configured, _) => configured,
        };
        let malformed = |reason: String| {
            Attempt::from(Lie::Malformed { what: "the beacon node's clock".to_owned(), reason })
        };
        let id = ids.id(block).ok_or_else(|| malformed("no clock".to_owned()))?;
        id.map_err(|error| malformed(error.to_string()))
    }
}

/// Reads genesis time and seconds per slot; block numbers where there is no spec.
async fn detect(endpoint: &Endpoint) -> Result<BlobIds, Attempt> {
    let path = "/eth/v1/config/spec";
    let spec = match endpoint.get(path, &[]).await {
        Err(CallError::NotFound(_)) => return Ok(BlobIds::BlockNumber),
        answer => decode::<Spec>(path, &answer?)?,
    };
    let path = "/eth/v1/beacon/genesis";
    let genesis = decode::<Genesis>(path, &endpoint.get(path, &[]).await?)?;
    let number = |text: &str| {
        let malformed =
            |_| Lie::Malformed { what: path.to_owned(), reason: format!("{text:?} is no number") };
        text.parse::<u64>().map_err(malformed)
    };
    Ok(BlobIds::Slot(SlotClock {
        genesis_time: number(&genesis.genesis_time)?,
        seconds_per_slot: number(&spec.seconds_per_slot)?,
    }))
}

fn decode<T: DeserializeOwned>(path: &str, answer: &[u8]) -> Result<T, Lie> {
    let malformed = |error: serde_json::Error| Lie::Malformed {
        what: path.to_owned(),
        reason: error.to_string(),
    };
    serde_json::from_slice::<Data<T>>(answer).map(|answer| answer.data).map_err(malformed)
}

/// The blobs with the hashes, in their order. Commits to given blobs until all are found.
fn matching(given: &[String], hashes: &[B256]) -> Result<Vec<Box<Blob>>, Attempt> {
    let mut found: Vec<Option<Box<Blob>>> = vec![None; hashes.len()];
    for text in given {
        if found.iter().all(Option::is_some) {
            break;
        }
        let Some((blob, hash)) = hashed(text) else { continue };
        for (place, _) in found.iter_mut().zip(hashes).filter(|(_, wanted)| **wanted == hash) {
            *place = Some(blob.clone());
        }
    }
    let missing = found.iter().zip(hashes).find(|(blob, _)| blob.is_none());
    if let Some((_, hash)) = missing {
        // Not a lie: a node that lost a blob gives the others.
        let reason = format!("no blob with the hash {hash} among {}", given.len());
        return Err(CallError::Transport(reason).into());
    }
    Ok(found.into_iter().flatten().collect())
}

/// A blob and its versioned hash; `None` for what is no blob.
fn hashed(text: &str) -> Option<(Box<Blob>, B256)> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.len() != 2 * BYTES_PER_BLOB {
        return None;
    }
    let bytes = hex::decode(text).ok()?;
    let sized = c_kzg::Blob::from_bytes(&bytes).ok()?;
    let commitment = EnvKzgSettings::Default.get().blob_to_kzg_commitment(&sized).ok()?;
    let hash = kzg_to_versioned_hash(commitment.to_bytes().as_slice());
    Some((Box::new(Blob::try_from(bytes.as_slice()).ok()?), hash))
}

fn is_past_retention(block: &L1BlockRef) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    now.saturating_sub(block.timestamp) > RETENTION
}
