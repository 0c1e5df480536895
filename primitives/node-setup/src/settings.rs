//! Flags over a TOML file over defaults, with the same names everywhere.
//!
//! The settings of a command are one struct, parsed by clap from flags and by serde from the file:
//! `--http.port 9100` is `http.port = 9100`. Its fields are options; what neither gives is for the
//! code that uses a setting to fill in.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::SetupError;

/// Puts flags over the settings of a file, where there is one. A field of the flags that is `None`
/// or `false` leaves that of the file: a switch is on when either turns it on.
///
/// # Errors
/// [`SetupError::File`], [`SetupError::Settings`] with the line of a key that is not known or a
/// value that is none.
pub fn resolve<T: Serialize + DeserializeOwned>(
    flags: T,
    file: Option<&Path>,
) -> Result<T, SetupError> {
    let Some(path) = file else { return Ok(flags) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| SetupError::File { path: path.to_path_buf(), source })?;
    let settings = |reason: String| SetupError::Settings { path: path.to_path_buf(), reason };
    let file: T = toml::from_str(&text).map_err(|error| settings(error.to_string()))?;
    let value = |of: &T| serde_json::to_value(of).map_err(|error| settings(error.to_string()));
    let merged = over(value(&flags)?, value(&file)?);
    serde_json::from_value(merged).map_err(|error| settings(error.to_string()))
}

fn over(flags: Value, file: Value) -> Value {
    match (flags, file) {
        (Value::Null | Value::Bool(false), file) => file,
        (Value::Object(flags), Value::Object(mut file)) => {
            for (name, flag) in flags {
                let below = file.remove(&name).unwrap_or(Value::Null);
                file.insert(name, over(flag, below));
            }
            Value::Object(file)
        }
        (flags, _) => flags,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
    struct Settings {
        #[serde(skip)]
        config: Option<PathBuf>,
        dev: bool,
        block_time: Option<u64>,
        names: Option<Vec<String>>,
        min_tip: Option<u128>,
        http: Http,
    }

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
    struct Http {
        addr: Option<std::net::IpAddr>,
        port: Option<u16>,
    }

    fn resolved(flags: Settings, text: &str) -> Result<Settings, SetupError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        std::fs::write(&path, text).unwrap();
        resolve(flags, Some(&path))
    }

    #[test]
    fn each_field_comes_from_the_flag_else_from_the_file() {
        let flags = Settings {
            names: Some(vec!["a".into()]),
            http: Http { port: Some(1), ..Http::default() },
            ..Settings::default()
        };
        let text = "dev = true\nblock-time = 18446744073709551\nmin-tip = 7\n\
                    names = [\"b\", \"c\"]\nhttp.port = 2\nhttp.addr = \"::1\"";
        let expected = Settings {
            config: None,
            dev: true,
            block_time: Some(18_446_744_073_709_551),
            names: Some(vec!["a".into()]),
            min_tip: Some(7),
            http: Http { addr: Some("::1".parse().unwrap()), port: Some(1) },
        };
        assert_eq!(resolved(flags.clone(), text).unwrap(), expected);
        assert_eq!(resolved(flags.clone(), "").unwrap(), flags);
        assert_eq!(resolve(flags.clone(), None).unwrap(), flags);
    }

    #[test]
    fn a_switch_is_on_when_either_turns_it_on() {
        let on = Settings { dev: true, ..Settings::default() };
        assert!(resolved(on.clone(), "dev = false").unwrap().dev);
        assert!(resolved(on, "").unwrap().dev);
        assert!(!resolved(Settings::default(), "dev = false").unwrap().dev);
    }

    #[test]
    fn what_the_file_must_not_hold_is_refused_with_its_line() {
        for text in ["\nprot = 1", "\n[http]\nport = 70000", "\nconfig = \"x\"", "\nhttp = 3"] {
            let error = resolved(Settings::default(), text).unwrap_err();
            assert!(matches!(error, SetupError::Settings { .. }), "{error}");
            assert!(error.to_string().contains("line "), "{error}");
        }
        let missing = resolve(Settings::default(), Some(Path::new("/nowhere/node.toml")));
        assert!(matches!(missing, Err(SetupError::File { .. })));
    }
}
