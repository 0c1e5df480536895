//! Positional parameters of a call, read as geth reads them (`rpc/json.go`).

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::RpcError;

/// The parameters of one call, still JSON. Owned, so that a call can move to another thread.
#[derive(Debug, Default)]
pub struct Args(Vec<Box<RawValue>>);

impl Args {
    /// Splits the `params` member. Absent and `null` count as empty; objects are refused.
    pub fn parse(params: Option<&str>, at_most: usize) -> Result<Self, RpcError> {
        let params = params.unwrap_or("").trim();
        if params.is_empty() || params == "null" {
            return Ok(Self::default());
        }
        if !params.starts_with('[') {
            return Err(RpcError::InvalidParams("non-array args".into()));
        }
        let args: Vec<Box<RawValue>> = serde_json::from_str(params)
            .map_err(|error| RpcError::InvalidParams(error.to_string()))?;
        if args.len() > at_most {
            let text = format!("too many arguments, want at most {at_most}");
            return Err(RpcError::InvalidParams(text));
        }
        Ok(Self(args))
    }

    /// A parameter that must be there and not be `null`.
    pub fn required<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        self.optional(index)?.ok_or_else(|| missing(index))
    }

    /// A parameter that may be absent or `null`.
    pub fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        match self.0.get(index) {
            Some(raw) if raw.get() != "null" => {
                serde_json::from_str(raw.get()).map(Some).map_err(|error| invalid(index, &error))
            }
            _ => Ok(None),
        }
    }

    /// A parameter that may be absent or `null`, with its default.
    pub fn or_default<T: DeserializeOwned + Default>(&self, index: usize) -> Result<T, RpcError> {
        Ok(self.optional(index)?.unwrap_or_default())
    }
}

impl jsonrpsee::core::traits::ToRpcParams for &Args {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        serde_json::value::to_raw_value(&self.0).map(Some)
    }
}

fn missing(index: usize) -> RpcError {
    RpcError::InvalidParams(format!("missing value for required argument {index}"))
}

/// serde_json ends its texts with a position that means nothing to the caller.
fn invalid(index: usize, error: &serde_json::Error) -> RpcError {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    RpcError::InvalidParams(format!("invalid argument {index}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, RpcError>) -> String {
        let error = result.expect_err("refused");
        assert_eq!(error.code(), crate::error::INVALID_PARAMS);
        error.to_string()
    }

    #[test]
    fn absent_and_null_arguments_are_missing_or_none() {
        let args = Args::parse(Some("[1, null]"), 3).unwrap();
        assert_eq!(args.required::<u8>(0).unwrap(), 1);
        assert_eq!(args.optional::<u8>(1).unwrap(), None);
        assert_eq!(args.optional::<u8>(2).unwrap(), None);
        assert_eq!(message(args.required::<u8>(1)), "missing value for required argument 1");
    }

    #[test]
    fn wrong_shapes_have_the_texts_of_geth() {
        assert_eq!(message(Args::parse(Some("{}"), 1)), "non-array args");
        assert_eq!(message(Args::parse(Some("[1,2]"), 1)), "too many arguments, want at most 1");
        let args = Args::parse(Some("[\"x\"]"), 1).unwrap();
        assert!(message(args.required::<u8>(0)).starts_with("invalid argument 0: "));
    }

    #[test]
    fn no_params_member_means_no_arguments() {
        assert!(Args::parse(None, 0).is_ok());
        assert!(Args::parse(Some("null"), 0).is_ok());
    }
}
