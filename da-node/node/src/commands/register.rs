//! `register`: an operator's entry in the registry.

use cairn_da_node::l1::{Registration, register};

use super::{domain, l1_account, operator_key, provider};
use crate::cli::RegisterArgs;

pub(crate) fn run(args: &RegisterArgs) -> eyre::Result<()> {
    let key = operator_key(&args.key, args.key_password_file.as_deref())?;
    let account = l1_account(&args.l1)?.ok_or_else(|| eyre::eyre!("l1.key is missing"))?;
    let registration = Registration {
        domain: domain(&args.l1)?,
        operator: account.address(),
        key: &key,
        endpoint: args.endpoint.clone(),
        stake: args.stake_wei,
    };
    let provider = provider(&args.l1, Some(account))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transaction = runtime.block_on(register(provider, &registration))?;
    let shown = serde_json::json!({
        "operator": registration.operator,
        "transaction": transaction,
    });
    println!("{shown:#}");
    Ok(())
}
