//! The public TrieTests. Every file is read; a file that no test knows is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use alloy_primitives::{B256, hex, keccak256};
use alloy_trie::Nibbles;
use cairn_test_setup::fixtures;
use serde_json::Value;

use super::MemoryTrie;
use crate::trie::{LeafValue, TrieSource};

fn directory() -> Option<PathBuf> {
    fixtures("ethereum-tests/TrieTests")
}

/// Text, or hex behind `0x`.
fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    text.strip_prefix("0x").map_or_else(|| text.into(), |digits| hex::decode(digits).unwrap())
}

fn leaf(value: &Value) -> LeafValue {
    if value.is_null() { LeafValue::new() } else { LeafValue::from_vec(bytes(value)) }
}

fn entries(input: &Value) -> Vec<(Vec<u8>, LeafValue)> {
    match input {
        Value::Object(map) => {
            let key = |key: &String| bytes(&Value::String(key.clone()));
            map.iter().map(|(k, v)| (key(k), leaf(v))).collect()
        }
        Value::Array(list) => list.iter().map(|e| (bytes(&e[0]), leaf(&e[1]))).collect(),
        other => panic!("input {other}"),
    }
}

fn path(key: &[u8], secure: bool) -> Nibbles {
    if secure { Nibbles::unpack(keccak256(key)) } else { Nibbles::unpack(key) }
}

fn check_root(name: &str, test: &Value, secure: bool) {
    let expected: B256 = test["root"].as_str().unwrap().parse().unwrap();
    let entries = entries(&test["in"]);
    let mut one_by_one = MemoryTrie::default();
    let mut root = alloy_trie::EMPTY_ROOT_HASH;
    for (key, value) in &entries {
        root = one_by_one.apply(&BTreeMap::from([(path(key, secure), value.clone())]));
    }
    assert_eq!(root, expected, "{name}: one by one");
    let mut at_once = MemoryTrie::default();
    let all = entries.iter().map(|(key, value)| (path(key, secure), value.clone())).collect();
    assert_eq!(at_once.apply(&all), expected, "{name}: at once");
    assert_eq!(at_once.nodes, one_by_one.nodes, "{name}: stored nodes");
    if test["in"].is_object() {
        let mut backwards = MemoryTrie::default();
        for (key, value) in entries.iter().rev() {
            root = backwards.apply(&BTreeMap::from([(path(key, secure), value.clone())]));
        }
        assert_eq!(root, expected, "{name}: backwards");
    }
    let removals = one_by_one.leaves.keys().map(|key| (*key, LeafValue::new())).collect();
    assert_eq!(one_by_one.apply(&removals), alloy_trie::EMPTY_ROOT_HASH, "{name}: emptied");
    assert!(one_by_one.nodes.is_empty(), "{name}: emptied");
}

fn check_neighbours(name: &str, test: &Value) {
    let mut trie = MemoryTrie::default();
    for key in test["in"].as_array().unwrap() {
        let value = LeafValue::from_slice(b"x");
        trie.apply(&BTreeMap::from([(path(&bytes(key), false), value)]));
    }
    let all = super::memory::Borrowed(&trie).first_leaf(&Nibbles::new()).unwrap();
    assert_eq!(all.map(|(key, _)| key), trie.leaves.keys().next().copied());
    for case in test["tests"].as_array().unwrap() {
        let [key, before, after] = [0, 1, 2].map(|i| path(&bytes(&case[i]), false));
        let found = trie.leaves.range(..key).next_back().map_or(Nibbles::new(), |(key, _)| *key);
        assert_eq!(found, before, "{name}: before {case}");
        let next = trie.leaves.keys().find(|other| **other > key);
        assert_eq!(next.copied().unwrap_or_default(), after, "{name}: after {case}");
    }
}

#[test]
fn every_trie_test_gives_its_root() {
    let Some(directory) = directory() else { return };
    let (mut seen, mut cases) = (BTreeSet::new(), 0);
    for entry in std::fs::read_dir(directory).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let secure = match name.as_str() {
            "hex_encoded_securetrie_test.json"
            | "trieanyorder_secureTrie.json"
            | "trietest_secureTrie.json" => Some(true),
            "trieanyorder.json" | "trietest.json" => Some(false),
            "trietestnextprev.json" => None,
            other => panic!("a trie test that nothing runs: {other}"),
        };
        let tests: BTreeMap<String, Value> =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for (test_name, test) in &tests {
            let label = format!("{name}: {test_name}");
            match secure {
                Some(secure) => check_root(&label, test, secure),
                None => check_neighbours(&label, test),
            }
            cases += 1;
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), 6, "files read: {seen:?}");
    println!("{cases}/{cases} trie tests of {} files passed", seen.len());
}
