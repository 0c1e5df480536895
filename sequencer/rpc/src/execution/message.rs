//! A call with its defaults filled in (`CallDefaults` and `ToMessage` of go-ethereum).

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_evm::TxRequest;
use cairn_evm::revm_types::{OpTransaction, OpTx, SpecId, TxEnv};

use super::call_args::{BigQuantity, CallArgs};
use crate::RpcError;

/// Gas of a call when neither caller nor node set a limit.
const UNLIMITED_GAS: u64 = u64::MAX / 2;

/// A call, complete.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) from: Address,
    pub(super) to: Option<Address>,
    pub(super) nonce: u64,
    pub(super) gas: u64,
    pub(super) value: U256,
    pub(super) data: Bytes,
    /// Most that it pays per gas.
    pub(super) fee_cap: U256,
    /// Most that it tips per gas.
    pub(super) tip_cap: U256,
    /// What it pays per gas.
    pub(super) gas_price: U256,
    /// Whether the caller named a gas price instead of caps.
    pub(super) priced: bool,
    pub(super) chain_id: u64,
    pub(super) access_list: Option<AccessList>,
    pub(super) blob_fee_cap: U256,
    /// Whether it means to pay nothing for blobs. Such a call sees a blob fee of zero.
    pub(super) free_blobs: bool,
    pub(super) blob_hashes: Option<Vec<B256>>,
    pub(super) authorizations: Option<Vec<SignedAuthorization>>,
}

impl Message {
    /// Fills in defaults. `gas_cap` zero is no cap; `base_fee` is `None` before London.
    pub(super) fn new(
        args: &CallArgs,
        gas_cap: u64,
        base_fee: Option<u64>,
        chain_id: u64,
    ) -> Result<Self, RpcError> {
        let tips = args.max_fee_per_gas.is_some() || args.max_priority_fee_per_gas.is_some();
        if args.gas_price.is_some() && tips {
            let text = "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified";
            return Err(RpcError::server(text));
        }
        if let Some(have) = args.chain_id.filter(|have| have.0 != U256::from(chain_id)) {
            let have = have.0;
            return Err(RpcError::server(format!(
                "chainId does not match node's (have={have}, want={chain_id})"
            )));
        }
        let gas = match (args.gas, gas_cap) {
            (None, 0) => UNLIMITED_GAS,
            (None, cap) => cap,
            (Some(gas), 0) => gas.0,
            (Some(gas), cap) => gas.0.min(cap),
        };
        let (fee_cap, tip_cap, gas_price) = fees(args, base_fee);
        let hashes = args.blob_versioned_hashes.as_ref();
        let free_blobs = match args.max_fee_per_blob_gas {
            Some(fee) => fee.0.is_zero(),
            None => hashes.is_some(),
        };
        Ok(Self {
            from: args.sender(),
            to: args.to.map(|to| to.0),
            nonce: args.nonce.map_or(0, |nonce| nonce.0),
            gas,
            value: args.value.map_or(U256::ZERO, |value| value.0),
            data: args.call_data()?,
            fee_cap,
            tip_cap,
            gas_price,
            priced: args.gas_price.is_some() || base_fee.is_none(),
            chain_id,
            access_list: args.access_list.clone(),
            blob_fee_cap: args.max_fee_per_blob_gas.map_or(U256::ZERO, |fee| fee.0),
            free_blobs,
            blob_hashes: hashes.map(|hashes| hashes.iter().map(|hash| hash.0).collect()),
            authorizations: args.authorization_list.clone(),
        })
    }

    /// Blobs that it names.
    pub(super) fn blobs(&self) -> usize {
        self.blob_hashes.as_ref().map_or(0, Vec::len)
    }

    /// Whether it pays nothing for gas. Such a call sees a base fee of zero.
    pub(super) fn is_free(&self) -> bool {
        self.gas_price.is_zero()
    }

    /// The message for the EVM under the rules of `spec`. Nonces are checked before, not there.
    pub(super) fn request(&self, spec: SpecId) -> Result<TxRequest, RpcError> {
        let is_london = spec.is_enabled_in(SpecId::LONDON);
        let fee = |fee: U256| {
            u128::try_from(fee).map_err(|_| RpcError::server("fee per gas exceeds 128 bits"))
        };
        // The EVM multiplies in 128 bits.
        let affordable = u128::from(self.gas).checked_mul(fee(self.fee_cap)?);
        affordable.ok_or_else(|| RpcError::server("cost of gas exceeds 128 bits"))?;
        let mut base = TxEnv {
            tx_type: self.evm_type(spec),
            caller: self.from,
            gas_limit: self.gas,
            gas_price: fee(self.fee_cap)?,
            gas_priority_fee: is_london.then(|| fee(self.tip_cap)).transpose()?,
            kind: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            data: self.data.clone(),
            nonce: 0,
            chain_id: Some(self.chain_id),
            access_list: self.access_list.clone().unwrap_or_default(),
            blob_hashes: self.blob_hashes.clone().unwrap_or_default(),
            max_fee_per_blob_gas: fee(self.blob_fee_cap)?,
            authorization_list: Vec::new(),
        };
        base.set_signed_authorization(self.authorizations.clone().unwrap_or_default());
        // Without an encoding there is nothing to charge an L1 data fee for, as in op-geth.
        let enveloped_tx = Some(Bytes::new());
        Ok(OpTx(OpTransaction { base, enveloped_tx, ..OpTransaction::default() }))
    }

