//! `devnet.json`: where everything is, for people, scripts and tests.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::Address;
use eyre::WrapErr;
use serde::{Deserialize, Serialize};

use super::accounts::UserAccount;

/// The file. Its form is public: names are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// L1.
    pub l1: L1Endpoints,
    /// The sequencer.
    pub l2: L2Endpoints,
    /// The verifier; `null` without one.
    pub verifier: Option<Rpc>,
    /// The nodes of the DA network.
    pub da: Vec<Url>,
    /// The gateway of the DA network.
    pub gateway: Url,
    /// Storage nodes.
    pub storage: Vec<Rpc>,
    /// Addresses of contracts by their names.
    pub contracts: Contracts,
    /// Accounts that have ether on L1 and L2.
    pub accounts: Vec<UserAccount>,
    /// Prometheus metrics of each part.
    pub metrics: BTreeMap<String, String>,
    /// Process of each part.
    pub pids: BTreeMap<String, u32>,
}

/// Where L1 answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Endpoints {
    /// JSON-RPC over HTTP.
    pub rpc: String,
    /// Beacon API, for blobs.
    pub beacon: String,
    /// Chain id.
    pub chain_id: u64,
}

/// Where the sequencer answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L2Endpoints {
    /// JSON-RPC over HTTP.
    pub rpc: String,
    /// JSON-RPC over WebSocket.
    pub ws: String,
    /// Chain id.
    pub chain_id: u64,
}

/// A node that speaks JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rpc {
    /// JSON-RPC over HTTP.
    pub rpc: String,
}

/// A node that speaks HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Url {
    /// Its base URL.
    pub url: String,
}

/// Addresses on both chains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contracts {
    /// On L1.
    pub l1: BTreeMap<String, Address>,
    /// On L2.
    pub l2: BTreeMap<String, Address>,
}

impl Manifest {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there or not of this form.
    pub fn read(path: &Path) -> eyre::Result<Self> {
        let text = std::fs::read_to_string(path)
            .wrap_err_with(|| format!("{}: is there a devnet?", path.display()))?;
        serde_json::from_str(&text).wrap_err_with(|| path.display().to_string())
    }
}
