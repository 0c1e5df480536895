//! Asking for blocks.

use std::sync::Arc;
use std::time::Duration;

use alloy::providers::DynProvider;
use alloy_consensus::Header;
use alloy_eips::{BlockNumHash, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes, U64};
use cairn_rollup::L1BlockRef;
use reqwest::Url;
use serde_json::{Value, json};

use super::check::{
    Asked, assemble, compare_hash, known_transaction, transactions_root, with_sidecar,
};
use super::json::{JsonBlock, JsonReceipt, JsonTransaction, Skipped, from_raw};
use super::{FetchedBlock, FetchedTransaction};
use crate::forks::ToldForks;
use crate::rpc::{Attempt, Backoff, CallError, Endpoint, Endpoints, EndpointsTransport, call_as};
use crate::{BlobSchedule, L1Error, Lie};

/// How L1 is reached.
#[derive(Debug, Clone)]
pub struct L1Config {
    /// HTTP endpoints in order of preference.
    pub endpoints: Vec<Url>,
    /// Chain id that they must have.
    pub chain_id: u64,
    /// Time for one answer.
    pub answer_time: Duration,
    /// Most bytes of one answer.
    pub bytes_max: usize,
    /// Pauses after failures.
    pub backoff: Backoff,
    /// Take transactions roots over blob transactions with their sidecars, too: for anvil alone.
    pub sidecar_roots: bool,
    /// Blob parameters by time. Without it what the endpoints say, which reaches back to the active fork alone.
    pub schedule: Option<BlobSchedule>,
}

impl L1Config {
    /// Defaults: 10 s and 128 MiB for an answer, the schedule of the chain if it is a known one.
    pub fn new(endpoints: Vec<Url>, chain_id: u64) -> Self {
        Self {
            endpoints,
            chain_id,
            answer_time: Duration::from_secs(10),
            bytes_max: 128 << 20,
            backoff: Backoff::default(),
            sidecar_roots: false,
            schedule: BlobSchedule::known(chain_id),
        }
    }
}

/// A reader of L1.
#[derive(Debug)]
pub struct L1Client {
    endpoints: Arc<Endpoints>,
    chain_id: u64,
    sidecar_roots: bool,
    schedule: Option<BlobSchedule>,
    pub(crate) told_forks: tokio::sync::Mutex<ToldForks>,
}

impl L1Client {
    /// A client. Asks nothing yet.
    ///
    /// # Errors
    /// [`L1Error::Unavailable`] for a configuration without endpoints.
    pub fn new(config: L1Config) -> Result<Self, L1Error> {
        let L1Config { endpoints, chain_id, answer_time, bytes_max, backoff, .. } = config;
        let endpoints = Endpoints::new(&endpoints, answer_time, bytes_max, backoff)?.into();
        let L1Config { sidecar_roots, schedule, .. } = config;
        Ok(Self { endpoints, chain_id, sidecar_roots, schedule, told_forks: Default::default() })
    }

    /// The endpoints.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A provider over the same endpoints, for questions about contracts.
    pub fn provider(&self) -> DynProvider {
        EndpointsTransport::new(self.endpoints.clone()).provider()
    }

