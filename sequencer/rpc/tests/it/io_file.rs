//! Files of recorded requests and answers (`.io`, execution-apis).
//!
//! ```text
//! // a comment; `speconly:` tells that only the form of the answer is fixed
//! >> request
//! << answer
//! ```

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One file.
#[derive(Debug)]
pub(crate) struct IoFile {
    /// `method/test`, without extension.
    pub(crate) name: String,
    pub(crate) speconly: bool,
    pub(crate) exchanges: Vec<(Value, Value)>,
}

/// Reads all files below a directory, in order.
pub(crate) fn read_all(root: &Path) -> Vec<IoFile> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .flat_map(|directory| std::fs::read_dir(directory).expect("a directory"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "io"))
        .collect();
    files.sort();
    files.iter().map(|path| read(root, path)).collect()
}

fn read(root: &Path, path: &Path) -> IoFile {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let name = path.strip_prefix(root).expect("below the root").with_extension("");
    let mut exchanges = Vec::new();
    let mut request = None;
    for line in text.lines() {
        let json = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        if let Some(sent) = line.strip_prefix(">> ") {
            request = Some(json(sent));
        } else if let Some(received) = line.strip_prefix("<< ") {
            let request = request.take().expect("a request before each answer");
            exchanges.push((request, json(received)));
        }
    }
    assert!(!exchanges.is_empty() && request.is_none(), "{}: incomplete", path.display());
    IoFile {
        name: name.to_string_lossy().into_owned(),
        speconly: text.lines().any(|line| line.starts_with("// speconly")),
        exchanges,
    }
}

/// What differs between an expected and a received answer; `None` if nothing does.
pub(crate) fn difference(expected: &Value, received: &Value, speconly: bool) -> Option<String> {
    if let Some(error) = expected.get("error") {
        let (want, got) = (&error["code"], &received["error"]["code"]);
        return (want != got).then(|| format!("want error {want}, got {}", short(received)));
    }
    if received.get("result").is_none() {
        return Some(format!("got {}", short(received)));
    }
    let (want, got) = (&expected["result"], &received["result"]);
    if speconly {
        return (form(want) != form(got))
            .then(|| format!("want the form of {}, got {}", short(want), short(got)));
    }
    first_difference("result", want, got)
}

/// Kind of a value, and the names of its fields.
fn form(value: &Value) -> (u8, Vec<&String>) {
    match value {
        Value::Null => (0, Vec::new()),
        Value::Bool(_) => (1, Vec::new()),
        Value::Number(_) => (2, Vec::new()),
        Value::String(_) => (3, Vec::new()),
        Value::Array(_) => (4, Vec::new()),
        Value::Object(fields) => (5, fields.keys().collect()),
    }
}

/// The first place where two values differ.
fn first_difference(at: &str, want: &Value, got: &Value) -> Option<String> {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = a.keys().find(|key| !b.contains_key(*key));
            let extra = b.keys().find(|key| !a.contains_key(*key));
            if let Some(key) = missing {
                return Some(format!("{at}.{key} is missing"));
            }
            if let Some(key) = extra {
                return Some(format!("{at}.{key} is too much: {}", short(&b[key])));
            }
            a.iter().find_map(|(key, want)| first_difference(&format!("{at}.{key}"), want, &b[key]))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (want, got))| first_difference(&format!("{at}[{i}]"), want, got)),
        _ if want == got => None,
        _ => Some(format!("{at}: want {}, got {}", short(want), short(got))),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 160 {
        text
    } else {
        format!("{}…", text.chars().take(160).collect::<String>())
    }
}
