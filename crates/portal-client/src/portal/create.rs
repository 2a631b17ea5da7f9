//! A new wallet: made, kept, confirmed, and only then told.

use backup_core::{Progress, ProgressSink, Stage};

use super::{status::addresses_of, turn::Turn};
use crate::{Addresses, Error, Result, mpc, records::Recovered};

impl Turn<'_> {
    pub(super) async fn create_wallet(mut self, progress: &dyn ProgressSink) -> Result<Addresses> {
        if self.view.signing.is_some() {
            return Err(Error::WalletExists);
        }
        if self.state().live().is_some() {
            return Err(Error::RolledBack("this wallet"));
        }
        progress.report(Progress::Stage(Stage::GeneratingShare));
        let set = mpc::generate(&self.portal.service, self.portal.curves).await?;
        progress.report(Progress::Stage(Stage::StoringShare));
        // One that is pending still was never live, as far as the service says, and nobody was
        // told of it.
        self.update(|state| {
            state.replace_pending(set);
            Recovered::forget(state);
            Ok(())
        })?;
        self.confirm_pending().await?;
        addresses_of(self.state().live())?.ok_or(Error::NoWallet)
    }

    /// Has the pending set sign its test, and makes it the live one.
    pub(super) async fn confirm_pending(&mut self) -> Result<()> {
        let Some(pending) = self.state().pending() else { return Ok(()) };
        match mpc::confirm(&self.portal.service, pending).await {
            Ok(live) => self.update(|state| {
                state.go_live(live);
                Recovered::of(state)?.map_or(Ok(()), |recovered| recovered.apply(state))
            }),
            Err(error @ Error::Frozen { .. }) => {
                // Nothing depends on it yet: another one is made in its place.
                self.update(|state| {
                    state.drop_pending();
                    Recovered::forget(state);
                    Ok(())
                })?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}
