//! Limits of the JSON-RPC methods, `--rpc.*`.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use cairn_rpc::RpcConfig;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Limits of what callers can make the node do.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RpcLimitArgs {
    /// Most gas of a call, which bounds its memory too [default: 50000000].
    #[arg(id = "rpc.gas-cap", long = "rpc.gas-cap")]
    pub(crate) gas_cap: Option<NonZeroU64>,
    /// Longest run of a call, milliseconds [default: 5000].
    #[arg(id = "rpc.evm-timeout-ms", long = "rpc.evm-timeout-ms")]
    pub(crate) evm_timeout_ms: Option<u64>,
    /// Longest time that a caller can ask for a trace, milliseconds [default: 60000].
    #[arg(id = "rpc.trace-timeout-ms", long = "rpc.trace-timeout-ms")]
    pub(crate) trace_timeout_ms: Option<u64>,
    /// Longest run of a log query or another read of many blocks, milliseconds [default: 10000].
    #[arg(id = "rpc.scan-timeout-ms", long = "rpc.scan-timeout-ms")]
    pub(crate) scan_timeout_ms: Option<u64>,
    /// Blocks that one log query may cover; any number without it.
    #[arg(id = "rpc.log-range", long = "rpc.log-range")]
    pub(crate) log_range: Option<NonZeroU64>,
    /// Largest response, bytes, of a whole batch too [default: 167772160].
    #[arg(id = "rpc.response-bytes", long = "rpc.response-bytes")]
    pub(crate) response_bytes: Option<NonZeroU32>,
    /// Bytes of requests and unread answers that all connections keep together
    /// [default: 536870912].
    #[arg(id = "rpc.kept-bytes", long = "rpc.kept-bytes")]
    pub(crate) kept_bytes: Option<NonZeroUsize>,
    /// The same for one connection; twice the largest response without it.
    #[arg(id = "rpc.connection-kept-bytes", long = "rpc.connection-kept-bytes")]
    pub(crate) connection_kept_bytes: Option<NonZeroUsize>,
    /// Bytes a second below which a client that keeps answers waiting is closed in the end
    /// [default: 8192].
    #[arg(id = "rpc.write-rate", long = "rpc.write-rate")]
    pub(crate) write_rate: Option<u64>,
    /// Threads for methods that read [default: 4].
    #[arg(id = "rpc.read-threads", long = "rpc.read-threads")]
    pub(crate) read_threads: Option<NonZeroUsize>,
    /// Threads for log queries and other reads of many blocks [default: 2].
    #[arg(id = "rpc.scan-threads", long = "rpc.scan-threads")]
    pub(crate) scan_threads: Option<NonZeroUsize>,
    /// Threads for methods that run the EVM [default: 2].
    #[arg(id = "rpc.execution-threads", long = "rpc.execution-threads")]
    pub(crate) execution_threads: Option<NonZeroUsize>,
}

/// Puts a setting in place of the default, if there is one.
fn set<T, U: Into<T>>(place: &mut T, setting: Option<U>) {
    if let Some(setting) = setting {
        *place = setting.into();
    }
}

