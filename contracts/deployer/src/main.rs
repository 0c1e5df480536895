//! `cairn-deploy`: deploys a rollup's contracts to L1 and writes its genesis.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cairn_deploy::{DeployConfig, Progress, RunOptions, deploy, read_key};
use clap::Parser;
use eyre::WrapErr;
use reqwest::Url;

/// Deploys a rollup's contracts to L1 and writes genesis.json, rollup.json and addresses.json.
///
/// Run again after an interruption: what is on L1 already is found there and not deployed twice.
#[derive(Debug, Parser)]
#[command(name = "cairn-deploy", version)]
struct Cli {
    /// JSON-RPC of L1.
    #[arg(long, value_name = "URL")]
    l1_rpc: Url,
    /// TOML file with the sections l1, l2, roles, withdrawals and da; defaults suit a development chain.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A value in place of the file's, for example `--set l2.block_time=2`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Folder for the three files.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// File with the deployer's key in hexadecimal; without it CAIRN_DEPLOYER_KEY holds the key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Seconds for which transactions may wait to be mined.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
    /// Stop after this many transactions, without waiting for them.
    #[arg(long, value_name = "NUMBER")]
    transactions_max: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> eyre::Result<()> {
    let cli = Cli::parse();
    // One TLS stack: rustls with ring. A second call would find it installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let start = Instant::now();
    let text = match &cli.config {
        Some(path) => std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?,
        None => String::new(),
    };
    let config = DeployConfig::parse(&text, &cli.overrides)?;
    let key = read_key(cli.key_file.as_deref())?;
    let options = RunOptions {
        patience: Duration::from_secs(cli.patience),
        transactions_max: cli.transactions_max,
    };
    let deployment = deploy(cli.l1_rpc, key, config, options, &mut show).await?;
    deployment.write(&cli.out)?;
    println!("deployed in {:.1} s, files in {}", start.elapsed().as_secs_f64(), cli.out.display());
    Ok(())
}

fn show(progress: Progress) {
    match progress {
        Progress::Surveyed { done, total } => eprintln!("{done} of {total} steps are done"),
        Progress::Sent { step } => eprintln!("sent: {step}"),
        Progress::Mined { transactions } => eprintln!("{transactions} transactions are mined"),
        Progress::Genesis { l1_block, l2_hash } => {
            eprintln!("L2 begins after L1 block {l1_block} with {l2_hash}");
        }
    }
}
