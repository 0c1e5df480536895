use clap::{CommandFactory, Parser};

use super::*;
use crate::cli::{Cli, Command};

fn parse(args: &[&str]) -> RunArgs {
    let cli = Cli::parse_from([&["cairn-da-node", "run"], args].concat());
    let Command::Run(args) = cli.command else { panic!("not run") };
    *args
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node.toml");
    let text = "retention = 60\nhttp.port = 1\n[l1]\nconfirmations = 9\n[limits]\npayer-rate = 5\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let args = parse(&["--config", path, "--http.port", "3"]).resolve().unwrap();
    assert_eq!(args.http.socket().port(), 3);
    assert_eq!(args.l1.confirmations, Some(9));
    assert_eq!(args.limits().payer_bytes_per_second, 5);
    let quarter = |flags: &[&str]| parse(flags).limits().payer_in_flight_bytes;
    assert_eq!(quarter(&["--limits.in-flight", "400"]), 100);
    assert_eq!(quarter(&["--limits.in-flight", "400", "--limits.payer-in-flight", "9"]), 9);
    assert_eq!(args.limits().retention, Duration::from_secs(60));
    let default = parse(&[]).resolve().unwrap();
    assert_eq!(default.http.socket().port(), 9100);
    assert_eq!(default.limits().retention, Duration::from_secs(14 * 24 * 3600));
}

/// A value that every flag accepts, given the name of its value.
fn value_of(flag: &str) -> &'static str {
    match flag {
        "operator" | "l1.registry" | "l1.inbox" | "limits.payers" => {
            "0x0000000000000000000000000000000000000001"
        }
        "http.addr" | "metrics.addr" => "::1",
        _ => "7",
    }
}

/// What a file with this text makes of no flags.
fn overlaid(text: &str) -> RunArgs {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.toml");
    std::fs::write(&path, text).unwrap();
    cairn_node_setup::resolve(RunArgs::default(), Some(&path)).unwrap()
}

#[test]
fn every_flag_is_a_key_of_the_file() {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let names = run.get_arguments().filter_map(|argument| argument.get_long());
    let names: Vec<_> = names
        .filter(|name| !["config", "help"].contains(name) && !name.starts_with("log."))
        .collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        let flag = format!("--{name}");
        let flags = parse(&[&flag, value_of(name)]);
        let quoted = match name {
            "limits.payers" => format!("[\"{}\"]", value_of(name)),
            _ if value_of(name) != "7" => format!("\"{}\"", value_of(name)),
            _ if ["datadir", "key", "key-password-file", "l1.rpc", "l1.key"].contains(&name) => {
                "\"7\"".to_string()
            }
            _ => "7".to_string(),
        };
        let file: RunArgs = toml::from_str(&format!("{name} = {quoted}")).unwrap();
        assert_eq!(format!("{flags:?}"), format!("{file:?}"), "{name}");
        let overlaid = overlaid(&format!("{name} = {quoted}"));
        assert_eq!(format!("{flags:?}"), format!("{overlaid:?}"), "{name} is lost");
    }
}

#[test]
fn unknown_keys_in_the_file_are_refused() {
    assert!(toml::from_str::<RunArgs>("prot = 1").is_err());
    assert!(toml::from_str::<RunArgs>("[http]\nprot = 1").is_err());
}
