//! A signature, by both halves.

use portal_mpc::{Payload, Signature};

use super::WalletTurn;
use crate::{Error, Result, mpc};

impl WalletTurn<'_> {
    pub(super) async fn sign(&mut self, payload: Payload<'_>) -> Result<Signature> {
        let live = self.operation.state().live().ok_or(Error::NoWallet)?;
        let result = mpc::sign(&self.portal.service, live, payload).await;
        if let Err(Error::Frozen { curve }) = result {
            let frozen = mpc::frozen_form(live, curve);
            // What is frozen already cannot be made so again.
            if let Ok((pair, share)) = frozen {
                let update = self.operation.update(|state| state.replace_live_share(&pair, share));
                update.map_err(Error::Device)?;
            }
        }
        result
    }
}
