//! `status`: which part runs, and how far it is.

use std::collections::BTreeMap;

use alloy_primitives::U64;
use eyre::bail;
use futures::future::join_all;
use serde_json::{Value, json};

use super::data_dir::DataDir;
use super::manifest::Manifest;
use super::service::http as client;
use super::{l1, pid_file, rollup};
use crate::rpc::RpcClient;

/// One line of the table.
struct Row {
    name: String,
    pid: Option<i32>,
    url: String,
    /// How far it is, or why it is not well.
    says: Result<String, String>,
}

/// Prints the table.
///
/// # Errors
/// When a part does not run or is not well.
pub(super) async fn run(dir: &DataDir) -> eyre::Result<()> {
    let manifest = Manifest::read(&dir.manifest())?;
    let mut parts = vec![(l1::L1.to_owned(), manifest.l1.rpc.clone())];
    parts.extend(
        (0..)
            .zip(&manifest.da)
            .map(|(number, node)| (super::da::node_name(number), node.url.clone())),
    );
    parts.push(("gateway".to_owned(), manifest.gateway.url.clone()));
    if manifest.pids.contains_key(rollup::SEQUENCER) {
        parts.push((rollup::SEQUENCER.to_owned(), manifest.l2.rpc.clone()));
    }
    if let Some(verifier) = &manifest.verifier {
        parts.push((rollup::VERIFIER.to_owned(), verifier.rpc.clone()));
    }
    let rows = join_all(parts.into_iter().map(|(name, url)| row(dir, name, url))).await;
    for Row { name, pid, url, says } in &rows {
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let (mark, says) = match says {
            Ok(says) => ("ok", says),
            Err(says) => ("--", says),
        };
        println!("{mark}  {name:<10} {pid:>8}  {url:<24} {says}");
    }
    if rows.iter().any(|row| row.says.is_err()) {
        bail!("not all parts are well; `cairn-devnet logs NAME` tells more");
    }
    Ok(())
}

async fn row(dir: &DataDir, name: String, url: String) -> Row {
    let process = pid_file::read(dir, &name);
    let says = match process {
        None => Err("does not run".to_owned()),
        Some(_) => ask(&name, &url).await.map_err(|error| format!("{error:#}")),
    };
    Row { name, pid: process.map(|process| process.pid), url, says }
}

async fn ask(name: &str, url: &str) -> eyre::Result<String> {
    if name == l1::L1 {
        return Ok(format!("block {}", RpcClient::new(url)?.block_number().await?));
    }
    if name == rollup::SEQUENCER || name == rollup::VERIFIER {
        return heads(url).await;
    }
    let answer = client()?.get(format!("{url}/health")).send().await?;
    let status = answer.status();
    let health: Value = answer.json().await.unwrap_or_default();
    if !status.is_success() {
        bail!("{status}: {}", text(&health["reason"]));
    }
    let parts = [("epoch", "epoch"), ("L1 block", "l1Block")];
    let known = parts.iter().filter(|(_, member)| !health[member].is_null());
    let shown: Vec<String> =
        known.map(|(name, member)| format!("{name} {}", text(&health[member]))).collect();
    Ok(shown.join(", "))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn heads(url: &str) -> eyre::Result<String> {
    let rpc = RpcClient::new(url)?;
    let mut heads = BTreeMap::new();
    for (order, tag) in ["latest", "safe", "finalized"].into_iter().enumerate() {
        let block: Option<Value> = rpc.call("eth_getBlockByNumber", json!([tag, false])).await?;
        let number =
            block.and_then(|block| serde_json::from_value::<U64>(block["number"].clone()).ok());
        heads.insert(order, (tag, number));
    }
    let shown = heads.values().map(|(tag, number)| match number {
        Some(number) => format!("{tag} {number}"),
        None => format!("{tag} none"),
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}