    /// Chain id of the configuration.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    pub(crate) const fn schedule(&self) -> Option<&BlobSchedule> {
        self.schedule.as_ref()
    }

    /// Checks the chain id of every endpoint that answers.
    ///
    /// # Errors
    /// [`L1Error::WrongChain`]; [`L1Error::Unavailable`] if none answers.
    pub async fn check_chain(&self) -> Result<(), L1Error> {
        let params = json!([]);
        let mut last = None;
        let mut answered = false;
        for endpoint in self.endpoints.iter() {
            match call_as::<U64>(endpoint, "eth_chainId", &params).await {
                Ok(Some(found)) if found.to::<u64>() != self.chain_id => {
                    return Err(L1Error::WrongChain {
                        endpoint: endpoint.name().to_owned(),
                        expected: self.chain_id,
                        found: found.to(),
                    });
                }
                Ok(_) => answered = true,
                Err(failure) => last = Some(failure),
            }
        }
        if answered {
            return Ok(());
        }
        Err(L1Error::Unavailable {
            what: "eth_chainId".to_owned(),
            reason: format!("{last:?}"),
            after: Duration::from_secs(1),
        })
    }

    /// A block by number; `None` if there is none yet.
    ///
    /// # Errors
    /// [`L1Error`].
    pub async fn block_by_number(&self, number: u64) -> Result<Option<FetchedBlock>, L1Error> {
        self.block(Asked::Number(number), format!("{number:#x}").into()).await
    }

    /// A block by hash; `None` if no endpoint knows it.
    ///
    /// # Errors
    /// [`L1Error`].
    pub async fn block_by_hash(&self, hash: B256) -> Result<Option<FetchedBlock>, L1Error> {
        self.block(Asked::Hash(hash), json!(hash)).await
    }

    /// The block behind the cursor; `None` if there is none yet.
    ///
    /// # Errors
    /// [`L1Error::Reorg`] if it is no child of the cursor, and the others.
    pub async fn block_after(&self, cursor: BlockNumHash) -> Result<Option<FetchedBlock>, L1Error> {
        let block = self.block_by_number(cursor.number.saturating_add(1)).await?;
        match block {
            Some(block) if block.header.parent_hash != cursor.hash => {
                Err(L1Error::Reorg { cursor, found: block.id() })
            }
            other => Ok(other),
        }
    }

    /// The header at a tag or a number, checked; `None` if there is none.
    ///
    /// # Errors
    /// [`L1Error`].
    pub async fn block_ref(&self, tag: BlockNumberOrTag) -> Result<Option<L1BlockRef>, L1Error> {
        let asked = tag.as_number().map_or(Asked::Tag, Asked::Number);
        self.header(asked, json!(tag)).await
    }

    /// The header of a hash, checked; `None` if no endpoint knows it.
    ///
    /// # Errors
    /// [`L1Error`].
    pub async fn block_ref_by_hash(&self, hash: B256) -> Result<Option<L1BlockRef>, L1Error> {
        self.header(Asked::Hash(hash), json!(hash)).await
    }

    async fn header(&self, asked: Asked, name: Value) -> Result<Option<L1BlockRef>, L1Error> {
        let what = format!("block {name}");
        let params = &json!([name, false]);
        let attempt = move |endpoint| async move {
            let block = call_as::<JsonBlock<Skipped>>(endpoint, asked.method(), params).await?;
            let Some(block) = block else { return Ok(None) };
            asked.check(&block)?;
            let JsonBlock { hash, header, .. } = block;
            Ok(Some(L1BlockRef {
                hash,
                number: header.number,
                parent_hash: header.parent_hash,
                timestamp: header.timestamp,
            }))
        };
        self.endpoints.attempt(&what, attempt).await
    }

    async fn block(&self, asked: Asked, name: Value) -> Result<Option<FetchedBlock>, L1Error> {
        let what = format!("block {name}");
        let params = &json!([name, true]);
        let attempt = move |endpoint| async move { self.block_of(endpoint, asked, params).await };
        match self.endpoints.attempt(&what, attempt).await {
            Err(L1Error::Lie {
                lie: lie @ Lie::ReceiptsRoot { unknown: Some(kind), .. }, ..
            }) => Err(L1Error::UnknownType { kind, lie: lie.into() }),
            other => other,
        }
    }

    async fn block_of(
        &self,
        endpoint: &Endpoint,
        asked: Asked,
        params: &Value,
    ) -> Result<Option<FetchedBlock>, Attempt> {
        let block =
            call_as::<JsonBlock<Vec<JsonTransaction>>>(endpoint, asked.method(), params).await?;
        let Some(block) = block else { return Ok(None) };
        asked.check(&block)?;
        // By hash: a reorganisation in between must not mix two blocks.
        let params = json!([block.hash]);
        let receipts = call_as::<Vec<JsonReceipt>>(endpoint, "eth_getBlockReceipts", &params);
        let Some(receipts) = receipts.await? else {
            let reason = format!("no receipts of block {}", block.hash);
            return Err(CallError::Transport(reason).into());
        };
        let JsonBlock { hash, header, transactions } = block;
        let number = header.number;
        let mut encoded = Vec::with_capacity(transactions.len());
        for (index, transaction) in transactions.into_iter().enumerate() {
            encoded.push(if transaction.is_known() {
                known_transaction(number, index, transaction)?
            } else {
                let raw = from_raw(raw_bytes(endpoint, transaction.hash).await?);
                compare_hash(number, index, transaction.hash, raw)?
            });
        }
        let rooted = self.rooted(endpoint, &header, &encoded).await?;
        Ok(Some(assemble(hash, header, encoded, &rooted, receipts)?))
    }

    /// What stands for each transaction in the transactions root of a checked header.
    async fn rooted(
        &self,
        endpoint: &Endpoint,
        header: &Header,
        transactions: &[FetchedTransaction],
    ) -> Result<Vec<Bytes>, Attempt> {
        let mut rooted: Vec<_> = transactions.iter().map(|one| one.raw.clone()).collect();
        if !self.sidecar_roots || transactions_root(&rooted) == header.transactions_root {
            return Ok(rooted);
        }
        for (raw, transaction) in rooted.iter_mut().zip(transactions) {
            if !transaction.blob_hashes().is_empty() {
                let form = raw_bytes(endpoint, transaction.hash).await?;
                *raw = with_sidecar(header.number, transaction, form)?;
            }
        }
        Ok(rooted)
    }
}

impl Asked {
    const fn method(self) -> &'static str {
        match self {
            Self::Tag | Self::Number(_) => "eth_getBlockByNumber",
            Self::Hash(_) => "eth_getBlockByHash",
        }
    }
}

async fn raw_bytes(endpoint: &Endpoint, hash: B256) -> Result<Bytes, Attempt> {
    let method = "eth_getRawTransactionByHash";
    match call_as::<Bytes>(endpoint, method, &json!([hash])).await? {
        Some(raw) => Ok(raw),
        None => {
            let reason = format!("no bytes of transaction {hash}");
            Err(Lie::Malformed { what: method.to_owned(), reason }.into())
        }
    }
}