    /// The newest type whose features it uses, so that none of them is passed over.
    fn evm_type(&self, spec: SpecId) -> u8 {
        let has = |used: bool, since: SpecId| used && spec.is_enabled_in(since);
        if has(self.authorizations.is_some(), SpecId::PRAGUE) {
            4
        } else if has(self.blob_hashes.is_some(), SpecId::CANCUN) {
            3
        } else if spec.is_enabled_in(SpecId::LONDON) {
            2
        } else {
            has(self.access_list.is_some(), SpecId::BERLIN).into()
        }
    }
}

/// Fee cap, tip cap and price paid.
fn fees(args: &CallArgs, base_fee: Option<u64>) -> (U256, U256, U256) {
    let zero = |fee: Option<BigQuantity>| fee.map_or(U256::ZERO, |fee| fee.0);
    let price = zero(args.gas_price);
    let Some(base_fee) = base_fee.filter(|_| args.gas_price.is_none()) else {
        return (price, price, price);
    };
    let (fee_cap, tip_cap) = (zero(args.max_fee_per_gas), zero(args.max_priority_fee_per_gas));
    // All zeroes stay a free call, whatever the base fee.
    let price = if fee_cap.is_zero() && tip_cap.is_zero() {
        U256::ZERO
    } else {
        tip_cap.saturating_add(U256::from(base_fee)).min(fee_cap)
    };
    (fee_cap, tip_cap, price)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(json: Value) -> Result<Message, RpcError> {
        let args = serde_json::from_value(json).unwrap();
        Message::new(&args, 50_000_000, Some(100), 901)
    }

    #[test]
    fn gas_defaults_to_the_cap_and_never_exceeds_it() {
        assert_eq!(message(json!({})).unwrap().gas, 50_000_000);
        assert_eq!(message(json!({"gas": "0x5208"})).unwrap().gas, 21_000);
        assert_eq!(message(json!({"gas": "0xffffffffff"})).unwrap().gas, 50_000_000);
        let uncapped = Message::new(&CallArgs::default(), 0, None, 1).unwrap();
        assert_eq!(uncapped.gas, u64::MAX / 2);
    }

    #[test]
    fn a_price_and_caps_exclude_each_other() {
        let error = message(json!({"gasPrice": "0x1", "maxFeePerGas": "0x1"})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"
        );
    }

    #[test]
    fn another_chain_is_refused() {
        let error = message(json!({"chainId": "0x1"})).unwrap_err();
        assert_eq!(error.to_string(), "chainId does not match node's (have=1, want=901)");
    }

    #[test]
    fn the_price_is_base_fee_and_tip_up_to_the_cap() {
        let price = |json| message(json).unwrap().gas_price;
        assert_eq!(price(json!({})), U256::ZERO);
        let tipped = json!({"maxFeePerGas": "0x100", "maxPriorityFeePerGas": "0x5"});
        assert_eq!(price(tipped), U256::from(105));
        assert_eq!(price(json!({"maxFeePerGas": "0x10"})), U256::from(16));
        assert_eq!(price(json!({"gasPrice": "0x7"})), U256::from(7));
    }

    #[test]
    fn the_type_is_the_newest_that_is_needed_and_known() {
        let ty = |json, spec| message(json).unwrap().request(spec).unwrap().0.base.tx_type;
        assert_eq!(ty(json!({}), SpecId::OSAKA), 2);
        assert_eq!(ty(json!({"gasPrice": "0x1"}), SpecId::ISTANBUL), 0);
        assert_eq!(ty(json!({"accessList": []}), SpecId::BERLIN), 1);
        assert_eq!(ty(json!({"blobVersionedHashes": []}), SpecId::CANCUN), 3);
        assert_eq!(ty(json!({"authorizationList": []}), SpecId::PRAGUE), 4);
        assert_eq!(ty(json!({"authorizationList": []}), SpecId::CANCUN), 2);
    }
}
