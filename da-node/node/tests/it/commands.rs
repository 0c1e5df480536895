//! The commands for keys, as an operator calls them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use cairn_node_setup::write_private;
use serde_json::Value;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cairn-da-node")).args(args).output().unwrap()
}

fn shown(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).to_str().unwrap().to_string()
}

#[test]
fn keys_are_made_and_shown_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, keystore) = (path(dir.path(), "plain"), path(dir.path(), "keystore"));
    let password = path(dir.path(), "password");
    write_private(Path::new(&password), "correct horse\n").unwrap();
    let made = shown(&["key", "new", "--out", &plain]);
    assert_eq!(shown(&["key", "show", "--key", &plain]), made);
    let sealed = shown(&["key", "new", "--out", &keystore, "--password-file", &password]);
    let opened = shown(&["key", "show", "--key", &keystore, "--password-file", &password]);
    assert_eq!(sealed, opened);
    assert_ne!(sealed, made);
    assert_eq!(made["publicKey"].as_str().unwrap().len(), 2 + 2 * 192);
    for file in [&plain, &keystore] {
        let again = run(&["key", "new", "--out", file]);
        assert!(!again.status.success());
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(shown(&["key", "show", "--key", &plain]), made);
}

#[test]
fn a_key_without_its_password_or_open_to_others_is_refused_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, keystore) = (path(dir.path(), "plain"), path(dir.path(), "keystore"));
    let (password, wrong) = (path(dir.path(), "password"), path(dir.path(), "wrong"));
    write_private(Path::new(&password), "correct horse").unwrap();
    write_private(Path::new(&wrong), "battery staple").unwrap();
    shown(&["key", "new", "--out", &keystore, "--password-file", &password]);
    shown(&["key", "new", "--out", &plain]);
    let secret = std::fs::read_to_string(&plain).unwrap();
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refusals = [
        (run(&["key", "show", "--key", &keystore]), "needs a password"),
        (
            run(&["key", "show", "--key", &keystore, "--password-file", &wrong]),
            "does not open the keystore",
        ),
        (run(&["key", "show", "--key", &plain]), "0600"),
    ];
    for (output, reason) in refusals {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(reason), "{text}");
        assert!(!text.contains(secret.trim()) && output.stdout.is_empty());
    }
}
