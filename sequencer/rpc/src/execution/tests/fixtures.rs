//! The execution-apis fixtures of the methods here, compared with what geth answered.

use std::path::PathBuf;

use serde_json::Value;

use super::node::Node;

const FOLDERS: [&str; 8] = [
    "debug_traceBlockByHash",
    "debug_traceBlockByNumber",
    "debug_traceTransaction",
    "eth_call",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_simulateV1",
    "debug_traceCall",
];

/// Files that do not match, each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

pub(super) fn fixtures() -> Option<PathBuf> {
    cairn_test_setup::fixtures("execution-apis")
}

/// Whether a response is the one expected: the same JSON, for errors the same code.
fn matches(got: &Value, want: &Value) -> bool {
    match want.get("error") {
        Some(error) => got["error"]["code"] == error["code"],
        None => got == want,
    }
}

/// The first place where two documents differ.
fn difference(got: &Value, want: &Value, path: &str) -> Option<String> {
    match (got, want) {
        (Value::Object(a), Value::Object(b)) => a
            .keys()
            .chain(b.keys())
            .find_map(|key| difference(&got[key], &want[key], &format!("{path}.{key}"))),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            (0..a.len()).find_map(|at| difference(&got[at], &want[at], &format!("{path}[{at}]")))
        }
        _ if got == want => None,
        _ => {
            let short = |value: &Value| value.to_string().chars().take(160).collect::<String>();
            Some(format!("{path}: {} instead of {}", short(got), short(want)))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_answer_the_fixtures_as_geth_does() {
    let Some(dir) = fixtures() else { return };
    let node = Node::of_fixtures(&dir);
    let (mut passed, mut failed) = (0, Vec::new());
    for folder in FOLDERS {
        let Ok(files) = std::fs::read_dir(dir.join(folder)) else { continue };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let name = format!("{folder}/{}", file.file_name().unwrap().to_string_lossy());
            match replay(&node, &text).await {
                None => passed += 1,
                Some(difference) => failed.push((name, difference)),
            }
        }
    }
    let total = passed + failed.len();
    println!("{passed} of {total} fixtures match");
    for (name, difference) in &failed {
        println!("{name}: {difference}");
    }
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<&str> = EXCEPTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "failures that are not in the list, or entries that pass now");
    assert!(total >= 70, "only {total} files were read");
}

/// Sends every request of a file; `None` when all responses match.
async fn replay(node: &Node, text: &str) -> Option<String> {
    let mut answer = Value::Null;
    for line in text.lines() {
        if let Some(request) = line.strip_prefix(">> ") {
            answer = node.answer(request).await;
        } else if let Some(want) = line.strip_prefix("<< ") {
            let want: Value = serde_json::from_str(want).unwrap();
            if !matches(&answer, &want) {
                return difference(&answer, &want, "");
            }
        }
    }
    None
}