impl RpcLimitArgs {
    /// Puts the settings over those of `config`.
    pub(crate) fn apply(&self, config: &mut RpcConfig) {
        let millis = |millis: Option<u64>| millis.map(Duration::from_millis);
        let methods = &mut config.methods;
        set(&mut methods.gas_cap, self.gas_cap);
        set(&mut methods.evm_timeout, millis(self.evm_timeout_ms));
        set(&mut methods.trace_timeout_max, millis(self.trace_timeout_ms));
        set(&mut methods.scan_timeout, millis(self.scan_timeout_ms));
        set(&mut methods.log_range, self.log_range);
        let limits = &mut config.limits;
        set(&mut limits.response_bytes, self.response_bytes);
        let largest = usize::try_from(limits.response_bytes).unwrap_or(usize::MAX);
        limits.connection_kept_bytes = largest.saturating_mul(2);
        set(&mut limits.connection_kept_bytes, self.connection_kept_bytes);
        set(&mut limits.kept_bytes, self.kept_bytes);
        set(&mut limits.write_rate, self.write_rate);
        set(&mut limits.read_threads, self.read_threads);
        set(&mut limits.scan_threads, self.scan_threads);
        set(&mut limits.execution_threads, self.execution_threads);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::config::RunArgs;

    /// Every flag, each with a value of its own.
    const ALL: &str = "--rpc.gas-cap 1 --rpc.evm-timeout-ms 2 --rpc.trace-timeout-ms 3 \
        --rpc.scan-timeout-ms 4 --rpc.log-range 5 --rpc.response-bytes 6 --rpc.kept-bytes 7 \
        --rpc.connection-kept-bytes 8 --rpc.write-rate 9 --rpc.read-threads 10 \
        --rpc.scan-threads 11 --rpc.execution-threads 12";

    fn parse(flags: &str) -> RunArgs {
        let words = ["cairn-sequencer", "run"].into_iter().chain(flags.split_whitespace());
        let Command::Run(args) = Cli::parse_from(words).command else { panic!("not run") };
        *args
    }

    /// The settings that flags make of the defaults.
    fn config(flags: &str) -> RpcConfig {
        let mut config = RpcConfig::default();
        parse(flags).rpc.apply(&mut config);
        config
    }

    #[test]
    fn the_defaults_are_those_that_help_names() {
        let (config, default) = (config(""), RpcConfig::default());
        assert_eq!(format!("{config:?}"), format!("{default:?}"));
        let (limits, methods) = (&config.limits, &config.methods);
        assert_eq!((methods.gas_cap, methods.log_range), (50_000_000, 0));
        assert_eq!(methods.evm_timeout, Duration::from_millis(5_000));
        assert_eq!(methods.trace_timeout_max, Duration::from_millis(60_000));
        assert_eq!(methods.scan_timeout, Duration::from_millis(10_000));
        assert_eq!((limits.response_bytes, limits.kept_bytes), (167_772_160, 536_870_912));
        assert_eq!((limits.write_rate, limits.read_threads), (8_192, 4));
        assert_eq!((limits.scan_threads, limits.execution_threads), (2, 2));
    }

    #[test]
    fn every_flag_reaches_the_server() {
        let config = config(ALL);
        let (limits, methods) = (config.limits, config.methods);
        assert_eq!((methods.gas_cap, methods.log_range), (1, 5));
        let times = [methods.evm_timeout, methods.trace_timeout_max, methods.scan_timeout];
        assert_eq!(times, [2, 3, 4].map(Duration::from_millis));
        assert_eq!((limits.response_bytes, limits.kept_bytes), (6, 7));
        assert_eq!((limits.connection_kept_bytes, limits.write_rate), (8, 9));
        let threads = (limits.read_threads, limits.scan_threads, limits.execution_threads);
        assert_eq!(threads, (10, 11, 12));
    }

    #[test]
    fn every_flag_is_a_key_of_the_file() {
        let keys = ALL.split("--").filter_map(|flag| flag.trim().split_once(' '));
        let file: String = keys.map(|(key, value)| format!("{key} = {value}\n")).collect();
        let file: RunArgs = toml::from_str(&file).unwrap();
        assert_eq!(format!("{:?}", parse(ALL)), format!("{file:?}"));
    }

    #[test]
    fn a_larger_response_raises_what_a_connection_keeps() {
        let config = config("--rpc.response-bytes 300000000");
        assert_eq!(config.limits.connection_kept_bytes, 600_000_000);
    }

    #[test]
    fn limits_that_would_bound_nothing_are_refused() {
        for flag in ["--rpc.gas-cap", "--rpc.log-range", "--rpc.kept-bytes", "--rpc.read-threads"] {
            assert!(Cli::try_parse_from(["cairn-sequencer", "run", flag, "0"]).is_err(), "{flag}");
        }
    }
}
