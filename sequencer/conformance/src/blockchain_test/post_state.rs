//! A state compared with a file's, account by account.

use alloy_primitives::B256;
use cairn_primitives::StateReader;
use cairn_state::StateView;

use crate::failure::{CaseError, same};
use crate::sections::{Accounts, plain_state_root};

/// Reads every account and slot of the file, then holds the root of all of them against the
/// header's, which finds what the file does not have.
pub(super) fn compare(state: &StateView, root: B256, accounts: &Accounts) -> Result<(), CaseError> {
    for (address, section) in accounts {
        let account = state.account(*address)?;
        let want = section.account()?;
        if account != Some(want) {
            return Err(CaseError::Mismatch {
                what: "account",
                got: format!("{address} {account:?}"),
                want: format!("{want:?}"),
            });
        }
        if want.has_code() {
            same("code", &state.code(want.code_hash)?, section.code())?;
        }
        let zeros = section.zero_slots().map(|slot| (slot, Default::default()));
        for (slot, want) in section.slots().chain(zeros) {
            let got = state.storage(*address, slot)?;
            if got != want {
                return Err(CaseError::Mismatch {
                    what: "storage",
                    got: format!("{address} slot {slot:#x}: {got:#x}"),
                    want: format!("{want:#x}"),
                });
            }
        }
    }
    same("root of the file's accounts", &plain_state_root(accounts)?, &root)
}
