//! Structured logs on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::SetupError;

/// How logs are written.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Filter, such as `info` or `node=debug,warn`; `RUST_LOG` stands in for it.
    #[arg(long = "log.filter", env = "RUST_LOG", default_value = "info", global = true)]
    pub filter: String,
    /// Form of the lines.
    #[arg(long = "log.format", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub format: LogFormat,
}

/// Form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

impl LogArgs {
    /// Installs the log writer. Called once.
    ///
    /// # Errors
    /// [`SetupError::LogFilter`], [`SetupError::Twice`].
    pub fn start(&self) -> Result<(), SetupError> {
        let filter = EnvFilter::try_new(&self.filter)
            .map_err(|error| SetupError::LogFilter(error.to_string()))?;
        let builder =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        match self.format {
            LogFormat::Text => builder.try_init(),
            LogFormat::Json => builder.json().try_init(),
        }
        .map_err(|error| SetupError::Twice(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_and_a_second_start_are_told() {
        let args = |filter: &str| LogArgs { filter: filter.into(), format: LogFormat::Json };
        assert!(matches!(args("a=b=c").start(), Err(SetupError::LogFilter(_))));
        args("warn").start().unwrap();
        assert!(matches!(args("warn").start(), Err(SetupError::Twice(_))));
    }
}
