//! `key new` and `key show`.

use std::path::Path;

use alloy_primitives::hex;
use cairn_da_node::keys::{Keystore, ScryptCost, write_plain};
use cairn_node_setup::{read_secret_text, write_private};
use cairn_primitives::da::bls::SecretKey;
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::operator_key;
use crate::cli::KeyCommand;

pub(crate) fn run(command: &KeyCommand) -> eyre::Result<()> {
    let key = match command {
        KeyCommand::New { out, password_file } => create(out, password_file.as_deref())?,
        KeyCommand::Show { key, password_file } => operator_key(key, password_file.as_deref())?,
    };
    let public = key.public_key();
    let shown = serde_json::json!({
        "publicKey": hex::encode_prefixed(public.to_bytes()),
        "compressed": hex::encode_prefixed(public.compress()),
    });
    println!("{shown:#}");
    Ok(())
}

fn create(out: &Path, password_file: Option<&Path>) -> eyre::Result<SecretKey> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed)?;
    let key = SecretKey::derive(&seed)?;
    match password_file {
        Some(path) => {
            let password = read_secret_text(path)?;
            let mut entropy = [0; 64];
            OsRng.try_fill_bytes(&mut entropy)?;
            let keystore = Keystore::create(&key, &password, ScryptCost::default(), entropy)?;
            write_private(out, &serde_json::to_string_pretty(&keystore)?)?;
        }
        None => write_plain(out, &key)?,
    }
    Ok(key)
}
