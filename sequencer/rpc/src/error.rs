//! Errors of RPC methods, with the codes and texts of geth, because clients match on them
//! (go-ethereum `rpc/errors.go`, `internal/ethapi/errors.go`).

use alloy_primitives::{B256, Bytes, hex};
use cairn_chain::ChainError;
use cairn_pool::PoolError;
use cairn_primitives::ReadError;
use cairn_state::StateError;
use jsonrpsee::types::ErrorObjectOwned;

/// The request object or batch is not valid JSON-RPC.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// A parameter is missing, superfluous or of the wrong form.
pub const INVALID_PARAMS: i32 = -32602;
/// The node failed.
pub const INTERNAL_ERROR: i32 = -32603;
/// Everything that has no code of its own.
pub const SERVER_ERROR: i32 = -32000;
/// The node is at a limit (EIP-1474); the request may be repeated later.
pub const LIMIT_EXCEEDED: i32 = -32005;
/// A call reverted; the data is its return data.
pub const REVERTED: i32 = 3;
/// `eth_sendRawTransactionSync` gave up waiting (EIP-7966); the data is the transaction's hash.
pub const SYNC_TIMEOUT: i32 = 4;
/// History that the request needs has been pruned (EIP-4444).
pub const PRUNED_HISTORY: i32 = 4444;

/// Why a method has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RpcError {
    /// A parameter is missing or malformed; the text names it.
    #[error("{0}")]
    InvalidParams(String),
    /// No such method, or its namespace is not served on this port.
    #[error("the method {0} does not exist/is not available")]
    MethodNotFound(String),
    /// The request cannot be served; nothing is wrong with the node.
    #[error("{0}")]
    Server(String),
    /// A call reverted.
    #[error("{}", revert_message(.0))]
    Revert(
        /// Return data of the call.
        Bytes,
    ),
    /// The transaction was accepted but not executed in time.
    #[error(
        "The transaction was added to the transaction pool but wasn't processed in {}",
        seconds(*.millis)
    )]
    SyncTimeout {
        /// Hash of the transaction.
        hash: B256,
        /// How long was waited.
        millis: u64,
    },
    /// History that the request needs has been pruned.
    #[error("pruned history unavailable")]
    PrunedHistory,
    /// The node is at a limit; try again later.
    #[error("{0}")]
    LimitExceeded(String),
    /// An error with a code of its own, such as those of `eth_simulateV1`.
    #[error("{message}")]
    Coded {
        /// JSON-RPC error code.
        code: i32,
        /// Text for people.
        message: String,
        /// Further data, hex or any JSON.
        data: Option<serde_json::Value>,
    },
    /// The node failed. The text goes to the caller as it goes to the log.
    #[error("{0}")]
    Internal(String),
}

impl RpcError {
    /// An error with geth's default code.
    pub fn server(message: impl Into<String>) -> Self {
        Self::Server(message.into())
    }

    /// An error with a code of its own and without data.
    pub fn coded(code: i32, message: impl Into<String>) -> Self {
        Self::Coded { code, message: message.into(), data: None }
    }

    /// A failure of the node.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// A block that a state method names and the chain does not have.
    pub fn header_not_found() -> Self {
        Self::server("header not found")
    }

    /// JSON-RPC error code.
    pub const fn code(&self) -> i32 {
        match self {
            Self::InvalidParams(_) => INVALID_PARAMS,
            Self::MethodNotFound(_) => METHOD_NOT_FOUND,
            Self::Server(_) => SERVER_ERROR,
            Self::Revert(_) => REVERTED,
            Self::SyncTimeout { .. } => SYNC_TIMEOUT,
            Self::PrunedHistory => PRUNED_HISTORY,
            Self::LimitExceeded(_) => LIMIT_EXCEEDED,
            Self::Coded { code, .. } => *code,
            Self::Internal(_) => INTERNAL_ERROR,
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        match self {
            Self::Revert(data) => Some(hex::encode_prefixed(data).into()),
            Self::SyncTimeout { hash, .. } => Some(hash.to_string().into()),
            Self::Coded { data, .. } => data.clone(),
            _ => None,
        }
    }
}

/// A duration in the words of geth: milliseconds below a second, else seconds.
fn seconds(millis: u64) -> String {
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    format!("{}s", millis as f64 / 1_000.0)
}

/// The text of a revert: with its reason where the data is `Error(string)` or `Panic(uint256)`.
pub fn revert_message(data: &[u8]) -> String {
    const REVERTED: &str = "execution reverted";
    match cairn_evm::revert_reason(data) {
        Some(reason) => format!("{REVERTED}: {reason}"),
        None => REVERTED.into(),
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        Self::owned(error.code(), error.to_string(), error.data())
    }
}

impl From<ReadError> for RpcError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable { .. } => Self::Server(error.to_string()),
            ReadError::Store(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<StateError> for RpcError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Unavailable { .. } => Self::Server(error.to_string()),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<ChainError> for RpcError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Store(error) => error.into(),
            ChainError::Read(error) => error.into(),
            ChainError::UnknownBlock(_) => Self::header_not_found(),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<PoolError> for RpcError {
    fn from(error: PoolError) -> Self {
        Self::coded(error.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use alloy_sol_types::{Revert, SolError};

    use super::*;

    #[test]
    fn revert_messages_are_those_of_geth() {
        let reason = Revert::from("user error").abi_encode();
        assert_eq!(revert_message(&reason), "execution reverted: user error");
        let panic = alloy_sol_types::Panic { code: U256::from(0x11) }.abi_encode();
        assert_eq!(revert_message(&panic), "execution reverted: arithmetic underflow or overflow");
        assert_eq!(revert_message(&[1, 2, 3, 4]), "execution reverted");
        assert_eq!(revert_message(&[]), "execution reverted");
    }

    #[test]
    fn a_revert_carries_its_data_in_hex() {
        let error = ErrorObjectOwned::from(RpcError::Revert(Bytes::from([0xde, 0xad])));
        assert_eq!(error.code(), 3);
        assert_eq!(error.data().map(|d| d.get()), Some("\"0xdead\""));
    }

    #[test]
    fn a_sync_timeout_carries_the_hash() {
        let hash = B256::repeat_byte(7);
        let error = ErrorObjectOwned::from(RpcError::SyncTimeout { hash, millis: 20 });
        assert_eq!(error.code(), 4);
        assert!(error.message().ends_with("wasn't processed in 20ms"), "{}", error.message());
        assert_eq!((seconds(2_000), seconds(1_500)), ("2s".into(), "1.5s".into()));
        assert_eq!(error.data().map(|d| d.get().to_owned()), Some(format!("\"{hash}\"")));
    }
}
