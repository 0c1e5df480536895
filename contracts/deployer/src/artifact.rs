//! Creation code out of `contracts/artifacts`.

use alloy_primitives::{Bytes, hex};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deployed {
    init_code: Bytes,
}

#[derive(Deserialize)]
struct Installed {
    code: Bytes,
}

/// Creation code of a contract, without its arguments.
macro_rules! init_code {
    ($path:literal) => {
        $crate::artifact::parse_init_code(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../artifacts/",
            $path,
            ".json"
        )))
    };
}
pub(crate) use init_code;

/// # Panics
/// When the file is not what the generator writes. It is part of the program.
pub(crate) fn parse_init_code(json: &str) -> Bytes {
    let artifact: Deployed = serde_json::from_str(json).expect("artifacts are checked in");
    artifact.init_code
}

fn parse_code(json: &str) -> Bytes {
    let artifact: Installed = serde_json::from_str(json).expect("artifacts are checked in");
    artifact.code
}

/// Runtime code of the deterministic deployment proxy.
pub(crate) fn deployment_proxy_code() -> Bytes {
    parse_code(include_str!("../../artifacts/preinstalls/DeterministicDeploymentProxy.json"))
}

/// Creation code of Multicall3, of which only the runtime code is known: it returns that code.
pub(crate) fn multicall3_init_code() -> Bytes {
    let code = parse_code(include_str!("../../artifacts/preinstalls/Multicall3.json"));
    let length = u16::try_from(code.len()).expect("code is at most 24 KiB long");
    // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: ten bytes.
    let mut init_code = hex!("61000080600a5f395ff3").to_vec();
    init_code[1..3].copy_from_slice(&length.to_be_bytes());
    init_code.extend_from_slice(&code);
    init_code.into()
}
