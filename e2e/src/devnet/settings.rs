//! What a devnet is made of, as asked for and as kept for the next start.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use eyre::{bail, ensure};
use serde::{Deserialize, Serialize};

use super::ports::{PortChoice, Ports};

/// Most operators: that many rows has a small batch, and two cores bear no more processes.
const DA_NODES_MAX: u16 = 64;

/// What a devnet is asked to be. What is absent comes from the data directory, then from the
/// defaults.
#[derive(Clone, Debug, Default, Args)]
pub struct DevnetOptions {
    /// Operators of the DA network [default: 4].
    #[arg(long, value_name = "N")]
    pub da_nodes: Option<u16>,
    /// Seconds between L2 blocks [default: 1].
    #[arg(long, value_name = "SECONDS")]
    pub block_time: Option<NonZeroU64>,
    /// Seconds between L1 blocks [default: 2].
    #[arg(long, value_name = "SECONDS")]
    pub l1_block_time: Option<NonZeroU64>,
    /// L1 blocks in an epoch: the newest block but twice as many is final [default: 8].
    #[arg(long, value_name = "N")]
    pub l1_slots_in_an_epoch: Option<NonZeroU64>,
    /// `auto`, or the first of a row of ports: L2, verifier, gateway, L1, and so on
    /// [default: 8545].
    #[arg(long, value_name = "auto|PORT")]
    pub ports: Option<PortChoice>,
    /// Leave the verifier out.
    #[arg(long)]
    pub no_verifier: bool,
    /// Leave sequencer and verifier out: L1, its contracts and the DA network alone.
    #[arg(long)]
    pub no_rollup: bool,
    /// A setting of the deployment in TOML, such as `withdrawals.challenge_window = 5`; may be given
    /// again and again.
    #[arg(long = "deploy", value_name = "SECTION.KEY = VALUE")]
    pub deploy: Vec<String>,
    /// Where everything is kept.
    #[arg(skip)]
    pub data_dir: PathBuf,
    /// Throw away what the data directory holds.
    #[arg(long)]
    pub fresh: bool,
}

/// What a devnet is. Kept in its data directory, because a chain cannot be had with other ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) da_nodes: u16,
    pub(super) block_time: NonZeroU64,
    pub(super) l1_block_time: NonZeroU64,
    pub(super) l1_slots_in_an_epoch: NonZeroU64,
    pub(super) rollup: bool,
    pub(super) verifier: bool,
    pub(super) deploy: Vec<String>,
    /// Operators are registered under theirs.
    pub(super) ports: Ports,
}

impl Settings {
    /// Those of a new devnet.
    ///
    /// # Errors
    /// For numbers that no devnet can have, and when ports are taken.
    pub(super) fn new(options: &DevnetOptions) -> eyre::Result<Self> {
        let da_nodes = options.da_nodes.unwrap_or(4);
        ensure!((1..=DA_NODES_MAX).contains(&da_nodes), "--da-nodes is 1 to {DA_NODES_MAX}");
        let block_time = options.block_time.unwrap_or(NonZeroU64::MIN);
        let l1_block_time = options.l1_block_time.unwrap_or(seconds(2));
        ensure!(
            block_time <= l1_block_time,
            "--block-time {block_time} is above --l1-block-time {l1_block_time}: L2 would fall behind"
        );
        Ok(Self {
            da_nodes,
            block_time,
            l1_block_time,
            l1_slots_in_an_epoch: options.l1_slots_in_an_epoch.unwrap_or(seconds(8)),
            rollup: !options.no_rollup,
            verifier: !options.no_verifier && !options.no_rollup,
            deploy: options.deploy.clone(),
            ports: options.ports.unwrap_or_default().take(da_nodes)?,
        })
    }

    /// Those of an earlier start, if nothing else is asked for. Only the nodes of
    /// the rollup may come and go.
    ///
    /// # Errors
    /// Names the first option that differs.
    pub(super) fn resumed(mut self, options: &DevnetOptions) -> eyre::Result<Self> {
        let differs = |name: &str, kept: &dyn std::fmt::Display| -> eyre::Result<()> {
            bail!("this devnet was made with {name} {kept}; --fresh makes another one")
        };
        if options.da_nodes.is_some_and(|asked| asked != self.da_nodes) {
            differs("--da-nodes", &self.da_nodes)?;
        }
        for (name, asked, kept) in [
            ("--block-time", options.block_time, self.block_time),
            ("--l1-block-time", options.l1_block_time, self.l1_block_time),
            ("--l1-slots-in-an-epoch", options.l1_slots_in_an_epoch, self.l1_slots_in_an_epoch),
        ] {
            if asked.is_some_and(|asked| asked != kept) {
                differs(name, &kept)?;
            }
        }
        if !options.deploy.is_empty() && options.deploy != self.deploy {
            differs("--deploy", &self.deploy.join(" --deploy "))?;
        }
        if let Some(PortChoice::From(first)) = options.ports
            && first != self.ports.l2
        {
            differs("--ports", &self.ports.l2)?;
        }
        self.rollup = !options.no_rollup;
        self.verifier = self.rollup && !options.no_verifier;
        Ok(self)
    }
}

const fn seconds(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).expect("not zero")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn automatic() -> DevnetOptions {
        DevnetOptions { ports: Some(PortChoice::Auto), ..DevnetOptions::default() }
    }

    #[test]
    fn a_later_start_has_the_settings_of_the_first() {
        let made =
            DevnetOptions { da_nodes: Some(5), l1_block_time: Some(seconds(3)), ..automatic() };
        let settings = Settings::new(&made).expect("possible");
        let resumed = settings.clone().resumed(&DevnetOptions::default()).expect("nothing asked");
        assert_eq!(resumed, settings);
        let same = settings.clone().resumed(&made).expect("the same asked");
        assert_eq!(same, settings);
    }

    #[test]
    fn other_settings_need_a_fresh_start_and_are_named() {
        let settings = Settings::new(&automatic()).expect("possible");
        let others = [
            ("--da-nodes", DevnetOptions { da_nodes: Some(7), ..DevnetOptions::default() }),
            ("--block-time", DevnetOptions { block_time: Some(seconds(2)), ..automatic() }),
            ("--l1-block-time", DevnetOptions { l1_block_time: Some(seconds(9)), ..automatic() }),
            ("--ports", DevnetOptions { ports: Some(PortChoice::From(1)), ..automatic() }),
            ("--deploy", DevnetOptions { deploy: vec!["a.b = 1".to_owned()], ..automatic() }),
        ];
        for (name, options) in others {
            let error = settings.clone().resumed(&options).expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for options in [
            DevnetOptions { da_nodes: Some(0), ..automatic() },
            DevnetOptions { da_nodes: Some(65), ..automatic() },
            DevnetOptions { block_time: Some(seconds(3)), ..automatic() },
        ] {
            assert!(Settings::new(&options).is_err(), "{options:?}");
        }
    }
}
