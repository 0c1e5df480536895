//! Structured logs on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Debug, Clone, Args)]
pub(crate) struct LogArgs {
    /// Filter, such as `info` or `da=debug,warn`; `RUST_LOG` stands in for it.
    #[arg(long = "log.filter", env = "RUST_LOG", default_value = "info", global = true)]
    filter: String,
    /// Form of the lines.
    #[arg(long = "log.format", value_enum, default_value_t = Format::Text, global = true)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Installs the log writer. Called once.
pub(crate) fn start(args: &LogArgs) -> eyre::Result<()> {
    let filter = EnvFilter::try_new(&args.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match args.format {
        Format::Text => builder.init(),
        Format::Json => builder.json().init(),
    }
    Ok(())
}
