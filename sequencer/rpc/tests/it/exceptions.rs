//! Fixtures that are known to fail, each with its reason. One that passes is an error too.

/// Name of the file without extension, and why it fails.
pub(crate) const EXCEPTIONS: &[(&str, &str)] = &[];
