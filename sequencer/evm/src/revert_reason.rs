//! Reasons in revert data, as geth reads them (go-ethereum `accounts/abi/abi.go`).

use alloy_sol_types::{Panic, Revert, SolError};

/// The reason in revert data that is `Error(string)` or `Panic(uint256)`.
pub fn revert_reason(data: &[u8]) -> Option<String> {
    if let Ok(revert) = Revert::abi_decode(data) {
        return Some(revert.reason);
    }
    let code = Panic::abi_decode(data).ok()?.code;
    let known = match u64::try_from(code).unwrap_or(u64::MAX) {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => return Some(format!("unknown panic code: {code:#x}")),
    };
    Some(known.into())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;

    #[test]
    fn reasons_are_those_of_geth() {
        let revert = Revert::from("user error").abi_encode();
        assert_eq!(revert_reason(&revert).as_deref(), Some("user error"));
        let panic = |code: u64| revert_reason(&Panic { code: U256::from(code) }.abi_encode());
        assert_eq!(panic(1).as_deref(), Some("assert(false)"));
        assert_eq!(panic(0x99).as_deref(), Some("unknown panic code: 0x99"));
        assert_eq!(revert_reason(&[1, 2, 3, 4]), None);
    }
}
