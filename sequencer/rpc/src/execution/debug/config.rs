//! Options of traces.

use std::time::Duration;

use cairn_evm::trace::{StructLogConfig, TracerConfig, TracerError};
use serde::Deserialize;
use serde_json::Value;

use crate::execution::block_override::BlockOverrides;
use crate::execution::state_override::StateOverrides;
use crate::params::Quantity;
use crate::{MethodLimits, RpcError};

/// Which tracer, and how long. State is never regenerated here, so `reexec` is read past.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TraceConfig {
    tracer: Option<String>,
    tracer_config: Option<Value>,
    timeout: Option<String>,
    #[serde(flatten)]
    logger: LoggerFields,
}

/// Options of the struct logger; `null` counts as absent.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LoggerFields {
    enable_memory: Option<bool>,
    disable_stack: Option<bool>,
    disable_storage: Option<bool>,
    enable_return_data: Option<bool>,
    limit: Option<u64>,
}

/// The same for calls, which may change state and block.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TraceCallConfig {
    #[serde(flatten)]
    pub(super) trace: TraceConfig,
    pub(super) state_overrides: Option<StateOverrides>,
    pub(super) block_overrides: Option<BlockOverrides>,
    pub(super) tx_index: Option<Quantity>,
}

impl TraceConfig {
    /// The tracer that is asked for, the struct logger if none is named.
    pub(super) fn tracer(&self) -> Result<TracerConfig, RpcError> {
        let Some(name) = self.tracer.as_deref().filter(|name| !name.is_empty()) else {
            let logger = self.logger;
            return Ok(TracerConfig::StructLogs(StructLogConfig {
                enable_memory: logger.enable_memory.unwrap_or(false),
                disable_stack: logger.disable_stack.unwrap_or(false),
                disable_storage: logger.disable_storage.unwrap_or(false),
                enable_return_data: logger.enable_return_data.unwrap_or(false),
                limit: logger.limit.unwrap_or(0),
            }));
        };
        TracerConfig::named(name, self.tracer_config.as_ref()).map_err(|error| match error {
            TracerError::Config(_) => RpcError::server(format!("{name}: {error}")),
            other => RpcError::server(other.to_string()),
        })
    }

    /// How long the whole request may take. geth gives that time to every transaction of a block
    /// anew.
    pub(super) fn timeout(&self, limits: &MethodLimits) -> Result<Duration, RpcError> {
        match self.timeout.as_deref() {
            None | Some("") => Ok(limits.trace_timeout.min(limits.trace_timeout_max)),
            Some(text) => {
                let invalid = || RpcError::server(format!("time: invalid duration {text:?}"));
                Ok(parse_duration(text).ok_or_else(invalid)?.min(limits.trace_timeout_max))
            }
        }
    }
}

/// A duration as Go reads it: decimal numbers with units, such as `1m30s` or `1.5s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let seconds = match &rest[..letters] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(json: Value) -> TraceConfig {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_struct_logger_is_the_default_and_has_its_options_beside() {
        let tracer = config(json!({"enableMemory": true, "limit": 7, "reexec": 128})).tracer();
        let Ok(TracerConfig::StructLogs(logger)) = tracer else { panic!("{tracer:?}") };
        assert!(logger.enable_memory && !logger.disable_stack);
        assert_eq!(logger.limit, 7);
    }

    #[test]
    fn an_unknown_tracer_is_named_in_the_error() {
        let error = config(json!({"tracer": "fancyTracer"})).tracer().unwrap_err();
        assert_eq!(error.to_string(), "tracer not found: fancyTracer");
        let script = config(json!({"tracer": "{data: [], fault: function() {}}"})).tracer();
        assert!(script.unwrap_err().to_string().starts_with("JavaScript"));
    }

    #[test]
    fn timeouts_are_read_as_go_reads_them() {
        let trace_timeout_max = Duration::from_secs(300);
        let limits = MethodLimits { trace_timeout_max, ..MethodLimits::default() };
        let timeout = |text: &str| config(json!({"timeout": text})).timeout(&limits);
        assert_eq!(timeout("10s").unwrap(), Duration::from_secs(10));
        assert_eq!(timeout("1m1.5s").unwrap(), Duration::from_millis(61_500));
        assert_eq!(timeout("300ms").unwrap(), Duration::from_millis(300));
        assert_eq!(timeout("900h").unwrap(), trace_timeout_max);
        assert_eq!(config(json!({})).timeout(&limits).unwrap(), limits.trace_timeout);
        for text in ["10", "s", "-1s", "1x", "."] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn call_options_hold_overrides_beside_the_tracer() {
        let json = json!({
            "tracer": "callTracer",
            "stateOverrides": {"0xc000000000000000000000000000000000000000": {"balance": "0x1"}},
            "blockOverrides": {"number": "0x5"},
            "txIndex": "0x2",
        });
        let config: TraceCallConfig = serde_json::from_value(json).unwrap();
        assert!(matches!(config.trace.tracer(), Ok(TracerConfig::Calls(_))));
        assert_eq!(config.state_overrides.map(|overrides| overrides.len()), Some(1));
        assert_eq!(config.tx_index, Some(Quantity(2)));
    }
}
