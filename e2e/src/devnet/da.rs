//! The DA network: operators with their keys, registrations and nodes, and a gateway.

use std::process::{Output, Stdio};
use std::time::Duration;

use alloy_primitives::Address;
use eyre::{WrapErr, bail};
use futures::future::try_join_all;
use tokio::process::Command;
use tokio::time::timeout;

use super::accounts::{Accounts, Role, operator_key_name};
use super::contracts::Deployed;
use super::data_dir::DataDir;
use super::l1::CHAIN_ID;
use super::ports::http;
use super::service::{Probe, Service, args};
use super::settings::Settings;
use crate::process::da_node_binary;

/// What each operator stakes: one ether, the least that the registry takes by default.
const STAKE_WEI: &str = "1000000000000000000";
/// Operators that take snapshots, draw seeds and report signers. One would do; two go on when one is
/// killed.
const KEEPERS: u16 = 2;
/// Milliseconds between looks at L1. Blocks come every second at best.
const POLL_MS: u64 = 500;
/// Bytes of disk kept free: a developer's disk may be nearly full.
const DISK_RESERVE: u64 = 64 << 20;
/// Time for one command of an operator.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Name of the part.
pub(super) fn node_name(number: u16) -> String {
    format!("da-{number}")
}

fn bls_key_name(number: u16) -> String {
    format!("operator-bls-{number}")
}

/// Makes the operators' keys and registers them, all at once.
pub(super) async fn register(
    dir: &DataDir,
    settings: &Settings,
    registry: Address,
) -> eyre::Result<()> {
    let operators =
        (0..settings.da_nodes).map(|number| register_one(dir, settings, registry, number));
    try_join_all(operators).await.map(drop)
}

async fn register_one(
    dir: &DataDir,
    settings: &Settings,
    registry: Address,
    number: u16,
) -> eyre::Result<()> {
    let key = dir.key(&bls_key_name(number));
    let mut make = Command::new(da_node_binary()?);
    make.args(["key", "new", "--out"]).arg(&key);
    run(make).await?;
    let port = settings.ports.da.get(usize::from(number)).copied().unwrap_or_default();
    let mut register = Command::new(da_node_binary()?);
    register.arg("register").args(args([
        &"--key",
        &key,
        &"--l1.key",
        &dir.key(&operator_key_name(number)),
        &"--stake-wei",
        &STAKE_WEI,
        &"--endpoint",
        &http(port),
    ]));
    register.args(l1_args(settings, registry));
    run(register).await.wrap_err_with(|| format!("operator {number} is not registered"))
}

/// Runs a command to its end; an error shows what it said.
async fn run(mut command: Command) -> eyre::Result<()> {
    let child = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let Output { status, stderr, .. } = timeout(COMMAND_LIMIT, child)
        .await
        .wrap_err_with(|| format!("{command:?} takes longer than {COMMAND_LIMIT:?}"))?
        .wrap_err_with(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr).trim());
    }
    Ok(())
}

fn l1_args(settings: &Settings, registry: Address) -> Vec<std::ffi::OsString> {
    args([
        &"--l1.rpc",
        &http(settings.ports.l1),
        &"--l1.chain-id",
        &CHAIN_ID,
        &"--l1.registry",
        &registry.to_string(),
    ])
}

/// The nodes of all operators.
pub(super) fn nodes(
    dir: &DataDir,
    settings: &Settings,
    accounts: &Accounts,
    deployed: &Deployed,
) -> eyre::Result<Vec<Service>> {
    let (registry, inbox) = (deployed.operator_registry()?, deployed.batch_inbox()?.to_string());
    let program = da_node_binary()?;
    let ports = settings.ports.da.iter().zip(&settings.ports.da_metrics);
    ports
        .zip(0u16..)
        .map(|((port, metrics_port), number)| {
            let name = node_name(number);
            let mut args = args([
                &"run",
                &"--datadir",
                &dir.of(&name),
                &"--key",
                &dir.key(&bls_key_name(number)),
                &"--operator",
                &accounts.operator(number)?.address().to_string(),
                &"--http.port",
                port,
                &"--metrics.port",
                metrics_port,
                // L1's newest block counts: nobody reorganises it but tests, and nodes follow.
                &"--l1.confirmations",
                &"0",
                &"--l1.poll-ms",
                &POLL_MS,
                &"--disk-reserve",
                &DISK_RESERVE,
            ]);
            args.extend(l1_args(settings, registry));
            if number < KEEPERS {
                args.extend(["--l1.key".into(), dir.key(&operator_key_name(number)).into()]);
                args.extend(["--l1.inbox".into(), inbox.clone().into()]);
            }
            let probes = vec![Probe::Health { url: format!("{}/health", http(*port)) }];
            Ok(Service { name, program: program.clone(), args, probes })
        })
        .collect()
}

/// The network's front door.
pub(super) fn gateway(
    dir: &DataDir,
    settings: &Settings,
    registry: Address,
) -> eyre::Result<Service> {
    let port = settings.ports.gateway;
    let mut args = args([
        &"gateway",
        &"--http.port",
        &port,
        &"--metrics.port",
        &settings.ports.gateway_metrics,
        &"--payer-key",
        &dir.key(Role::GatewayPayer.key_name()),
    ]);
    args.extend(l1_args(settings, registry));
    let probes = vec![Probe::Health { url: format!("{}/health", http(port)) }];
    Ok(Service { name: "gateway".to_owned(), program: da_node_binary()?, args, probes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_fails_is_shown_with_its_reason() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo the reason >&2; exit 4"]);
        let error = run(command).await.expect_err("it failed");
        assert!(error.to_string().contains("the reason"), "{error}");
        assert!(run(Command::new("/nonexistent/program")).await.is_err(), "no such program");
    }
}
