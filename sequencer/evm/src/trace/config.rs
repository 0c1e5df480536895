//! Which tracer, and its options.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A tracer that this node does not have, or options that it does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TracerError {
    /// No tracer has that name, and it is no script either.
    #[error("tracer not found: {0}")]
    Unknown(String),
    /// A script. They would need a JavaScript engine.
    #[error("JavaScript tracers are not supported; use a built-in tracer")]
    JavaScript,
    /// The options do not fit the tracer.
    #[error("{0}")]
    Config(String),
}

/// Options of the struct logger, geth's default tracer.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StructLogConfig {
    /// Record memory.
    pub enable_memory: bool,
    /// Leave the stack out.
    pub disable_stack: bool,
    /// Leave storage out.
    pub disable_storage: bool,
    /// Record return data of calls.
    pub enable_return_data: bool,
    /// Bytes of log entries after which no more are added; zero is no limit.
    pub limit: u64,
}

/// Options of `callTracer`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CallConfig {
    /// Leave inner calls out.
    pub only_top_call: bool,
    /// Record logs.
    pub with_log: bool,
}

/// Options of `prestateTracer`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrestateConfig {
    /// State before and after, changes only.
    pub diff_mode: bool,
    /// Leave code out.
    pub disable_code: bool,
    /// Leave storage out.
    pub disable_storage: bool,
    /// Also name accounts that were empty before.
    pub include_empty: bool,
}

/// Options of `flatCallTracer`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlatCallConfig {
    /// Write errors in parity's words.
    pub convert_parity_errors: bool,
    /// Show calls to precompiles.
    pub include_precompiles: bool,
}

/// A tracer with its options.
#[derive(Debug, Clone)]
pub enum TracerConfig {
    /// One entry for each instruction.
    StructLogs(StructLogConfig),
    /// `callTracer`: nested calls.
    Calls(CallConfig),
    /// `prestateTracer`: accounts that the transaction touched.
    Prestate(PrestateConfig),
    /// `4byteTracer`: selectors with the sizes of their arguments.
    FourByte,
    /// `noopTracer`: nothing.
    Noop,
    /// `flatCallTracer`: calls in the form of parity.
    FlatCalls(FlatCallConfig),
    /// `muxTracer`: several at once, by name.
    Mux(BTreeMap<String, Self>),
}

impl TracerConfig {
    /// Reads the name of a built-in tracer and its options.
    pub fn named(name: &str, config: Option<&Value>) -> Result<Self, TracerError> {
        Ok(match name {
            "callTracer" => Self::Calls(options(config)?),
            "prestateTracer" => Self::Prestate(prestate_options(config)?),
            "4byteTracer" => Self::FourByte,
            "noopTracer" => Self::Noop,
            "flatCallTracer" => Self::FlatCalls(options(config)?),
            "parityTracer" => Self::FlatCalls(FlatCallConfig {
                convert_parity_errors: true,
                include_precompiles: true,
            }),
            "muxTracer" => {
                let parts: BTreeMap<String, Value> = options(config)?;
                // A mux inside a mux would nest without bound.
                if parts.contains_key("muxTracer") {
                    return Err(TracerError::Config("muxTracer cannot contain itself".into()));
                }
                let part = |(name, config): (String, Value)| {
                    let tracer = Self::named(&name, Some(&config))?;
                    Ok((name, tracer))
                };
                Self::Mux(parts.into_iter().map(part).collect::<Result<_, _>>()?)
            }
            script if script.contains(['{', '(']) => return Err(TracerError::JavaScript),
            other => return Err(TracerError::Unknown(other.into())),
        })
    }
}

fn options<T: DeserializeOwned + Default>(config: Option<&Value>) -> Result<T, TracerError> {
    match config {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => {
            T::deserialize(value).map_err(|error| TracerError::Config(error.to_string()))
        }
    }
}

fn prestate_options(config: Option<&Value>) -> Result<PrestateConfig, TracerError> {
    let config: PrestateConfig = options(config)?;
    if config.diff_mode && config.include_empty {
        let text = "cannot use diffMode with includeEmpty";
        return Err(TracerError::Config(text.into()));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_read_and_default_to_off() {
        let config = json!({"onlyTopCall": true});
        let calls = TracerConfig::named("callTracer", Some(&config));
        assert!(matches!(
            calls,
            Ok(TracerConfig::Calls(CallConfig { only_top_call: true, with_log: false }))
        ));
        let prestate = TracerConfig::named("prestateTracer", None);
        assert!(matches!(prestate, Ok(TracerConfig::Prestate(config)) if !config.diff_mode));
    }

    #[test]
    fn scripts_and_unknown_names_are_told_apart() {
        let script = TracerConfig::named("{step: function() {}}", None);
        assert_eq!(script.unwrap_err(), TracerError::JavaScript);
        let unknown = TracerConfig::named("nameTracer", None).unwrap_err();
        assert_eq!(unknown.to_string(), "tracer not found: nameTracer");
    }

    #[test]
    fn a_mux_reads_the_options_of_its_parts() {
        let config = json!({"callTracer": {"withLog": true}, "4byteTracer": {}});
        let Ok(TracerConfig::Mux(parts)) = TracerConfig::named("muxTracer", Some(&config)) else {
            panic!("a mux");
        };
        assert_eq!(parts.len(), 2);
        assert!(matches!(&parts["callTracer"], TracerConfig::Calls(config) if config.with_log));
        let nested = json!({"muxTracer": {}});
        assert!(TracerConfig::named("muxTracer", Some(&nested)).is_err());
    }

    #[test]
    fn options_of_another_type_are_refused() {
        let config = json!({"withLog": "yes"});
        assert!(matches!(
            TracerConfig::named("callTracer", Some(&config)),
            Err(TracerError::Config(_))
        ));
    }
}
