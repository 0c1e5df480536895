//! The deterministic deployment proxy on an L1 that lacks it.

use alloy_primitives::{Bytes, U256};

use super::{Patience, Run};
use crate::create2::{DEPLOYMENT_PROXY, PROXY_SENDER, proxy_cost, proxy_creation};
use crate::deployment::Progress;
use crate::error::DeployError;
use crate::l1::Call;

const TRANSFER_GAS: u64 = 21_000;

impl Run<'_> {
    /// Puts the deterministic deployment proxy where it belongs, if it is not there.
    pub(super) async fn deployment_proxy(&mut self) -> Result<(), DeployError> {
        if self.l1.has_code(DEPLOYMENT_PROXY).await? {
            return Ok(());
        }
        self.settle().await?;
        let lacking = proxy_cost().saturating_sub(self.l1.balance_of(PROXY_SENDER).await?);
        if !lacking.is_zero() {
            let (nonce, _) = self.l1.nonces().await?;
            let fees = self.l1.fees().await?;
            let gas = U256::from(fees.max_fee_per_gas) * U256::from(TRANSFER_GAS);
            self.check_balance(lacking + gas).await?;
            self.count()?;
            let (to, data) = (PROXY_SENDER, Bytes::new());
            let call = Call { to, value: lacking, data, gas: TRANSFER_GAS };
            let hash = self.l1.send(self.chain_id, nonce, call, fees).await?;
            (self.progress)(Progress::Sent { step: "fund the deployment proxy's sender".into() });
            self.mined(&[hash]).await?;
        }
        self.count()?;
        let refused =
            |reason: String| DeployError::NoDeploymentProxy { proxy: DEPLOYMENT_PROXY, reason };
        let hash = self.l1.send_raw(&proxy_creation()).await.map_err(|e| refused(e.to_string()))?;
        (self.progress)(Progress::Sent { step: "create the deployment proxy".into() });
        let mut clock = Patience::new(self.options.patience);
        while !self.l1.has_code(DEPLOYMENT_PROXY).await? {
            if self.l1.receipt(hash).await?.is_some_and(|receipt| !receipt.status()) {
                return Err(refused(format!("its creation {hash} failed")));
            }
            clock.wait(|seconds| self.not_mined(1, seconds)).await?;
        }
        Ok(())
    }
}
